"""config.yaml: the resolved config of a run, and how the run came about; held_out.npy: what it did not see."""

import io
import logging
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.resolvers import oc

from disent_runner.machine.files import path_text, read_whole
from disent_runner.machine.plain_yaml import parsed
from disent_runner.runs.checksums import changed_bytes, read_file, write_files
from disent_runner.runs.earlier import as_now
from disent_runner.runs.identity import NAMED, codes_id, run_id

if TYPE_CHECKING:
    import numpy as np

    from disent_runner.datasets.data_module import DataModule
    from disent_runner.datasets.info import DatasetInfo

log = logging.getLogger(__name__)

FILE, _HELD_OUT = "config.yaml", "held_out.npy"
FILES = (_HELD_OUT, FILE)
_VERSIONS = ("disent-runner", "torch", "pytorch-lightning", "hydra-core", "numpy", "scikit-learn", "h5py")
MADE_FROM = (
    *("model", "network", "init", "likelihood", "optimizer", "schedule", "dataset", "trainer", "evaluation"),
    "seed",
)
"""What a recorded run is made again from, and so what stands in its config.yaml as it was used."""
_ELSEWHERE = frozenset({"data_dir"})
"""Likewise, so that a notebook finds the images."""
_MOST_BYTES = 2**24


def record_start(
    config: DictConfig,
    folder: Path,
    datamodule: "DataModule",
    *,
    model_name: str | None = None,
    parents: Mapping[str, Any] | None = None,
) -> None:
    """Write config.yaml, and what training does not see; `parents` are the runs that it stands on."""
    dataset, info = datamodule.dataset, datamodule.dataset.info
    before = recorded_facts(folder)
    facts = {
        "id": run_id(config),
        "folder": path_text(folder),
        "model_name": model_name,
        "data_source": info.source,
        "data_hash": dataset.content_hash,
        "labels_hash": dataset.labels_hash,
        "data_name": before.get("data_name", info.name),  # a copy of the file may be called otherwise
        "image_shape": list(info.image_shape),
        "factors": dict(info.factors),
        "periods": dict(info.periods),
        "value_names": {name: list(names) for name, names in info.value_names.items()},
        "num_images": info.num_images,
        "versions": _versions(),
        "git_commit": git_commit(),
    }
    if parents:
        facts["parents"] = dict(parents)
    if datamodule.held_out.any():
        facts["num_held_out"] = int(datamodule.held_out.sum())
        _write(folder, config, facts, {_HELD_OUT: _held_out(datamodule)})
    else:
        _write(folder, config, facts)


def record_scoring(config: DictConfig, folder: Path, source: Path) -> None:
    """Write config.yaml of codes from a file, without a model of ours."""
    keys = ("seed", "stages", "metric", "representation", "factors", *(key for key in NAMED if config.get(key)))
    kept = {key: config[key] for key in keys}
    facts = {
        "id": codes_id(source, config),
        "folder": path_text(folder),
        "data_source": path_text(source.resolve()),
        "versions": _versions(),
    }
    _write(folder, OmegaConf.create(kept), facts)


def recorded_facts(folder: Path) -> dict[str, Any]:
    """What an earlier start wrote of the folder's run; empty when there was none, or nothing that can be read."""
    if not has_record(folder):
        return {}
    try:
        facts = record_as_it_is(folder).get("run")
    except ValueError as error:
        log.warning("%s is damaged (%s) and written anew", folder / FILE, error)
        return {}
    return dict(facts) if isinstance(facts, dict) else {}


def held_out_images(folder: Path) -> "np.ndarray | None":
    """Indices of the images that training left out; None where it left out none. ValueError for a damaged file."""
    import numpy as np

    path = folder / _HELD_OUT
    try:
        return np.load(io.BytesIO(read_file(folder, _HELD_OUT)), allow_pickle=False)
    except FileNotFoundError:
        return None
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path} is damaged ({error}); delete it and run the command again") from None


def has_record(folder: Path) -> bool:
    return (folder / FILE).exists()


def named_record(folder: Path) -> dict[str, Any]:
    """As `read_record`, for those who say nothing of the folder: the ValueError names the file and the fix."""
    try:
        return read_record(folder)
    except ValueError as error:
        raise ValueError(f"{folder}: {error}; type the command that made the run, which writes it anew") from None


def read_record(folder: Path) -> dict[str, Any]:
    """The same in plain mappings, parts of which are shared with other runs' that have them alike: do not change them.

    Raises OSError where it cannot be read, ValueError where it is no mapping in YAML, or where bytes of it changed.
    """
    try:
        text = read_whole(folder / FILE, most=_MOST_BYTES)
        if changed_bytes(folder, FILE, text):
            raise ValueError("bytes of it have changed since it was written")
        return as_now(parsed(text.decode()))
    except ValueError as error:
        raise ValueError(f"{FILE} is damaged: {error}") from None


def record_as_it_is(folder: Path) -> dict[str, Any]:
    """The same for the command that made the run and is about to write it anew, whatever bytes of it have changed."""
    return as_now(parsed(read_whole(folder / FILE, most=_MOST_BYTES).decode()))


def record_text(folder: Path) -> str:
    """config.yaml as it is; empty where it went away since it was read."""
    try:
        return read_whole(folder / FILE, most=_MOST_BYTES).decode(errors="replace")
    except (OSError, ValueError):
        return ""


def recordable(config: DictConfig) -> dict[str, Any]:
    """The config in plain mappings, resolved; but what came from the environment stays the text that asked for it.

    That may be a secret. Only what the run is made from (`MADE_FROM`) is there as it was used.
    """
    used: Any = OmegaConf.to_container(config, resolve=True)
    with _environment_as_text():
        told: Any = OmegaConf.to_container(config, resolve=True)
    return {key: used[key] if key in _ELSEWHERE or key in MADE_FROM else told[key] for key in used}


@contextmanager
def _environment_as_text() -> Iterator[None]:
    """`${oc.env:NAME}` is itself meanwhile, also within other values and by way of other keys."""

    def as_text(*arguments: Any) -> str:
        return f"${{oc.env:{','.join(map(str, arguments))}}}"

    OmegaConf.register_new_resolver("oc.env", as_text, replace=True)
    try:
        yield
    finally:
        OmegaConf.register_new_resolver("oc.env", oc.env, replace=True)


def trained_info(facts: Mapping[str, Any]) -> "DatasetInfo":
    """What a model was told of the images that it was trained on, from the part `run` of config.yaml."""
    from disent_runner.datasets.info import DatasetInfo

    return DatasetInfo(
        name=facts["data_name"],
        image_shape=tuple(facts["image_shape"]),
        factors=dict(facts["factors"]),
        num_images=facts["num_images"] - facts.get("num_held_out", 0),
        source=facts["data_source"],
        periods=dict(facts.get("periods") or {}),
        value_names={name: tuple(names) for name, names in dict(facts.get("value_names") or {}).items()},
    )


def _write(
    folder: Path, config: DictConfig, facts: Mapping[str, Any], beside: Mapping[str, memoryview] | None = None
) -> None:
    text = OmegaConf.to_yaml(OmegaConf.create({**recordable(config), "run": dict(facts)}))
    write_files(folder, {**(beside or {}), FILE: text})


def _held_out(datamodule: "DataModule") -> memoryview:
    import numpy as np

    content = io.BytesIO()
    np.save(content, np.flatnonzero(datamodule.held_out))
    return content.getbuffer()


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
