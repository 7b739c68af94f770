"""An earlier run named by `run=FOLDER`: its own model, data and seed, with what the command asks of it."""

from collections.abc import Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf

from disent_runner.runs.folder import run_folder_of
from disent_runner.runs.record import read_config

_ITS_OWN = ("model", "network", "init", "likelihood", "optimizer", "dataset", "trainer", "evaluation", "seed")
_OF_THE_MACHINE = ("trainer.accelerator", "trainer.data_on_device")


def recalled(config: DictConfig, overrides: Sequence[str]) -> DictConfig:
    """The config of the run that `config.run` names; stages, metrics, figures, loggers and machine are `config`'s.

    Of `overrides`, as typed, those of `evaluation` hold. Raises ValueError for one that would make it another run.
    """
    recorded = read_config(run_folder_of(config.run))
    result = config.copy()
    OmegaConf.set_struct(result, False)
    for key in _ITS_OWN:
        result[key] = recorded[key]
    for key in _OF_THE_MACHINE:
        OmegaConf.update(result, key, OmegaConf.select(config, key))
    for override in overrides:
        key, _, value = override.lstrip("+~").partition("=")
        if key.startswith("evaluation."):
            OmegaConf.update(result, key, _parsed(value))
        elif key.split(".")[0] in _ITS_OWN and key not in _OF_THE_MACHINE:
            raise ValueError(f"{override}: run={config.run} has its own {key.split('.')[0]}; leave it out")
    return result


def _parsed(value: str) -> Any:
    return OmegaConf.from_dotlist([f"value={value}"]).value
