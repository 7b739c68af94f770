"""config.yaml: the resolved config of a run, and how the run came about; held_out.npy: what it did not see."""

import io
import logging
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.resolvers import oc

from disent_runner.machine.files import path_text, read_whole
from disent_runner.runs.checksums import changed_bytes, read_file, write_files
from disent_runner.runs.identity import NAMED, codes_id, owner_of, run_id, setting

if TYPE_CHECKING:
    import numpy as np

    from disent_runner.datasets.data_module import DataModule
    from disent_runner.datasets.info import DatasetInfo

log = logging.getLogger(__name__)

_FILE, _HELD_OUT = "config.yaml", "held_out.npy"
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN = (str, int, float, type(None))
_VERSIONS = ("disent-runner", "torch", "pytorch-lightning", "hydra-core", "numpy", "scikit-learn", "h5py")
MADE_FROM = (
    *("model", "network", "init", "likelihood", "optimizer", "schedule", "dataset", "trainer", "evaluation"),
    "seed",
)
"""What a recorded run is made again from, and so what stands in its config.yaml as it was used."""
_ELSEWHERE = frozenset({"data_dir"})
"""Likewise, so that a notebook finds the images."""
_MOST_BYTES, _MOST_LEVELS = 2**24, 40
_TOO_LARGE = 2**64
_SHALLOW = 4096
"""Characters in which lists cannot lie so deep in each other that the parser, which is in C, would crash."""
_SECTION = re.compile(r"^(?=[A-Za-z_]\w*:)", re.MULTILINE)


def check_owner(config: DictConfig, folder: Path) -> None:
    """ValueError where the folder holds the work of other settings: the id that is recorded in it decides."""
    if config.run is not None:
        return
    is_in_its_place = f"{folder.parent.name} {folder.name}" == owner_of(config)  # where its settings put it
    if not has_record(folder):
        if (folder / "checkpoints").is_dir() and not is_in_its_place:
            raise ValueError(f"{folder} has checkpoints, but no {_FILE} that says of which run; choose another folder")
        return
    try:  # whatever else has changed in it: it is about to be written anew
        record, new = parsed((folder / _FILE).read_text(encoding="utf-8")), owner_of(config)
    except ValueError as error:
        if is_in_its_place:
            return
        raise ValueError(f"{folder / _FILE} is damaged: {error}; choose another folder") from None
    before, is_codes = setting(record, "run.id"), Path(config.representation).suffix
    if not (is_in_its_place or isinstance(record.get("run"), Mapping)):
        raise ValueError(f"{folder} has a {_FILE} that is of no run; choose another folder")
    if before is None and setting(record, "run.data_hash") is None and (is_in_its_place or is_codes):
        return  # codes from a file, as an earlier version recorded them, whose folder is named by their content
    owner = f"{before} seed={setting(record, 'seed')}"
    if owner != new:
        raise ValueError(
            f"{folder} holds the run {owner}, other than {new}; choose another folder, or leave hydra.run.dir and "
            f"hydra.sweep out: each run then has its own"
        )


def record_start(
    config: DictConfig,
    folder: Path,
    datamodule: "DataModule",
    *,
    model_name: str | None = None,
    learns_from_labels: bool = False,
) -> None:
    """Write config.yaml. Raises ValueError where the folder's run was trained on other data."""
    dataset, info = datamodule.dataset, datamodule.dataset.info
    before = recorded_facts(folder)
    if before:
        _check_data(folder, before, datamodule, learns_from_labels=learns_from_labels)
    if config.run is not None:
        if "data_name" not in before:
            raise ValueError(f"{folder}: the part `run` of config.yaml is missing or damaged")
        return  # the run was recorded when it was made
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
        "num_images": info.num_images,
        "versions": _versions(),
        "git_commit": git_commit(),
    }
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


