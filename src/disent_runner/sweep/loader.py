"""Configs of many runs, composed quickly: the groups once for each choice of them, the values on a copy."""

import copy
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl, get_overrides_dirname
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig


class SweepLoader(ConfigLoaderImpl):
    """Hydra's loader, for runs that differ in values more often than in groups.

    Composing reads some fifty files, a quarter of a second for each run. Hydra applies values last of all anyway, so
    that they can go on a copy of what was composed without them.
    """

    def __init__(self, config_search_path: ConfigSearchPath) -> None:
        super().__init__(config_search_path)
        self.composed: dict[tuple[str, ...], DictConfig] = {}

    def load_sweep_config(self, master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        parsed = OverridesParser.create().parse_overrides(sweep_overrides)
        values = [override for override in parsed if self._is_value(override)]
        choices = [str(override.input_line) for override in parsed if not self._is_value(override)]
        if tuple(choices) not in self.composed:
            self.composed[tuple(choices)] = super().load_sweep_config(master_config, choices)
        config = copy.deepcopy(self.composed[tuple(choices)])
        self._apply_overrides_to_config(values, config)
        config.hydra.overrides.task = list(sweep_overrides)
        names = config.hydra.job.config.override_dirname
        config.hydra.job.override_dirname = get_overrides_dirname(
            parsed, kv_sep=names.kv_sep, item_sep=names.item_sep, exclude_keys=names.exclude_keys
        )
        return config

    def _is_value(self, override: Override) -> bool:
        """False for a choice of a group, and for what might be one of a search path that only composing knows."""
        key = override.key_or_group
        is_plain = "/" not in key and override.package is None and ("." in key or not override.is_add())
        return is_plain and not self.repository.group_exists(key)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "composed": {}}  # a job in another process composes what it needs
