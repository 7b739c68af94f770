import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.utils import setup_globals
from hydra.errors import ConfigCompositionException, HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from disent_runner.assembly.conf import CONF
from disent_runner.assembly.loader import Loader

Compose = Callable[..., DictConfig]
GRID = "hydra: {sweeper: {params: {seed: '0,1'}}}\n"


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    for group in ("sweep", "experiment/me", "model"):
        (tmp_path / group).mkdir(parents=True)
    return tmp_path


@pytest.fixture
def compose(mine: Path) -> Compose:
    """The config of a command typed with `--config-dir`."""

    def composed(*overrides: str, mode: RunMode = RunMode.MULTIRUN) -> DictConfig:
        with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
            setup_globals()
            path = GlobalHydra.instance().config_loader().get_search_path()
        path.prepend(provider="command-line", path=f"file://{mine}", anchor="schema")
        return Loader(path).load_configuration("run", ["hydra.job.name=x", *overrides], mode)

    return composed


@pytest.mark.parametrize("mode", [RunMode.RUN, RunMode.MULTIRUN])
def test_a_run_keeps_the_working_folder(compose, mode):
    """In each run's folder of its own, `data` would be rendered again, and paths that were typed lead nowhere."""
    with pytest.raises(HydraException, match=r"hydra\.job\.chdir=true: .*leave it out"):
        compose("hydra.job.chdir=true", mode=mode)
    compose("hydra.job.chdir=false", mode=mode)


def test_a_grid_is_a_sweep_without_being_told(mine, compose):
    (mine / "sweep" / "mine.yaml").write_text(GRID)
    assert compose("sweep=mine").hydra.mode == RunMode.MULTIRUN


def test_presets_build_on_others(mine, compose):
    (mine / "sweep" / "mine.yaml").write_text(
        "defaults: [/sweep/gamma, _self_]\nhydra: {sweeper: {params: {seed: '7'}}}\n"
    )
    assert compose("sweep=mine").hydra.sweeper.params == {"seed": "7", "model.gamma": "10,20,30,40,50,100"}


def test_a_sweep_of_nothing_is_refused(mine, compose):
    (mine / "sweep" / "mine.yaml").write_text("trainer: {max_steps: 3}\n")
    for mode in (RunMode.RUN, RunMode.MULTIRUN):
        with pytest.raises(HydraException, match="sweep=mine: its file has neither"):
            compose("sweep=mine", mode=mode)


def test_a_file_beside_another_of_its_name_is_refused_unless_it_says_the_same(mine, compose):
    (mine / "sweep" / "gamma.yaml").write_bytes((CONF / "sweep" / "gamma.yaml").read_bytes())
    assert "model.gamma" in compose("sweep=gamma").hydra.sweeper.params
    (mine / "sweep" / "gamma.yaml").write_text(GRID)
    with pytest.raises(
        ValueError, match=r"sweep/gamma is there twice, in .*conf/sweep/gamma.yaml and in .*; rename yours"
    ):
        compose("sweep=gamma")


def test_what_only_the_runs_have_is_left_to_them(compose):
    config = compose("model=btcvae,infovae", "model.alpha=4", "~model.alpha", "+model.gamma=7", "seed=3")
    assert (config.seed, config.model.gamma) == (3, 35)  # of the default model
    assert "alpha" not in config.model
    typed = ["model=btcvae,infovae", "model.alpha=4", "~model.alpha", "+model.gamma=7", "seed=3"]
    assert OmegaConf.to_container(config.hydra.overrides.task) == typed
    with pytest.raises(ConfigCompositionException):
        compose("model.alpha=4", mode=RunMode.RUN)


def test_the_config_of_several_presets_is_that_of_the_first(compose):
    config = compose("sweep=gamma,beta")
    assert config.hydra.runtime.choices.sweep == "gamma"
    assert config.hydra.overrides.task == ["sweep=gamma,beta"]
    with pytest.raises(HydraException, match="hydra/sweeper=optuna takes one preset at a time"):
        compose("sweep=gamma,beta", "hydra/sweeper=optuna")


EXPERIMENT = """\
defaults: [_self_, override /network: tiny]
hydra: {sweeper: {params: {seed: '7'}, cases: {one: {model.gamma: 3}}}}
"""


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (
            [],
            "+experiment=me/mine says seed=7 and sweep=gamma says seed=range(5); type seed=…, or leave one of them out",
        ),
        (["seed=0"], "+experiment=me/mine says model.gamma=3 and sweep=gamma says model.gamma=10,20,30,40,50,100;"),
    ],
)
def test_two_presets_that_say_different_things_of_a_key_are_refused(typed, expected, mine, compose):
    (mine / "experiment" / "me" / "mine.yaml").write_text(EXPERIMENT)
    with pytest.raises(HydraException, match=re.escape(expected)):
        compose("+experiment=me/mine", "sweep=gamma", *typed)


def test_presets_go_together_where_what_is_typed_decides(mine, compose):
    (mine / "experiment" / "me" / "mine.yaml").write_text(EXPERIMENT)
    config = compose("+experiment=me/mine", "sweep=gamma", "seed=0", "model.gamma=8")
    assert config.network.encoder._target_.endswith("TinyEncoder")
    assert config.hydra.runtime.choices.sweep == "gamma"


def test_choices_of_a_group_are_those_of_all_folders_without_parts_of_others(mine, compose):
    (mine / "experiment" / "me" / "mine.yaml").write_text(EXPERIMENT)
    with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
        path = GlobalHydra.instance().config_loader().get_search_path()
    path.prepend(provider="command-line", path=f"file://{mine}", anchor="schema")
    names = Loader(path).options("experiment")
    assert {"me/mine", "chen2018/bias", "chen2018/bias_smoke"} <= set(names)
    assert not [name for name in names if "/_" in name]
    assert "all" in Loader(path).options("metric")  # which no file has


def test_the_home_folder_in_files(compose: Compose, mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/at/home")
    monkeypatch.setenv("DISENT_DATA_DIR", "~/data")
    (mine / "dataset").mkdir()
    (mine / "dataset" / "faces.yaml").write_text("defaults: [custom]\npath: ~/faces\n")
    (mine / "experiment" / "me" / "there.yaml").write_text("# @package _global_\noutput_root: ~/runs\n")
    config = compose("dataset=faces", "+experiment=me/there", mode=RunMode.RUN)
    assert (config.output_root, config.dataset.card.path, config.data_dir) == (
        "/at/home/runs",
        "/at/home/faces",
        "/at/home/data",
    )
