"""Runs that a run stands on, as they are composed: with the models `dae` and `betavae_dae`."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.utils import setup_globals
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig

from disent_runner.assembly.below import below_of, typed
from disent_runner.assembly.conf import CONF
from disent_runner.assembly.loader import Loader, parsed
from disent_runner.assembly.typed import as_read
from disent_runner.runs.identity import request_of, run_id
from disent_runner.sweep.loader import SweepLoader

Compose = Callable[..., DictConfig]


MODELS = {
    "top": "betavae_dae",
    "self": "self",
    "one": "other",
    "other": "one",
}
"""Models of one's own by what their `eye` is."""


@pytest.fixture(scope="module")
def loader(tmp_path_factory: pytest.TempPathFactory) -> SweepLoader:
    """One that composes each choice of groups once, for all tests."""
    mine = tmp_path_factory.mktemp("mine")
    (mine / "model").mkdir()
    for name, eye in MODELS.items():
        text = f"_target_: mine.Model\neye: {{run: null, overrides: [model={eye}]}}\n"
        (mine / "model" / f"{name}.yaml").write_text(text)
    with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
        setup_globals()
        path = GlobalHydra.instance().config_loader().get_search_path()
    path.prepend(provider="command-line", path=f"file://{mine}", anchor="schema")
    return SweepLoader(path)


@pytest.fixture(scope="module")
def master(loader: SweepLoader) -> DictConfig:
    return Loader(loader.get_search_path()).load_configuration("run", ["hydra.job.name=x"], RunMode.MULTIRUN)


@pytest.fixture
def compose(loader: SweepLoader, master: DictConfig) -> Compose:
    return lambda *overrides: loader.load_sweep_config(master, list(overrides))


def test_a_run_and_one_of_a_sweep_stand_on_the_same(compose, loader):
    overrides = ("model=betavae_dae", "dataset=toylab8", "dae.model.latent_dim=7", "dataset.image_size=32")
    alone = Loader(loader.get_search_path()).load_configuration("run", ["hydra.job.name=x", *overrides], RunMode.RUN)
    assert alone.model.dae == compose(*overrides).model.dae
    assert list(alone.hydra.overrides.task) == list(overrides)


def test_a_run_below_is_what_its_overrides_make_when_they_are_typed(compose):
    config = compose("model=betavae_dae", "dae.model.pixel_masking=0.2", "seed=3", "dataset=toylab8")
    (overrides,) = below_of(config).values()
    assert {"model=dae", "model.pixel_masking=0.2", "seed=3", "dataset=toylab8", "stages=[fit]"} <= {*overrides}
    alone = compose(*overrides)
    assert run_id(alone) == config.model.dae.id
    assert config.model.dae.folder == str(Path(f"outputs/toylab8/dae/{run_id(alone)}/seed=3").absolute())


def test_data_and_machine_are_those_of_the_run_above_and_what_is_about_learning_is_not(compose):
    images = ("dataset=toylab8", "dataset.image_size=32", "dataset.subset={yaw: 3}", "dataset.check_hash=false")
    split = ("split=combinations", "dataset.split.factors=[wall,floor]", "dataset.split.count=4")
    machine = ("output_root=elsewhere", "trainer.accelerator=cpu", "trainer=quick")
    config = compose("model=betavae_dae", *images, *split, *machine, "dataset.batch_size=7", "trainer.max_steps=9")
    below = compose(*below_of(config)["dae"])
    for key in ("image_size", "subset", "split", "check_hash"):
        assert below.dataset[key] == config.dataset[key]
    assert (below.output_root, below.trainer.accelerator) == ("elsewhere", "cpu")
    assert (below.dataset.batch_size, below.trainer.max_steps) == (100, 1000)


def test_a_run_below_may_have_settings_of_the_data_of_its_own_but_no_other_images(compose):
    base = ("model=betavae_dae", "dataset=toylab8", "dataset.image_size=32")
    config = compose(*base, "dataset.subset={yaw: 2}", "dae.dataset=toylab8", "dae.dataset.image_size=32")
    below = compose(*below_of(config)["dae"])
    assert (below.dataset.subset, below.dataset.image_size) == (None, 32)
    with pytest.raises(HydraException, match=r"^dae\.dataset=toylab: it is toylab8 above; a run below learns from"):
        compose(*base, "dae.dataset=toylab", "dae.dataset.image_size=32")
    with pytest.raises(HydraException, match=r"^eye: dae\.dataset\.image_size=16: it is 32 above; a run below"):
        compose("model=top", *base[1:], "dae.dataset.image_size=16")


