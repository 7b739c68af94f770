import pytest
from omegaconf import OmegaConf

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
@pytest.mark.parametrize("override", ["model.beta=4", "dataset=dsprites", "seed=3", "trainer.max_steps=9"])
def test_what_would_make_it_another_run_is_refused(folder, composed, override):
    with pytest.raises(ValueError, match=f"{override}: run=.* has its own {override.split('=')[0].split('.')[0]}"):
        recalled(composed(f"run={folder}"), [override])
