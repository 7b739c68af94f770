"""Run folders below some folders, read and checked; what cannot be used is named with its reason."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from disent_runner.report.below import without_parents
from disent_runner.report.run import Omission, Run
from disent_runner.runs.folder import folders_below
from disent_runner.runs.identity import settings_of
from disent_runner.runs.record import read_record
from disent_runner.runs.score_rows import Score
from disent_runner.runs.scores import read_scores
from disent_runner.runs.status import read_status
from disent_runner.sweep.members import members_of

_SECTIONS = ("model", "dataset", "trainer")
_TOLD = ("id", "model_name", "data_name", "data_source", "data_hash", "git_commit")
"""Facts that tables group runs by, or show."""


class _Unscored(ValueError):
    """A run without a number, which may have ended as it should."""

    def __init__(self, reason: str, *, is_done: bool) -> None:
        super().__init__(reason)
        self.is_done = is_done


def read_runs(roots: Sequence[Path]) -> tuple[list[Run], list[Omission]]:
    """The runs below the folders, or of the sweeps that these are, sorted by path, and the folders without one."""
    runs: list[Run] = []
    omissions: list[Omission] = []
    visited: set[tuple[int, int]] = set()
    for root in roots:
        try:
            places = members_of(root) or [root]
        except (OSError, ValueError) as error:
            omissions.append(Omission(root, str(error)))
            continue
        folders = [folder for place in places for folder in folders_below(place, visited)]
        if not folders and _is_new_to(root, runs, omissions):
            omissions.append(Omission(root, "no run folder (one with config.yaml) in it"))
        for folder in folders:
            try:
                runs.append(_read_run(folder))
            except _Unscored as reason:
                omissions.append(Omission(folder, str(reason), is_unscored=reason.is_done))
            except (OSError, ValueError) as error:
                omissions.append(Omission(folder, str(error)))
    omissions = without_parents(omissions, runs)
    return sorted(runs, key=lambda run: run.folder), sorted(omissions, key=lambda omission: omission.folder)


def _is_new_to(root: Path, runs: Sequence[Run], omissions: Sequence[Omission]) -> bool:
    """Whether the folder was not read already as a part of one before it."""
    folders = [entry.folder for entry in (*runs, *omissions)]
    return not any(folder.is_relative_to(root) or root.is_relative_to(folder) for folder in folders)


def _read_run(folder: Path) -> Run:
    """Raises ValueError that says why the folder is left out."""
    config = _read_config(folder)
    facts = config.pop("run", None)
    if not isinstance(facts, dict) or type(config.get("seed")) is not int or abs(config["seed"]) >= 2**53:
        raise ValueError("config.yaml has no `run` or no `seed`: it was not written by disent-run, or is cut off")
    for name, section in (("run.versions", facts.get("versions")), *((key, config.get(key)) for key in _SECTIONS)):
        if not isinstance(section, dict | None):
            raise ValueError(f"config.yaml is damaged: {name} is {str(section)[:80]}")
    for name in _TOLD:
        if not isinstance(facts.get(name), str | None):
            raise ValueError(f"config.yaml is damaged: run.{name} is {str(facts[name])[:80]}")
    settings = settings_of({**config, "run": facts})
    return Run(folder, config, facts, _read_scores(folder), config["seed"], _model(config, facts), settings)


def _model(config: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    """The choice of the group `model`; where that is not known, the module's name."""
    if facts.get("model_name"):
        return str(facts["model_name"])
    target = str((config.get("model") or {}).get("_target_", ""))
    return target.split(".")[-2] if "." in target else target


def _read_config(folder: Path) -> dict[str, Any]:
    try:
        return read_record(folder)
    except FileNotFoundError:
        raise ValueError(f"no config.yaml yet{_status(folder)}") from None
    except OSError as error:
        raise ValueError(f"config.yaml cannot be read: {error.strerror}") from None


def _read_scores(folder: Path) -> list[Score]:
    try:
        scores = read_scores(folder)
    except OSError as error:
        raise ValueError(f"metrics.json cannot be read: {error.strerror}") from None
    if not scores:
        raise _Unscored(f"no metrics yet{_status(folder)}", is_done=read_status(folder).get("state") == "done")
    if all(score.value is None for score in scores):
        raise ValueError(f"no metric has a value{_status(folder)}: {scores[0].making.metric} {scores[0].reason}")
    return scores


def _status(folder: Path) -> str:
    """What the run last said of itself, to stand behind a reason."""
    status = read_status(folder)
    if "state" not in status:
        return ""
    error = f": {status['error']}" if status.get("error") else ""
    return f" ({status['state']} since {status.get('since', 'an unknown time')}{error})"
