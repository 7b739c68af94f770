"""What many tests share: a data folder rendered once, composed configs, a small data set, seeded generators."""

import copy
import os
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from filelock import FileLock
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.utils import setup_globals
from hydra.types import RunMode
from omegaconf import DictConfig, open_dict

from disent_runner.assembly import build
from disent_runner.assembly.conf import CONF
from disent_runner.assembly.loader import Loader
from disent_runner.datasets.batches import Batch
from disent_runner.models.dae import Quality
from disent_runner.models.frozen import Frozen
from disent_runner.runs.lineage import Parent
from disent_runner.sweep.loader import SweepLoader
from tests.typed import run_typed

os.environ["OMP_NUM_THREADS"] = "1"  # the tests themselves run side by side
torch.set_num_threads(1)

Compose = Callable[..., DictConfig]
Command = Callable[..., subprocess.CompletedProcess[str]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What waits for a cluster comes first, so that the other process has something to do meanwhile."""
    items.sort(key=lambda item: item.get_closest_marker("slurm") is None)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """dSprites, rendered once for all processes of this test session."""
    from disent_runner.datasets import dsprites
    from disent_runner.datasets.load import load

    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "data"
    with FileLock(f"{folder}.lock"):
        load(dsprites.card(), data_dir=folder, source="rendered")
    return folder


@pytest.fixture(scope="session")
def concept_run(data_dir: Path) -> Path:
    """Operators on a JMVAE of small rooms, trained for a few steps once for all processes of this test session."""
    place = data_dir.parent / "concepts"
    images = ["dataset=toylab8", "dataset.image_size=32", "dataset.subset={yaw: 2, spawn: 1, rotation: 2}"]
    small = ["network=tiny", "trainer=smoke", "trainer.accelerator=cpu", "model.num_images=100", "stages=[fit]"]
    with FileLock(f"{place}.lock"):
        place.mkdir(exist_ok=True)
        if not list(place.glob("outputs/toylab8/jmvae_operators/*/seed=0/status.json")):
            environment = {**os.environ, "DISENT_DATA_DIR": str(data_dir)}
            arguments = ["model=jmvae_operators", *images, *small]
            done = run_typed("disent-run", arguments, folder=place, environment=environment)
            assert done.returncode == 0, done.stderr
    (folder,) = place.glob("outputs/toylab8/jmvae_operators/*/seed=0")
    return folder


@pytest.fixture
def composed(data_dir: Path, tmp_path: Path) -> Compose:
    """The config of `disent-run OVERRIDES`, for a small network on a small subset."""

    def make(*overrides: str) -> DictConfig:
        config = copy.deepcopy(_composed_once(overrides))
        config.data_dir, config.output_root = str(data_dir), f"{tmp_path}/outputs"
        if config.environment is not None:  # the small subset is one of dSprites
            config.dataset.update({"subset": None, "num_frames": 1000} if "num_frames" in config.dataset else {})
        return config

    return make


@cache
def _composed_once(overrides: tuple[str, ...]) -> DictConfig:
    small = [
        "network=tiny",
        "trainer=smoke",
        "trainer.accelerator=cpu",
        "metric=[mig,factor_vae_score]",
        "dataset.subset={orientation: 4, pos_x: 8, pos_y: 8}",
    ]
    loader, master = _loader()
    last = {line.partition("=")[0]: line for line in (*small, *overrides)}  # what a test says holds
    config = loader.load_sweep_config(master, [*last.values()])
    with open_dict(config):
        del config["hydra"]
    return config


@cache
def _loader() -> tuple[SweepLoader, DictConfig]:
    """One for all tests of a process: it composes each choice of groups once."""
    with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
        setup_globals()
        path = GlobalHydra.instance().config_loader().get_search_path()
    return SweepLoader(path), Loader(path).load_configuration("run", ["hydra.job.name=tests"], RunMode.MULTIRUN)


@pytest.fixture
def untrained(composed: Compose) -> Callable[..., tuple[Any, Batch]]:
    """`untrained("model=vae", device="cuda")`: the model of those settings and its first batch, without a Trainer."""

    def make(*overrides: str, device: str = "cpu") -> tuple[Any, Batch]:
        config = composed(*overrides)
        datamodule = build.build_data(config)
        model: Any = build.build_model(config, datamodule.dataset.info).to(device)
        model.configure_optimizers()
        np.random.seed(0)  # noqa: NPY002 - of those who draw from it
        dataset = datamodule.training.to(device)
        source = datamodule.source_for(model)
        batch = Batch(step=0, is_logged=True, source=source, dataset=dataset, device=torch.device(device))
        return model, batch

    return make


@pytest.fixture
def untrained_below(composed: Compose, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a model stands on is there, untrained, and nobody asks whether it is any good."""
    the_same = {"dataset", "dataset.subset", "trainer", "trainer.accelerator"}  # as the small config has them anyway

    def frozen_run(name: str, node: Any, *_: Any, **__: Any) -> tuple[Frozen, tuple[Parent, Path]]:
        config = composed(*[line for line in node["overrides"] if line.partition("=")[0] not in the_same])
        info = build.build_data(config).dataset.info
        return Frozen(build.build_model(config, info), info), (Parent(name, 0, 0, ""), Path(name))

    monkeypatch.setattr(build, "frozen_run", frozen_run)
    monkeypatch.setattr(Quality, "is_passed", True)


@pytest.fixture
def disent_run(data_dir: Path, tmp_path: Path) -> Command:
    """`disent-run ARGUMENTS` as a user types it, in an empty folder."""

    def call(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        variables = {**os.environ, "DISENT_DATA_DIR": str(data_dir), "COLUMNS": "160", **environment}
        return run_typed("disent-run", arguments, folder=tmp_path, environment=variables)

    return call