def test_the_id_is_of_what_the_run_below_is_and_not_of_how_it_is_said(compose):
    plain = compose("model=betavae_dae", "dataset=toylab8")
    usual = plain.model.dae.overrides[-2:]
    same = compose("model=betavae_dae", "dataset=toylab8", "dae.model.latent_dim=100", "output_root=elsewhere")
    again = compose("model=betavae_dae", "dataset=toylab8", as_read(f"dae.overrides=[{','.join(usual)},seed=0]"))
    other = compose("model=betavae_dae", "dataset=toylab8", "dae.model.latent_dim=99")
    assert usual == ["model=dae", "dataset.batch_size=100"]
    assert run_id(plain) == run_id(same) == run_id(again) != run_id(other)
    assert request_of(plain) == request_of(same) != request_of(other)


def test_a_seed_above_is_the_seed_below_unless_it_is_said(compose):
    ids = {seed: run_id(compose("model=betavae_dae", f"seed={seed}")) for seed in (0, 1)}
    assert ids[0] == ids[1]  # folders of seeds lie side by side
    said = [compose("model=betavae_dae", "dae.seed=5", f"seed={seed}") for seed in (0, 1)]
    assert run_id(said[0]) == run_id(said[1]) != ids[0]
    assert [config.model.dae.seed for config in said] == [5, 5]
    assert said[0].model.dae.folder == said[1].model.dae.folder


def test_what_is_typed_of_a_run_further_below_is_handed_down(compose):
    config = compose("model=top", "dae.model.latent_dim=7", "eye.model.beta=2")
    eye = compose(*below_of(config)["eye"])
    assert (eye.model.beta, compose(*below_of(eye)["dae"]).model.latent_dim) == (2, 7)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("daee.model.beta=2", "daee.model.beta=2: no run below is called daee, did you mean dae?; there are eye, dae"),
        ("eye.model.betta=2", "eye: model.betta: no such key, did you mean beta?"),
        ("dae.model.latent_dim=-1", "eye: dae: model.latent_dim=-1: expected a whole number"),
        ("eye.dataset=toylap", "eye: dataset=toylap: no such dataset, did you mean toylab?"),
        ("eye.run=3", "eye.run=3: expected text, or null; as text"),
        ("eye.run=a,b", "eye.run=a,b: expected one value; several are a sweep, which needs -m"),
        ("eye.stages=[evaluate]", "eye.stages=[evaluate]: a run below is trained first; expected fit among its stages"),
        ("eye.hydra.run.dir=x", "eye.hydra.run.dir=x: a run below has no hydra of its own, leave it out"),
        ("dae.sweep=beta", "eye: dae.sweep=beta: a run below has no sweep of its own, leave it out"),
        (
            as_read("eye.overrides=[model=betavae_dae,run=x]"),
            "eye.run=x: a run below has no run of its own, leave it out; eye.run=x takes one that is there",
        ),
    ],
)
def test_a_mistake_below_is_said_with_the_names_on_the_way(line, said, compose):
    with pytest.raises((HydraException, ValueError)) as refused:
        compose("model=top", line)
    assert str(refused.value).startswith(said)


def test_runs_cannot_stand_on_themselves(compose):
    for name in ("self", "one"):
        with pytest.raises(HydraException, match="eye: a circle of runs that stand on each other; choose another"):
            compose(f"model={name}")


def test_a_run_that_is_named_by_its_folder_has_to_be_there_and_has_its_own_settings(compose, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"dae\.run=.*nowhere: no run there; name a folder that holds config"):
        compose("model=betavae_dae", f"dae.run={tmp_path}/nowhere")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (0.5, "0.5"),
        ("toylab8", "toylab8"),
        ("a b,c", '"a b,c"'),
        ([1, "x=y"], '[1,"x=y"]'),
        ({"yaw": 3}, "{yaw:3}"),
    ],
)
def test_values_are_written_as_hydra_reads_them(value, text):
    assert typed(value) == text
    (override,) = parsed([f"key={text}"])
    read = override.value()
    assert getattr(read, "text", read) == value or isinstance(value, list)
