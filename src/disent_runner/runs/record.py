"""config.yaml: the resolved config of a run, and how the run came about; held_out.npy: what it did not see."""

import io
import re
import subprocess
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from omegaconf import DictConfig, OmegaConf

from disent_runner.machine.files import write_whole
from disent_runner.runs.identity import run_id

if TYPE_CHECKING:
    from disent_runner.datasets.data_module import DataModule
    from disent_runner.datasets.info import DatasetInfo

_FILE = "config.yaml"
_VERSIONS = ("disent-runner", "torch", "pytorch-lightning", "hydra-core", "numpy", "scikit-learn", "h5py")
_SECTION = re.compile(r"^(?=[A-Za-z_]\w*:)", re.MULTILINE)


def record_start(config: DictConfig, folder: Path, datamodule: "DataModule", *, model_name: str | None = None) -> None:
    """Write config.yaml. Raises ValueError when the folder's run was trained on other data of the same name."""
    dataset, info = datamodule.dataset, datamodule.dataset.info
    before = recorded_facts(folder)
    if before and before["data_hash"] != dataset.content_hash:
        raise ValueError(
            f"{folder} was made from {before['data_source']} {info.name} with hash "
            f"{before['data_hash'][:12]}…, the data now is {info.source} with {dataset.content_hash[:12]}…; "
            f"set dataset.source={before['data_source']}, or another output_root"
        )
    if config.run is not None:
        return  # the run was recorded when it was made
    facts = {
        "id": run_id(config),
        "folder": str(folder),
        "model_name": model_name,
        "data_source": info.source,
        "data_hash": dataset.content_hash,
        "data_name": info.name,
        "image_shape": list(info.image_shape),
        "factors": dict(info.factors),
        "periods": dict(info.periods),
        "num_images": info.num_images,
        "versions": _versions(),
        "git_commit": git_commit(),
    }
    if datamodule.held_out.any():
        facts["num_held_out"] = int(datamodule.held_out.sum())
        _write_held_out(folder, datamodule)
    _write(folder, config, facts)


def record_scoring(config: DictConfig, folder: Path, source: Path) -> None:
    """Write config.yaml of codes from a file, without a model of ours."""
    kept = {key: config[key] for key in ("seed", "stages", "metric", "representation", "factors")}
    facts = {"folder": str(folder), "data_source": str(source.resolve()), "versions": _versions()}
    _write(folder, OmegaConf.create(kept), facts)


def recorded_facts(folder: Path) -> dict[str, Any]:
    """What an earlier start wrote of the folder's run; empty when there was none."""
    return dict(read_record(folder)["run"]) if has_record(folder) else {}


def has_record(folder: Path) -> bool:
    return (folder / _FILE).exists()


def read_config(folder: Path) -> DictConfig:
    """The folder's config.yaml, its part `run` included."""
    return OmegaConf.create(read_record(folder))


def read_record(folder: Path) -> dict[str, Any]:
    """The same in plain mappings, parts of which are shared with other runs' that have them alike: do not change them.

    Raises OSError where it cannot be read, ValueError where it is no mapping in YAML.
    """
    return parsed((folder / _FILE).read_text())


def record_text(folder: Path) -> str:
    """config.yaml as it is; empty where it went away since it was read."""
    try:
        return (folder / _FILE).read_text(errors="replace")
    except OSError:
        return ""


def trained_info(facts: Mapping[str, Any]) -> "DatasetInfo":
    """What a model was told of the images that it was trained on, from the part `run` of config.yaml."""
    from disent_runner.datasets.info import DatasetInfo

    return DatasetInfo(
        name=facts["data_name"],
        image_shape=tuple(facts["image_shape"]),
        factors=dict(facts["factors"]),
        num_images=facts["num_images"] - facts.get("num_held_out", 0),
        source=facts["data_source"],
        periods=dict(facts["periods"]),
    )


def parsed(text: str) -> dict[str, Any]:
    """What YAML says the text is. Sections that were seen before are not parsed again, and shared: do not change them.

    Raises ValueError for what is no mapping in YAML.
    """
    may_refer = "&" in text or "*" in text  # from one section to another
    sections = [text] if may_refer else _SECTION.split(text)
    return {key: value for section in sections if section.strip() for key, value in _parse(section).items()}


@lru_cache(maxsize=4096)
def _parse(section: str) -> dict[str, Any]:
    try:
        content = yaml.load(section, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None
    if not isinstance(content, dict):
        raise ValueError(f"expected `key: value`, got {section[:40]!r}")
    return content


def _write(folder: Path, config: DictConfig, facts: Mapping[str, Any]) -> None:
    resolved: Any = OmegaConf.to_container(config, resolve=True)
    write_whole(folder / _FILE, OmegaConf.to_yaml(OmegaConf.create({**resolved, "run": dict(facts)})))


def _write_held_out(folder: Path, datamodule: "DataModule") -> None:
    import numpy as np

    content = io.BytesIO()
    np.save(content, np.flatnonzero(datamodule.held_out))
    write_whole(folder / "held_out.npy", content.getbuffer())


@cache
def _versions() -> dict[str, str]:
    return {name: version(name) for name in _VERSIONS}


@cache  # of the code that is loaded, whatever becomes of the files while a sweep goes on
def git_commit() -> str | None:
    """The commit of the working directory's repository, marked when it has changes; None outside of one."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return described.stdout.strip()
