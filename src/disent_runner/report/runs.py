"""Run folders below some folders, read and checked; what cannot be used is named with its reason."""

import json
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from sys import intern
from typing import Any

import yaml

from disent_runner.report.report import LeftOut, Run
from disent_runner.report.settings import identity
from disent_runner.status import read_status

_SECTIONS = ("model", "dataset", "trainer")
_NOT_ENTERED = frozenset({"report", "checkpoints", "figures"})
_SIGNS_OF_A_RUN = frozenset({"status.json", ".lock"})
"""What a run leaves in its folder before its config.yaml."""
_SECTION = re.compile(r"^(?=[A-Za-z_]\w*:)", re.MULTILINE)
_TEXTS = ("name", "metric", "dataset", "source", "representation", "version")
_PRESENT = frozenset({"value", "settings", "step", "num_images", "factors", *_TEXTS})


def read_runs(roots: Sequence[Path]) -> tuple[list[Run], list[LeftOut]]:
    """The runs below the folders, sorted by path, and the folders that hold none that can be used."""
    runs: list[Run] = []
    left_out: list[LeftOut] = []
    seen: set[tuple[int, int]] = set()
    shared: dict[str, Any] = {}
    for root in roots:
        found = list(_run_folders(str(root), seen))
        if not found and _is_new_to(root, runs, left_out):
            left_out.append(LeftOut(root, "no run folder (one with config.yaml) in it"))
        for folder in found:
            try:
                runs.append(_read_run(folder, shared))
            except ValueError as error:
                left_out.append(LeftOut(folder, str(error)))
    return sorted(runs, key=lambda run: run.folder), sorted(left_out, key=lambda each: each.folder)


def _is_new_to(root: Path, runs: Sequence[Run], left_out: Sequence[LeftOut]) -> bool:
    """Whether the folder was not read already as a part of one before it."""
    return not any(each.folder.is_relative_to(root) or root.is_relative_to(each.folder) for each in (*runs, *left_out))


def _run_folders(folder: str, seen: set[tuple[int, int]]) -> Iterator[Path]:
    """Folders with config.yaml, or with other signs of a run, each once, whatever links lead there."""
    facts = Path(folder).stat()
    if (facts.st_dev, facts.st_ino) in seen:
        return
    seen.add((facts.st_dev, facts.st_ino))
    try:
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
    except PermissionError:
        yield Path(folder)  # and reading it says why
        return
    names = {entry.name for entry in listed}
    if "config.yaml" in names or names & _SIGNS_OF_A_RUN:
        yield Path(folder)
        return
    for entry in listed:
        if entry.name not in _NOT_ENTERED and not entry.name.startswith(".") and entry.is_dir():
            yield from _run_folders(entry.path, seen)


def _read_run(folder: Path, shared: dict[str, Any]) -> Run:
    """Raises ValueError that says why the folder is left out. `shared`: settings and factors that rows have alike."""
    config = _read_config(folder)
    facts = config.pop("run", None)
    if not isinstance(facts, dict) or type(config.get("seed")) is not int:
        raise ValueError("config.yaml has no `run` or no `seed`: it was not written by disent-run, or is cut off")
    for name, section in (("run.versions", facts.get("versions")), *((key, config.get(key)) for key in _SECTIONS)):
        if not isinstance(section, dict | None):
            raise ValueError(f"config.yaml is damaged: {name} is {section!r}")
    rows = _read_rows(folder)
    for row in rows:
        for key in (*_TEXTS, "libraries"):
            if key in row:
                row[key] = intern(row[key])
        for key, of in (("settings", row["metric"]), ("factors", "")):
            if shared.get(of) == row[key]:
                row[key] = shared[of]
            shared[of] = row[key]
    return Run(folder, config, facts, rows, config["seed"], _model(config, facts), identity(config))


def _model(config: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    """The choice of the group `model`; where that is not known, the module's name."""
    if facts.get("model_name"):
        return str(facts["model_name"])
    target = str((config.get("model") or {}).get("_target_", ""))
    return target.split(".")[-2] if "." in target else target


def _read_config(folder: Path) -> dict[str, Any]:
    try:
        return parse_config((folder / "config.yaml").read_text())
    except FileNotFoundError:
        raise ValueError(f"no config.yaml yet{_status(folder)}") from None
    except OSError as error:
        raise ValueError(f"config.yaml cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"config.yaml is damaged: {error}") from None


def parse_config(text: str) -> dict[str, Any]:
    """What YAML says the text is. Sections that were seen before are not parsed again, and shared: do not change them.

    Raises ValueError for what is no mapping in YAML.
    """
    may_refer = "&" in text or "*" in text  # from one section to another
    sections = [text] if may_refer else _SECTION.split(text)
    return {key: value for section in sections if section.strip() for key, value in _parse(section).items()}


@lru_cache(maxsize=4096)
def _parse(section: str) -> dict[str, Any]:
    try:
        parsed = yaml.load(section, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None
    if not isinstance(parsed, dict):
        raise ValueError(f"expected `key: value`, got {section[:40]!r}")
    return parsed


def _read_rows(folder: Path) -> list[dict[str, Any]]:
    path = folder / "metrics.json"
    try:
        rows = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ValueError(f"no metrics yet{_status(folder)}") from None
    except OSError as error:
        raise ValueError(f"metrics.json cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"metrics.json is damaged ({error}); score the run again: stages=[evaluate]") from None
    if not isinstance(rows, list):
        raise ValueError("metrics.json is damaged: it holds no list of numbers; score the run again: stages=[evaluate]")
    for row in rows:
        problem = _problem(row)
        if problem:
            raise ValueError(f"metrics.json is damaged: {problem}; score the run again: stages=[evaluate]")
    names = [(row["name"], row["metric"], row["step"], row["representation"], *row["factors"]) for row in rows]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"metrics.json is damaged: {twice[0]} is there twice; score the run again: stages=[evaluate]")
    if not any(row["value"] is not None for row in rows):
        raise ValueError(f"no metric has a value{_status(folder)}{_first_reason(rows)}")
    return rows


def _problem(row: Any) -> str | None:
    """Why a row cannot be trusted."""
    if not isinstance(row, dict):
        return f"a row is {row!r}"
    if not row.keys() >= _PRESENT:
        return f"a row lacks {min(_PRESENT - row.keys())}"
    value = row["value"]
    if value is not None and (type(value) not in (float, int) or not math.isfinite(value)):
        return f"{row['name']} is {value!r}"
    if type(row["settings"]) is not dict or type(row["factors"]) is not list:
        return f"{row['name']} has settings or factors that are none"
    if type(row["step"]) not in (int, type(None)) or row.get("better") not in (None, "higher", "lower"):
        return f"{row['name']} has step {row['step']!r} and better {row.get('better')!r}"
    if not {type(row[key]) for key in _TEXTS}.union(map(type, row["factors"])) <= {str}:
        return f"a name in the row of {row['name']!r} is no text"
    return None


def _first_reason(rows: Sequence[Mapping[str, Any]]) -> str:
    reasons = [f": {row['metric']} {row.get('error') or row.get('skipped')}" for row in rows]
    return reasons[0] if reasons else ""


def _status(folder: Path) -> str:
    """What the run last said of itself, to stand behind a reason."""
    status = read_status(folder)
    if "state" not in status:
        return ""
    error = f": {status['error']}" if status.get("error") else ""
    return f" ({status['state']} since {status.get('since', 'an unknown time')}{error})"
