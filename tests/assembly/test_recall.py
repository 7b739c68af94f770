from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf

from disent_runner.assembly.build import build_data
from disent_runner.assembly.recall import recalled
from disent_runner.runs.identity import run_id
from disent_runner.stages.job import run_job


@pytest.fixture
def folder(composed, tmp_path):
    run_job(composed("model=betavae", "stages=[fit]", "model.beta=3", "seed=2"), tmp_path / "run")
    return tmp_path / "run"


@pytest.mark.slow
def test_a_run_keeps_its_model_data_and_seed_and_gets_the_command_s_metrics(folder, composed):
    config = composed("metric=[mig]", "stages=[evaluate]", f"run={folder}", "trainer.accelerator=auto")
    result = recalled(config, ["trainer.accelerator=auto", "evaluation.num_images=77", "+evaluation.batch_size=9"])
    assert result.model.beta == 3
    assert result.seed == 2
    assert list(result.metric) == ["mig"]
    assert result.stages == ["evaluate"]
    assert result.trainer.accelerator == "auto"
    assert result.trainer.max_steps == 5
    assert (result.evaluation.num_images, result.evaluation.batch_size) == (77, 9)
    assert run_id(result) == OmegaConf.load(folder / "config.yaml").run.id


@pytest.mark.slow
def test_its_data_may_have_moved(folder, composed, data_dir):
    path = folder / "config.yaml"
    config = OmegaConf.load(path)
    config.data_dir = "/elsewhere"
    OmegaConf.save(config, path)
    assert recalled(composed(f"run={folder}"), []).data_dir == str(data_dir)


@pytest.mark.slow
@pytest.mark.parametrize("override", ["model.beta=4", "dataset=blob", "seed=3", "trainer.max_steps=9"])
def test_what_would_make_it_another_run_is_refused(folder, composed, override):
    with pytest.raises(ValueError, match=f"{override}: run=.* has its own {override.split('=')[0].split('.')[0]}"):
        recalled(composed("model=betavae", f"run={folder}", override), [override])


@pytest.mark.slow
def test_a_run_of_an_earlier_version_has_the_defaults_of_what_came_later(folder, composed):
    path = folder / "config.yaml"
    config: Any = OmegaConf.load(path)
    for node, key in (("dataset", "dequantize"), ("trainer", "compile"), ("evaluation", "part")):
        del config[node][key]
    OmegaConf.save(config, path)
    result = recalled(composed(f"run={folder}"), [])
    assert (result.dataset.dequantize, result.trainer.compile, result.evaluation.part) == (False, False, "all")
    assert result.dataset.subset == {"orientation": 4, "pos_x": 8, "pos_y": 8}


def test_a_users_file_may_have_moved_and_is_read_as_it_is(composed, tmp_path):
    def write(path, labels):
        np.savez(path, images=np.zeros((4, 16, 16), np.uint8), factors=labels)
        return f"dataset.path={path}"

    typed = ("dataset=custom", "dataset.subset=null", "dataset.batch_size=2")
    run = tmp_path / "run"
    config = composed("model=pca", "network=tiny", *typed, write(tmp_path / "mine.npz", [0, 0, 1, 1]))
    run.mkdir()
    OmegaConf.save(OmegaConf.create(OmegaConf.to_container(config, resolve=True)), run / "config.yaml")
    (tmp_path / "mine.npz").unlink()
    moved = write(tmp_path / "other.npz", [0, 1, 0, 1])
    result = recalled(composed("dataset=custom", moved, f"run={run}"), ["dataset=custom", moved])
    assert result.dataset.card.path == result.dataset.path == str(tmp_path / "other.npz")
    assert result.dataset.content == OmegaConf.load(run / "config.yaml").dataset.content
    assert result.dataset.labels != OmegaConf.load(run / "config.yaml").dataset.labels
    assert build_data(result).dataset.space.factors(np.arange(4))[:, 0].tolist() == [0, 1, 0, 1]
