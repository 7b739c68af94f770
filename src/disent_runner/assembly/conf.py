"""Where the config groups lie, and what they need to compose: a loader, resolvers, and a preset of all metrics."""

import os
import re
from pathlib import Path

from hydra._internal import hydra
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf

from disent_runner.assembly.loader import Loader
from disent_runner.runs.folder import run_folder_of
from disent_runner.runs.identity import codes_folder, run_id
from disent_runner.runs.places import may_be_written, place_of

_PACKAGED = Path(__file__).parents[1] / "conf"
CONF = _PACKAGED if _PACKAGED.is_dir() else Path(__file__).parents[3] / "conf"
"""In the wheel inside the package; in a checkout at its top level."""
_KEY = re.compile(r"^(\w+):", re.MULTILINE)


def choices(group: str) -> list[str]:
    """All choices of a group that are one thing each: no preset, which only names others, and no part of others."""
    files = [path for path in (CONF / group).glob("*.yaml") if not path.stem.startswith("_")]
    return sorted(path.stem for path in files if _KEY.findall(path.read_text(encoding="utf-8")) != ["defaults"])


def _place(folder: str, config: DictConfig) -> str:
    """The folder of a job: its own, or that of the run or of the codes that it scores again; of a run in a folder that
    one may only read, or where an output_root is typed beside it, one below that.
    """
    root = Path(config.output_root).resolve()  # a sweep joins it to output_root once more
    if config.run is not None:
        run = run_folder_of(config.run)
        typed = any(override.startswith("output_root=") for override in config.hydra.overrides.task)
        return str(root / place_of(run) if typed or not may_be_written(run) else run)
    if Path(config.representation).suffix:
        return str(root / codes_folder(Path(config.representation), config) / f"seed={config.seed}")
    return folder


def of_file(part: str, path: str | None, config: DictConfig) -> str | None:
    """What a user's file of images is known by: its `content` or its `labels`. None where there is no such file."""
    from disent_runner.datasets.file_contents import contents_of

    return contents_of(path, part, Path(config.get("data_dir") or "data"))


OmegaConf.register_new_resolver("of_file", lambda part, path, *, _root_: of_file(part, path, _root_), replace=True)
setattr(hydra, "ConfigLoaderImpl", Loader)  # noqa: B010 - hydra.main has no argument for one
OmegaConf.register_new_resolver("at_home", os.path.expanduser, replace=True)
OmegaConf.register_new_resolver("run_id", lambda *, _root_: run_id(_root_), replace=True)
OmegaConf.register_new_resolver("place", lambda folder, *, _root_: _place(folder, _root_), replace=True)
# one preset that no file lists, so that adding a metric edits nothing
ConfigStore.instance().store(group="metric", name="all", node={"defaults": choices("metric")})
