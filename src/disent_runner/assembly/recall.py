"""An earlier run named by `run=FOLDER`: its own model, data and seed, with what the command asks of it."""

from collections.abc import Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf

from disent_runner.assembly.conf import of_file
from disent_runner.assembly.recorded import recorded_config
from disent_runner.runs.folder import run_folder_of
from disent_runner.runs.record import MADE_FROM

_OF_THE_MACHINE = ("trainer.accelerator", "trainer.data_on_device")


def recalled(config: DictConfig, overrides: Sequence[str]) -> DictConfig:
    """The config of the run that `config.run` names; stages, metrics, figures, loggers and machine are `config`'s.

    Of `overrides`, as typed, those of `evaluation` hold, and dataset.path, where its file was moved. Raises ValueError
    for one that would make it another run, and as `recorded_config` unless `config.trust`.
    """
    recorded = recorded_config(run_folder_of(config.run), trust=config.trust is True)
    result = config.copy()
    OmegaConf.set_struct(result, False)
    for key in MADE_FROM:
        if key in recorded:
            result[key] = recorded[key]
    for key in _OF_THE_MACHINE:
        OmegaConf.update(result, key, OmegaConf.select(config, key))
    for override in overrides:
        key, _, value = override.lstrip("+~").partition("=")
        if key.startswith("evaluation."):
            OmegaConf.update(result, key, _parsed(value))
        elif key == "dataset.path" and "path" in result.dataset:
            result.dataset.path = config.dataset.path
        elif key == "dataset" and config.dataset.card._target_ == recorded.dataset.card._target_:
            continue  # as one types it before dataset.path
        elif key.split(".")[0] in MADE_FROM and key not in _OF_THE_MACHINE:
            raise ValueError(f"{override}: run={config.run} has its own {key.split('.')[0]}; leave it out")
    return with_files_as_they_are(result)


def with_files_as_they_are(config: DictConfig) -> DictConfig:
    """A recorded config with a user's file as it is now: it may have been moved, and its labels put right.

    Whether its images are those that the run was trained on is told when they are read.
    """
    if "path" in config.dataset:
        path = config.dataset.path
        facts = {"path": path, **{part: of_file(part, path, config) for part in ("content", "labels")}}
        for key, value in facts.items():
            config.dataset[key] = config.dataset.card[key] = value
    return config


def _parsed(value: str) -> Any:
    return OmegaConf.from_dotlist([f"value={value}"]).value
