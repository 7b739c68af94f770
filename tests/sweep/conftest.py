"""Hydra's own loader, and the master config of a sweep."""

import copy

import pytest
from hydra import initialize_config_dir
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.global_hydra import GlobalHydra
from hydra.core.utils import setup_globals
from hydra.types import RunMode
from omegaconf import DictConfig

from disent_runner.assembly.conf import CONF


@pytest.fixture(scope="session")
def hydra_loader() -> ConfigLoaderImpl:
    with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
        setup_globals()
        return ConfigLoaderImpl(GlobalHydra.instance().config_loader().get_search_path())


@pytest.fixture(scope="session")
def composed_once(hydra_loader: ConfigLoaderImpl) -> DictConfig:
    return hydra_loader.load_configuration("run", ["hydra.job.name=disent-run"], RunMode.MULTIRUN)


@pytest.fixture
def master(composed_once: DictConfig) -> DictConfig:
    return copy.deepcopy(composed_once)
