import numpy as np
import pytest

from disent_runner.assembly import build
from disent_runner.machine.files import read_json
from disent_runner.models.pixels import Pixels
from disent_runner.runs.checkpoints import load_newest_checkpoint
from disent_runner.stages.fit import fit
from disent_runner.stages.job import run_job


def test_a_baseline_takes_no_step(dataset, batch) -> None:
    model = Pixels(info=dataset.info)
    assert model.configure_optimizers() == []
    with pytest.raises(RuntimeError, match="Pixels takes no optimisation step"):
        model.update(batch)


def test_what_was_learned_is_in_the_checkpoint_and_is_not_learned_again(composed, tmp_path, monkeypatch) -> None:
    config = composed("model=pca")
    datamodule = build.build_data(config)
    models = []
    for _ in range(2):
        models.append(build.build_model(config, datamodule.training.info))
        fit(models[-1], datamodule, folder=tmp_path, seed=0, accelerator="cpu", precision="32-true")
        monkeypatch.setattr(type(models[-1]), "learn", lambda *_: pytest.fail("learned again"))
    state = load_newest_checkpoint(tmp_path)
    assert state is not None
    assert (state["step"], state["optimizers"]) == (0, [])
    np.testing.assert_array_equal(models[1].analysis, models[0].analysis)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["oracle", "pca"])
def test_the_run_folder_is_like_any_other(name: str, composed, tmp_path) -> None:
    run_job(composed(f"model={name}", "metric=[beta_vae_score]"), tmp_path / "run")
    rows = {row["name"]: row["value"] for row in read_json(tmp_path / "run" / "metrics.json", default=[])}
    assert 0.2 < rows["beta_vae_score"] <= 1
    assert name != "oracle" or rows["beta_vae_score"] > 0.99
    assert (tmp_path / "run" / "figures" / "mutual_information.png").exists()
