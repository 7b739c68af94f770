"""Hydra's loader of configs, which takes presets for what they say, and leaves to a sweep's runs what is theirs."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from hydra._internal.config_loader_impl import ConfigLoaderImpl, get_overrides_dirname
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.default_element import GroupDefault
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import ConfigCompositionException, HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, Node, OmegaConf

from disent_runner.assembly.below import Composer, asked_of_below, settle, stands_on_runs
from disent_runner.assembly.checking import check
from disent_runner.assembly.overrides import check_typed
from disent_runner.assembly.presets import check_agreement, commands, is_preset
from disent_runner.assembly.sources import Repository


class Loader(ConfigLoaderImpl):
    """What `disent-run` composes with. What is typed is checked before, and every value of a run after it."""

    composes_runs = True
    """Whether what it loads for RunMode.RUN is whole, and not to be completed."""

    def __init__(self, config_search_path: ConfigSearchPath) -> None:
        super().__init__(config_search_path)
        self.repository: Repository = Repository(config_search_path)
        self.agreed: set[tuple[str, ...]] = set()
        """presets that were found to go together"""
        self.begun: list[tuple[str, ...]] = []
        """runs that are being composed, each below the one before"""
        self.below: dict[tuple[str, ...], DictConfig] = {}
        """those that were, whole or of their choices alone, by what would be typed for them; they are only read"""

    def load_configuration(
        self,
        config_name: str | None,
        overrides: list[str],
        run_mode: RunMode,
        from_shell: bool = True,
        validate_sweep_overrides: bool = True,
    ) -> DictConfig:
        """Hydra's; for a sweep that of its first preset, without the values that its runs alone may have.

        Raises HydraException for presets that do not go together, or make no sweep.
        """
        if from_shell:
            check_typed(parsed(overrides), self._primary(config_name))
        overrides = [*overrides, *self._hydra_choices(overrides)]
        typed = commands(overrides, self.options)
        self._check_agreement(config_name, typed[0])
        if run_mode == RunMode.MULTIRUN:
            config = self._of_sweep(config_name, typed[0])
            say_overrides(config, parsed(overrides))
            if config.hydra.mode is None and _is_grid(config):
                config.hydra.mode = RunMode.MULTIRUN
        else:
            config = self._of_run(config_name, typed[0], from_shell=from_shell)
        if config.hydra.job.chdir:
            raise HydraException(
                "hydra.job.chdir=true: relative paths, such as the data folder's, would be of each run folder; leave "
                "it out, a run's files lie in its folder anyway"
            )
        _expand_home(config)
        choices = config.hydra.runtime.choices
        if len(typed) > 1 and choices["hydra/sweeper"] != "grid":
            raise HydraException(f"hydra/sweeper={choices['hydra/sweeper']} takes one preset at a time")
        if choices.get("sweep") is not None and choices["hydra/sweeper"] == "grid" and not _is_grid(config):
            raise HydraException(f"sweep={choices['sweep']}: its file has neither hydra.sweeper.params nor cases")
        if run_mode == RunMode.RUN and from_shell and validate_sweep_overrides:
            _refuse_sweep(parsed(overrides))
        if validate_sweep_overrides:
            self.validate_sweep_overrides_legal(parsed(overrides), run_mode, from_shell)
        if len(typed) > 1 and run_mode == RunMode.RUN:
            raise HydraException("several presets are several sweeps; add -m")
        if run_mode == RunMode.RUN and self.composes_runs:
            check(config)
        return config

    def _of_run(self, config_name: str | None, overrides: list[str], *, from_shell: bool) -> DictConfig:
        below = asked_of_below(parsed(overrides))
        lines = {one.input_line for one in below}
        others = [line for line in overrides if line not in lines]
        config = super().load_configuration(config_name, others, RunMode.RUN, from_shell, False)
        if not self.composes_runs:
            return config
        searched = [line for line in overrides if line.lstrip("+").startswith("hydra.searchpath=")]

        def plain(choices: Sequence[str]) -> DictConfig:
            lines = ("of choices", *choices)
            if lines not in self.below:
                found = super(Loader, self).load_configuration(
                    config_name, [*searched, *choices], RunMode.RUN, False, False
                )
                self.below[lines] = found
            return self.below[lines]

        def run(lines: Sequence[str]) -> DictConfig:
            return self.load_configuration(config_name, [*searched, *lines], RunMode.RUN, False, False)

        self.settle(config, below, plain=plain, run=run)
        if below:
            say_overrides(config, parsed(overrides))
        return config

    def settle(
        self,
        config: DictConfig,
        asked: Sequence[Override],
        *,
        plain: Callable[[Sequence[str]], DictConfig],
        run: Callable[[Sequence[str]], DictConfig],
    ) -> None:
        """`below.settle`; what is asked of keys of its own, or of runs below where there are none, is the config's."""

        def composed(lines: Sequence[str]) -> DictConfig:
            begun = tuple(lines)
            if begun in self.begun:
                raise HydraException("a circle of runs that stand on each other; choose another model for it")
            self.begun.append(begun)
            try:
                if begun not in self.below:
                    self.below[begun] = run(lines)
                return self.below[begun]
            finally:
                self.begun.pop()

        is_own = [one.key_or_group.partition(".")[0] in config or not stands_on_runs(config) for one in asked]
        self._apply_overrides_to_config([one for one, own in zip(asked, is_own, strict=True) if own], config)
        settle(
            config,
            [one for one, own in zip(asked, is_own, strict=True) if not own],
            Composer(composed, plain, self.repository.main),
        )

    def _primary(self, config_name: str | None) -> str:
        files = [folder.file(config_name or "") for folder in self.repository.folders]
        return next((file.read_text(encoding="utf-8") for file in files if file.is_file()), "defaults: []")

    def _hydra_choices(self, overrides: Sequence[str]) -> list[str]:
        """Choices of Hydra's own groups that a preset makes, such as a search; run.yaml's would win over them."""
        typed = {one.key_or_group for one in parsed(overrides)}
        chosen: dict[str, str] = {}
        for preset in presets_among(commands(overrides, self.options)[0]):
            found = self.repository.load_config(preset.lstrip("+").replace("=", "/", 1))
            for default in (found and found.defaults_list) or ():
                if isinstance(default, GroupDefault) and default.override and default.group is not None:
                    chosen[default.group.lstrip("/")] = str(default.value)
        return [f"{key}={value}" for key, value in chosen.items() if key.startswith("hydra/") and key not in typed]

    def _of_sweep(self, config_name: str | None, overrides: list[str]) -> DictConfig:
        """Values that cannot be applied before each run has its own model, data set, … are for the runs to refuse."""
        values = [one for one in parsed(overrides) if self.is_value(one) and not one.is_hydra_override()]
        lines = {one.input_line for one in values}
        others = [line for line in overrides if line not in lines]
        config = super().load_configuration(config_name, others, RunMode.MULTIRUN, validate_sweep_overrides=False)
        for value in values:
            if not value.is_sweep_override():
                with suppress(ConfigCompositionException):
                    self._apply_overrides_to_config([value], config)
        return config

    def _check_agreement(self, config_name: str | None, overrides: list[str]) -> None:
        presets = presets_among(overrides)
        if len(presets) < 2 or presets in self.agreed:
            return
        others = [line for line in overrides if line not in presets]
        check_agreement(
            {preset: self._of_sweep(config_name, [*others, preset]) for preset in presets},
            self._of_sweep(config_name, others),
            typed=[one.key_or_group for one in parsed(others)],
        )
        self.agreed.add(presets)

    def is_value(self, override: Override) -> bool:
        """False for a choice of a group, and for what might be one of a search path that only composing knows."""
        key = override.key_or_group
        is_plain = "/" not in key and override.package is None and ("." in key or not override.is_add())
        return is_plain and not self.repository.group_exists(key)

    def get_group_options(
        self,
        group_name: str,
        results_filter: ObjectType | None = ObjectType.CONFIG,
        config_name: str | None = None,
        overrides: list[str] | None = None,
    ) -> list[str]:
        """What completion offers: recipes lie in folders of a group, and parts of others are none of its choices."""
        if results_filter == ObjectType.CONFIG and group_name and not group_name.startswith("hydra"):
            return self.options(group_name)
        return super().get_group_options(group_name, results_filter, config_name, overrides)

    def options(self, group: str) -> list[str]:
        """All choices of a group, those in folders of its own too; no parts of others."""
        roots = [Path(folder.path, group) for folder in self.repository.folders]
        files = {path.relative_to(root).with_suffix("").as_posix() for root in roots for path in root.rglob("*.yaml")}
        names = files.union(self.repository.get_group_options(group))
        return sorted(name for name in names if not name.rpartition("/")[2].startswith("_"))


