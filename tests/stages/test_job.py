import subprocess
import sys

import h5py
import numpy as np
import pytest
from omegaconf import OmegaConf

from disent_runner.assembly import build
from disent_runner.runs.scores import read_scores
from disent_runner.stages.job import check_seed, check_stages, part_of, run_job

FEW = ("model=betavae", "metric=[mig]", "figure=[samples]")


@pytest.mark.slow
def test_stages_can_be_run_one_by_one(composed, tmp_path):
    folder = tmp_path / "run"
    with pytest.raises(FileNotFoundError, match=r"no checkpoint in .*; add fit to stages"):
        run_job(composed(*FEW, "stages=[evaluate]"), folder)
    run_job(composed(*FEW, "stages=[fit]"), folder)
    assert not (folder / "metrics.json").exists()
    run_job(composed(*FEW, "stages=[evaluate]"), folder)
    assert (folder / "metrics.md").exists()
    run_job(composed(*FEW, "stages=[draw]"), folder)
    assert (folder / "figures" / "samples.png").exists()


def test_a_run_may_want_neither_metrics_nor_figures(composed, tmp_path):
    run_job(composed(*FEW, "metric=[]", "figure=[]"), tmp_path / "run")
    assert (tmp_path / "run" / "train.csv").exists()


def test_the_config_is_recorded_resolved_with_how_the_run_came_about(composed, tmp_path):
    run_job(composed(*FEW, "stages=[fit]", "model.beta=7"), tmp_path / "run")
    config = OmegaConf.load(tmp_path / "run" / "config.yaml")
    assert config.model.beta == 7
    assert config.model.encoder["_target_"] == "disent_runner.networks.tiny.TinyEncoder"
    assert config.run.data_source == "rendered"
    assert len(config.run.data_hash) == 64
    assert config.run.versions.torch.startswith("2.")


@pytest.mark.parametrize("stages", [[], ["fit", "score"]])
def test_stages_are_checked(stages):
    with pytest.raises(ValueError, match="stages must be some of fit, evaluate, draw"):
        check_stages(stages)


def test_codes_are_sampled_from_posteriors_or_refused_before_training(composed, tmp_path):
    point_codes = composed("model=pca", "metric=[mig]", "figure=[]", "representation=sampled")
    with pytest.raises(ValueError, match="representation=sampled needs the posterior's logvar, got point codes"):
        run_job(point_codes, tmp_path / "pca")
    assert not (tmp_path / "pca" / "config.yaml").exists()
    run_job(composed("model=betavae", "metric=[mig]", "figure=[]", "representation=sampled"), tmp_path / "betavae")
    assert {row.making.representation for row in read_scores(tmp_path / "betavae")} == {"sampled"}


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "one"])
def test_the_seed_is_checked(seed):
    with pytest.raises(ValueError, match=f"seed must be a whole number from 0 to 4294967295, got {seed!r}"):
        check_seed(seed)


@pytest.mark.slow
def test_training_alone_loads_nothing_of_the_evaluation():
    """scikit-learn and pandas take half a second and 50 MB."""
    code = "import sys, disent_runner.stages.job; print(*{'sklearn', 'pandas', 'wandb'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == []


@pytest.mark.slow
def test_held_out_images_are_recorded_and_evaluated_by_themselves(composed, tmp_path):
    folder = tmp_path / "run"
    held_out = ("split=identity", "dataset.split.factors=[shape]", "dataset.split.fraction=0.34", "evaluation.part=")
    run_job(composed(*FEW, *held_out[:3], "stages=[fit,evaluate]"), folder)
    run_job(composed(*FEW, *held_out[:3], held_out[3] + "held_out", "stages=[evaluate]"), folder)
    rows = {row.making.dataset: row.making.num_images for row in read_scores(folder)}
    assert rows == {"dsprites": 500, "dsprites, held-out images": 500}
    with h5py.File(folder / "codes.h5") as codes:
        assert len(np.unique(np.asarray(codes["factors"])[:, 0])) == 1
    datamodule = build.build_data(composed(*held_out[:3]))
    np.testing.assert_array_equal(np.load(folder / "held_out.npy"), np.flatnonzero(datamodule.held_out))
    config = OmegaConf.load(folder / "config.yaml")
    assert (config.run.num_images, config.run.num_held_out) == (4608, 1536)
    assert config.dataset.split.fraction == 0.34


def test_parts_are_all_images_or_those_of_a_split(composed):
    whole = build.build_data(composed())
    split = build.build_data(composed("split=random", "dataset.split.fraction=0.25"))
    np.testing.assert_array_equal(part_of(whole, "all"), np.arange(4608))
    np.testing.assert_array_equal(part_of(split, "all"), np.arange(4608))
    held_out, training = part_of(split, "held_out"), part_of(split, "training")
    assert (len(held_out), len(training), len(np.union1d(held_out, training))) == (1152, 3456, 4608)
    with pytest.raises(ValueError, match=r"no image is held out; choose a split"):
        part_of(whole, "held_out")
    with pytest.raises(ValueError, match=r"evaluation.part must be all, training, held_out, got 'test'"):
        part_of(whole, "test")
