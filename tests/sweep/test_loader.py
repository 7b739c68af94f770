import copy
import pickle

import pytest
from hydra.errors import ConfigCompositionException, HydraException
from hydra.types import RunMode
from omegaconf import OmegaConf

from disent_runner.assembly.conf import CONF
from disent_runner.sweep.grid import grid
from disent_runner.sweep.loader import SweepLoader

PRESETS = sorted(path.stem for path in (CONF / "sweep").glob("*.yaml"))


@pytest.mark.parametrize(
    "overrides",
    [
        ["model=betavae", "model.beta=4", "seed=3"],
        ["model.beta=4", "model=btcvae", "network=tiny", "metric=[mig,dci]", "metric.mig.num_bins=7"],
        [
            "trainer=quick",
            "trainer.max_steps=7",
            "+mine=0.5",
            "~metric.sap",
            "optimizer.lr=${mine}",
            "model=vae",
        ],
        ["dataset.subset={pos_x: 8}", "+dataset.subset.pos_y=4", "~metric.mig", "logger=[csv,wandb]"],
    ],
)
def test_a_composed_config_is_hydras_to_the_last_key(hydra_loader, master, overrides):
    expected = hydra_loader.load_sweep_config(master, overrides)
    loader = SweepLoader(hydra_loader.get_search_path())
    for _ in range(2):  # the second one is a copy
        assert OmegaConf.to_container(loader.load_sweep_config(master, overrides)) == OmegaConf.to_container(expected)


@pytest.mark.slow
def test_runs_share_what_was_composed_but_no_value(hydra_loader, master):
    loader = SweepLoader(hydra_loader.get_search_path())
    first, second = (loader.load_sweep_config(master, ["model=betavae", f"model.beta={beta}"]) for beta in (1, 2))
    assert (first.model.beta, second.model.beta) == (1, 2)
    assert len(loader.composed) == 1
    assert pickle.loads(pickle.dumps(loader)).composed == {}


def test_a_key_that_is_not_there_is_refused(hydra_loader, master):
    loader = SweepLoader(hydra_loader.get_search_path())
    with pytest.raises(ConfigCompositionException, match=r"Error merging override model.betta=1|Could not override"):
        loader.load_sweep_config(master, ["model=betavae", "model.betta=1"])


def test_a_choice_that_says_what_to_sweep_over_is_refused(hydra_loader, master, tmp_path):
    """A sweep is planned before its runs choose, so that it would be forgotten."""
    (tmp_path / "model").mkdir()
    text = "# @package _global_\nhydra: {sweeper: {params: {seed: '0,1'}}}\n"
    (tmp_path / "model" / "mine.yaml").write_text(text)
    path = copy.deepcopy(hydra_loader.get_search_path())
    path.prepend(provider="command-line", path=f"file://{tmp_path}", anchor="schema")
    with pytest.raises(HydraException, match="model=mine: what to sweep over is for sweep=… and"):
        SweepLoader(path).load_sweep_config(master, ["model=mine"])


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS)
def test_runs_of_every_preset_compose(hydra_loader, preset):
    """One for each choice of the groups, the first; others differ from it in numbers alone."""
    master = hydra_loader.load_configuration("run", [f"sweep={preset}", "hydra.job.name=x"], RunMode.MULTIRUN)
    sweeper = master.hydra.sweeper
    loader = SweepLoader(hydra_loader.get_search_path())
    jobs = grid(sweeper.params, sweeper.cases, sweeper.zip, [f"sweep={preset}", "seed=0"], loader.options)
    first = {tuple(override for override in job if "." not in override): job for job in reversed(jobs)}
    models = {loader.load_sweep_config(master, job).model._target_ for job in first.values()}
    assert len(models) == max(1, len({case["model"] for case in sweeper.cases.values()}))
