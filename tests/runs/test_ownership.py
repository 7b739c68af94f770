import h5py
import numpy as np
import pytest
from omegaconf import OmegaConf

from disent_runner.assembly.recall import recalled
from disent_runner.runs.identity import request_of, run_id
from disent_runner.runs.scores import read_scores
from disent_runner.stages.job import run_job

FEW = ("model=betavae", "metric=[mig]", "figure=[samples]")


@pytest.mark.parametrize(("source", "fix"), [("official", "dataset.source=official"), ("file", "dataset.path=")])
def test_a_folder_of_other_data_is_not_gone_on_with(composed, tmp_path, source, fix):
    folder = tmp_path / "run"
    run_job(composed(*FEW, "stages=[fit]"), folder)
    path = folder / "config.yaml"
    config = OmegaConf.load(path)
    config.run.data_hash = "f" * 64
    config.run.data_source = source
    OmegaConf.save(config, path)
    with pytest.raises(ValueError, match=rf"was made from {source} dsprites with hash ffffffffffff.*{fix}"):
        run_job(composed(*FEW), folder)


def test_a_folder_belongs_to_the_run_that_is_recorded_in_it(composed, tmp_path):
    """A folder named by hand (hydra.run.dir) is never gone on with under other settings or another seed."""
    folder = tmp_path / "mine"
    run_job(composed("model=pca", "stages=[fit]"), folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for other in ("seed=1", "model.latent_dim=3", "model=oracle"):
        with pytest.raises(ValueError, match=r"mine holds the run \w{8} seed=0, other than \w{8} seed="):
            run_job(composed("model=pca", "stages=[fit]", other), folder)
    np.savez(tmp_path / "codes.npz", codes=np.eye(4), factors=np.eye(4, dtype=int))
    with pytest.raises(ValueError, match="mine holds the run"):
        run_job(composed(f"representation={tmp_path}/codes.npz", "stages=[evaluate]", "metric=[mig]"), folder)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    run_job(composed("model=pca", "stages=[fit]"), folder)
    (folder / "config.yaml").unlink()
    with pytest.raises(ValueError, match=r"has checkpoints, but no config.yaml that says of which run"):
        run_job(composed("model=pca", "stages=[fit]"), folder)


def test_a_run_of_which_the_record_is_gone_is_not_scored(composed, tmp_path):
    folder = tmp_path / "run"
    run_job(composed("model=pca", "stages=[fit]"), folder)
    text = (folder / "config.yaml").read_text()
    (folder / "config.yaml").write_text(text.replace("\nrun:\n", "\nwalk:\n"))
    with pytest.raises(ValueError, match=r"run: the part `run` of config.yaml is missing or damaged"):
        run_job(composed("stages=[evaluate]", "model=pca", "metric=[mig]", f"run={folder}"), folder)


def test_a_config_of_something_else_is_not_written_over(composed, tmp_path):
    (tmp_path / "config.yaml").write_text("a: 1\n")
    with pytest.raises(ValueError, match=r"has a config.yaml that is of no run; choose another folder"):
        run_job(composed("model=pca", "stages=[fit]"), tmp_path)
    assert (tmp_path / "config.yaml").read_text() == "a: 1\n"


@pytest.fixture
def own_file(composed, tmp_path):
    """Sixteen images with labels that may be put right; the config of a run on them."""
    grid = np.indices((4, 4)).reshape(2, -1).T
    images = np.random.default_rng(0).integers(0, 256, (16, 16, 16), dtype=np.uint8)

    def make(*overrides, labels=grid, path="mine.npz"):
        np.savez(tmp_path / path, images=images, factors=labels, factor_names=["row", "col"])
        file = ("dataset=custom", f"dataset.path={tmp_path}/{path}", "dataset.subset=null", "dataset.batch_size=8")
        return composed("network=tiny", *file, "trainer.max_steps=1", *overrides)

    return make


def test_labels_put_right_are_scored_anew_and_keep_the_model(own_file, tmp_path):
    wrong = np.random.default_rng(1).permutation(np.indices((4, 4)).reshape(2, -1).T, axis=0)
    asked = ("model=oracle", "stages=[fit,evaluate]")
    first = own_file(*asked, "metric=[mig,sap]", labels=wrong)
    run_job(first, tmp_path / "run")
    by_wrong = {row.label: row for row in read_scores(tmp_path / "run")}
    second = own_file(*asked, "metric=[mig]")
    assert run_id(second) == run_id(first)
    assert request_of(second) != request_of(first)
    run_job(second, tmp_path / "run")
    rows = {row.label: row for row in read_scores(tmp_path / "run")}
    assert "sap" in by_wrong
    assert "sap" not in rows  # of labels that are no more
    assert rows["mig"].making.labels != by_wrong["mig"].making.labels
    with h5py.File(tmp_path / "run" / "codes.h5") as file:
        factors, codes = np.asarray(file["factors"]), np.asarray(file["mean"])
    np.testing.assert_array_equal(factors, np.indices((4, 4)).reshape(2, -1).T)
    assert all(len(np.unique(codes[factors[:, k] == 0, k])) == 1 for k in range(2))


def test_what_learned_from_labels_or_was_split_by_them_is_not_gone_on_with(own_file, tmp_path):
    wrong = np.indices((4, 4)).reshape(2, -1).T[::-1]
    pairs = ("model=adagvae", "stages=[fit]")
    run_job(own_file(*pairs, labels=wrong), tmp_path / "pairs")
    with pytest.raises(ValueError, match=r"pairs: its model learns from labels, and those of mine have changed"):
        run_job(own_file(*pairs), tmp_path / "pairs")
    by_value = ("model=vae", "stages=[fit]", "split=values", "+dataset.split.values.row=[0]")
    trained = own_file(*by_value, labels=wrong)
    trained_id = run_id(trained)
    run_job(trained, tmp_path / "split")
    held_out = (tmp_path / "split" / "held_out.npy").read_bytes()
    assert run_id(own_file(*by_value)) != trained_id
    again = recalled(own_file("stages=[evaluate]", f"run={tmp_path}/split"), [])
    with pytest.raises(ValueError, match="now hold out other images than those that training left out"):
        run_job(again, tmp_path / "split")
    assert (tmp_path / "split" / "held_out.npy").read_bytes() == held_out