def _expand_home(node: DictConfig) -> None:
    """`~/…` in files is the home folder, as it is on the command line."""
    for key in map(str, node):
        if key == "hydra" or OmegaConf.is_missing(node, key) or OmegaConf.is_interpolation(node, key):
            continue
        value = node._get_node(key)
        if isinstance(value, DictConfig) and not value._is_none():
            _expand_home(value)
        elif isinstance(value, Node) and isinstance(value._value(), str) and value._value().startswith("~/"):
            value._set_value(str(Path(value._value()).expanduser()))


def _refuse_sweep(overrides: Sequence[Override]) -> None:
    for override in overrides:
        if override.is_sweep_override() and not override.is_hydra_override():
            key, value = override.get_key_element(), str(override.input_line).partition("=")[2]
            raise HydraException(
                f"{override.input_line}: several values are a sweep, which needs -m; a list is '{key}=[{value}]', "
                f"and one text with commas '{key}=\"{value}\"'"
            )


def presets_among(overrides: Sequence[str]) -> tuple[str, ...]:
    return tuple(str(one.input_line) for one in parsed(overrides) if is_preset(one) and one.value() is not None)


def parsed(overrides: Sequence[str]) -> list[Override]:
    return OverridesParser.create().parse_overrides(list(overrides))


def say_overrides(config: DictConfig, overrides: Sequence[Override]) -> None:
    """Record in the config what it is of, as Hydra does."""
    task = [override for override in overrides if not override.is_hydra_override()]
    config.hydra.overrides.task = [override.input_line for override in task]
    names = config.hydra.job.config.override_dirname
    config.hydra.job.override_dirname = get_overrides_dirname(
        task, kv_sep=names.kv_sep, item_sep=names.item_sep, exclude_keys=names.exclude_keys
    )


def _is_grid(config: DictConfig) -> bool:
    sweeper = config.hydra.sweeper
    return bool(sweeper.get("params") or sweeper.get("cases"))
