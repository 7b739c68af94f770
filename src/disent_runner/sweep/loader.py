"""Configs of many runs, composed quickly: the groups once for each choice of them, the values on a copy."""

import copy
import pickle
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict

from disent_runner.assembly.below import asked_of_below
from disent_runner.assembly.checking import check
from disent_runner.assembly.loader import Loader, parsed, presets_among, say_overrides

SWEEP = "DISENT_SWEEP"
"""Environment of a sweep's runs: which sweep they are of."""


class SweepLoader(Loader):
    """The loader, for runs that differ in values more often than in groups.

    Composing reads some fifty files, a quarter of a second for each run. Hydra applies values last of all anyway, so
    that they can go on a copy of what was composed without them.
    """

    composes_runs = False

    def __init__(self, config_search_path: ConfigSearchPath) -> None:
        super().__init__(config_search_path)
        self.composed: dict[tuple[str, ...], Callable[[], DictConfig]] = {}
        self.sweep: str | None = None
        """the id that runs are told, wherever they are"""

    def load_sweep_config(self, master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        overrides = parsed(sweep_overrides)
        config = self._of_choices(master_config, self.choices(overrides))
        if _plain(config.hydra.sweeper) != _plain(master_config.hydra.sweeper) and _sweeps(config.hydra.sweeper):
            chosen = " ".join(self.choices(overrides))
            raise HydraException(f"{chosen}: what to sweep over is for sweep=… and +experiment=… to say")
        values = [override for override in overrides if self.is_value(override)]
        below = asked_of_below(values)
        self._apply_overrides_to_config([value for value in values if value not in below], config)
        self.settle(
            config,
            below,
            plain=lambda lines: self._of_choices(master_config, lines),
            run=lambda lines: self.load_sweep_config(master_config, list(lines)),
        )
        say_overrides(config, overrides)
        check(config)
        if self.sweep is not None:
            with open_dict(config.hydra.job.env_set):
                config.hydra.job.env_set[SWEEP] = self.sweep
        return config

    def _of_choices(self, master_config: DictConfig, choices: Sequence[str]) -> DictConfig:
        key = tuple(choices)
        if key not in self.composed:
            self.agreed.add(presets_among(key))  # or there would be no sweep by now
            self.composed[key] = _copier(super().load_sweep_config(master_config, list(key)))
        return self.composed[key]()

    def choices(self, overrides: Sequence[Override]) -> tuple[str, ...]:
        """Those of the overrides that choose from a group."""
        return tuple(str(override.input_line) for override in overrides if not self.is_value(override))

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "composed": {}, "below": {}}  # a job in another process composes what it needs


def _copier(config: DictConfig) -> Callable[[], DictConfig]:
    """Makes copies of the config, as a rule in a fifth of the time of deep ones."""
    try:
        content = pickle.dumps(config)
    except pickle.PicklingError:  # a plugin's schema, in a process that has loaded its module twice
        return partial(copy.deepcopy, config)
    return partial(pickle.loads, content)


def _sweeps(sweeper: DictConfig) -> bool:
    """Whether it varies something. A run that others stand on is composed without their recipe, and varies nothing."""
    return any(sweeper.get(key) for key in ("params", "cases", "zip"))


def _plain(node: DictConfig) -> Any:
    return OmegaConf.to_container(node)
