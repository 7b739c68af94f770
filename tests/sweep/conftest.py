"""Hydra's own loader, and the master config of a sweep."""

from collections.abc import Iterator
from typing import Any

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.utils import setup_globals
from hydra.types import RunMode
from omegaconf import DictConfig

from disent_runner.cli import CONF


@pytest.fixture
def hydra_loader() -> Iterator[Any]:
    with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
        setup_globals()
        yield GlobalHydra.instance().config_loader()


@pytest.fixture
def master(hydra_loader: Any) -> DictConfig:
    return hydra_loader.load_configuration("run", ["hydra.job.name=disent-run"], RunMode.MULTIRUN)
