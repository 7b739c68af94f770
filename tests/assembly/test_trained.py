import numpy as np
import pytest
import torch

import disent_runner
from disent_runner.stages.job import run_job


@pytest.fixture
def folder(composed, tmp_path):
    run_job(composed("model=betavae", "metric=[mig]", "stages=[fit,evaluate]", "model.beta=3"), tmp_path / "run")
    return tmp_path / "run"


@pytest.mark.slow
def test_a_run_is_given_back(folder):
    run = disent_runner.load(folder)
    assert run.config.model.beta == 3
    assert run.step == run.train_log["step"].iloc[-1] == 5
    assert run.info.factors["pos_x"] == 8
    data = run.dataset()
    images = data.gather(torch.arange(3)).numpy()
    mean, logvar = run.encode(images)
    assert logvar is not None
    assert mean.shape == logvar.shape == (3, 10)
    assert run.decode(mean).shape == images.shape
    np.testing.assert_array_equal(run.sample(2, seed=1), run.sample(2, seed=1))
    assert run.sample(2).min() >= 0
    assert run.metrics["mig"] == run.table[run.table.factor.isna()].set_index("name")["value"]["mig"]


@pytest.mark.slow
def test_so_is_an_earlier_checkpoint_of_it(folder):
    run = disent_runner.load(folder / "checkpoints" / "step=000000004.pt")
    assert run.step == 4
    assert run.metrics == {}  # those of step 5 are not its own


def test_where_there_is_no_run_that_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="no run there; name a folder that holds"):
        disent_runner.load(tmp_path)