def _check_data(folder: Path, before: Mapping[str, Any], datamodule: "DataModule", *, learns_from_labels: bool) -> None:
    import numpy as np

    dataset, info = datamodule.dataset, datamodule.dataset.info
    if before.get("data_hash") != dataset.content_hash:
        source = before.get("data_source")
        fix = "name the file of the same images, dataset.path=…" if source == "file" else f"set dataset.source={source}"
        raise ValueError(
            f"{folder} was made from {source} {before.get('data_name', info.name)} with hash "
            f"{str(before.get('data_hash'))[:12]}…, the data now is {info.source} {info.name} with "
            f"{dataset.content_hash[:12]}…; {fix}, or another output_root"
        )
    if learns_from_labels and before.get("labels_hash", dataset.labels_hash) != dataset.labels_hash:
        raise ValueError(
            f"{folder}: its model learns from labels, and those of {info.name} have changed since it was trained; "
            f"choose another output_root to train it anew"
        )
    held_out = held_out_images(folder)
    if held_out is not None and not np.array_equal(held_out, np.flatnonzero(datamodule.held_out)):
        raise ValueError(
            f"{folder}: the labels of {info.name} now hold out other images than those that training left out; "
            f"choose another output_root to train anew"
        )


def recorded_facts(folder: Path) -> dict[str, Any]:
    """What an earlier start wrote of the folder's run; empty when there was none, or nothing that can be read."""
    if not has_record(folder):
        return {}
    try:  # whatever else has changed in it: the command that made the run is about to write it anew
        facts = parsed((folder / _FILE).read_text(encoding="utf-8")).get("run")
    except ValueError as error:
        log.warning("%s is damaged (%s) and written anew", folder / _FILE, error)
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
    return (folder / _FILE).exists()


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
        text = read_whole(folder / _FILE, most=_MOST_BYTES)
        if changed_bytes(folder, _FILE, text):
            raise ValueError("bytes of it have changed since it was written")
        return parsed(text.decode())
    except ValueError as error:
        raise ValueError(f"{_FILE} is damaged: {error}") from None


def record_text(folder: Path) -> str:
    """config.yaml as it is; empty where it went away since it was read."""
    try:
        return read_whole(folder / _FILE, most=_MOST_BYTES).decode(errors="replace")
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
    )


def parsed(text: str) -> dict[str, Any]:
    """What YAML says the text is. Sections that were seen before are not parsed again, and shared: do not change them.

    Raises ValueError for what is no mapping of plain values in YAML, or refers to itself: a few lines may then stand
    for more than fits into memory.
    """
    sections = _SECTION.split(text)
    return {key: value for section in sections if section.strip() for key, value in _parse(section).items()}


@lru_cache(maxsize=4096)
def _parse(section: str) -> dict[str, Any]:
    try:
        if "*" in section or len(section) > _SHALLOW:
            _check_events(section)
        content = yaml.load(section, _LOADER)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None
    if not isinstance(content, dict):
        raise ValueError(f"expected `key: value`, got {section[:40]!r}")
    _check_plain(content)
    return content


def _check_events(section: str) -> None:
    levels = 0
    for event in yaml.parse(section, _LOADER):
        levels += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent):
            raise ValueError(f"it refers to itself (*{event.anchor})")
        if levels > _MOST_LEVELS:
            raise ValueError(f"it has more than {_MOST_LEVELS} levels")


def _check_plain(content: Any) -> None:
    left = [(content, 0)]
    while left:
        value, level = left.pop()
        if level > _MOST_LEVELS:
            raise ValueError(f"it has more than {_MOST_LEVELS} levels")
        if isinstance(value, dict):
            left += [(key, level) for key in value] + [(item, level + 1) for item in value.values()]
        elif isinstance(value, list):
            left += [(item, level + 1) for item in value]
        elif not isinstance(value, _PLAIN) or (isinstance(value, int) and abs(value) >= _TOO_LARGE):
            raise ValueError(f"it holds a {type(value).__name__} that is no plain value")


def _write(
    folder: Path, config: DictConfig, facts: Mapping[str, Any], beside: Mapping[str, memoryview] | None = None
) -> None:
    text = OmegaConf.to_yaml(OmegaConf.create({**recordable(config), "run": dict(facts)}))
    write_files(folder, {**(beside or {}), _FILE: text})


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
