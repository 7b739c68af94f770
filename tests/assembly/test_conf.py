import pytest
from omegaconf import OmegaConf

from disent_runner.assembly import conf


@pytest.mark.parametrize(
    ("typed", "writable", "is_elsewhere"),
    [([], True, False), (["output_root=mine"], True, True), ([], False, True), (["model=vae"], True, False)],
)
def test_a_run_is_scored_in_its_folder_unless_that_is_read_only_or_another_is_typed(
    tmp_path, monkeypatch, typed, writable, is_elsewhere
):
    run, mine = tmp_path / "run", tmp_path / "mine"
    run.mkdir()
    (run / "config.yaml").write_text("seed: 3\nrun: {data_name: blob, model_name: vae, id: 0123abcd}\n")
    monkeypatch.setattr(conf, "may_be_written", lambda folder: writable)
    asked = {
        "run": str(run),
        "output_root": str(mine),
        "representation": "mean",
        "hydra": {"overrides": {"task": typed}},
    }
    place = OmegaConf.create({**asked, "place": "${place:unused}"}).place
    assert place == str(mine / "blob/vae/0123abcd/seed=3" if is_elsewhere else run)
