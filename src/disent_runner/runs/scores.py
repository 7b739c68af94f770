"""metrics.json: the numbers of a run, with how each was made."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from disent_runner.machine.files import json_text, parsed_json
from disent_runner.runs import checksums
from disent_runner.runs.identity import setting
from disent_runner.runs.record import has_record, named_record, recorded_facts
from disent_runner.runs.score_rows import Making, Score, parsed_rows, row_of

FILE = "metrics.json"
PARTS = {"all": "", "training": ", training images", "held_out": ", held-out images"}
"""Images that can be evaluated, and what the tables call them after the data set's name."""
SCORE_AGAIN = "score the run again: 'stages=[evaluate]'"
_MOST_BYTES = 2**26


def number(
    run: Path, name: str, *, representation: str = "mean", factors: Sequence[str] | None = None, step: int | None = None
) -> float:
    """*The* number of a run folder by its label: of posterior means (or codes from a file), of the images that its
    config evaluates, of all factors, at the last step that was scored, unless another representation, other factors or
    a step are asked for.

    Raises ValueError where the run has no such number.
    """
    values = numbers(run, representation=representation, factors=factors, step=step)
    if name not in values:
        known = ", ".join(values) or ("none of those" if read_scores(run) else "none, no metric was computed")
        which = f"{representation} codes" + (f" and of {', '.join(factors)}" if factors is not None else "")
        raise ValueError(f"{run} has no number {name} of {which}; it has {known}")
    return values[name]


def numbers(
    run: Path,
    *,
    representation: str = "mean",
    factors: Sequence[str] | None = None,
    step: int | None = None,
    part: str | None = None,
) -> dict[str, float]:
    """All numbers of a run by label, of which `number` is one; `part`: of PARTS, None: that of its config."""
    record = named_record(run) if has_record(run) else {}
    images = _evaluated(record, part)
    rows = [
        score
        for score in read_scores(run)
        if _is_of(score.making, representation) and score.making.dataset == (images or score.making.dataset)
    ]
    everything = tuple(factors) if factors is not None else _all_factors(record, rows)
    rows = [score for score in rows if score.making.factors == everything and score.value is not None]
    chosen = at_last_step(rows) if step is None else [score for score in rows if score.making.step == step]
    return {score.label: score.value for score in chosen if score.value is not None}


def _is_of(making: Making, representation: str) -> bool:
    return making.representation == representation or (representation == "mean" and making.representation == "given")


def _evaluated(record: Mapping[str, Any], part: str | None) -> str | None:
    """What rows call the images of the part, else of that in a run's own config; None for codes from a file."""
    name = setting(record, "run.data_name")
    return None if name is None else name + PARTS.get(part or setting(record, "evaluation.part") or "all", "")


def _all_factors(record: Mapping[str, Any], scores: Iterable[Score]) -> tuple[str, ...]:
    """Those of the data set that the run was trained on; of codes from a file, the most that were scored together."""
    recorded = setting(record, "run.factors")
    if recorded is not None:
        return tuple(recorded)
    return max((score.making.factors for score in scores), key=len, default=())


def at_last_step(scores: Sequence[Score]) -> list[Score]:
    """Those of the largest step among them."""
    last = max((_order(score.making.step) for score in scores), default=0)
    return [score for score in scores if _order(score.making.step) == last]


def _order(step: int | None) -> int:
    return -1 if step is None else step


def headlines(scores: Iterable[Score]) -> dict[str, list[str]]:
    """Metric -> the labels that stand for it: its own name; where it has no such number, those that had better be
    higher or lower; where there are none either, all but those of single factors.
    """
    names: dict[str, dict[str, bool]] = {}
    for score in scores:
        if score.value is not None and score.factor is None:
            labels = names.setdefault(score.making.metric, {})
            labels[score.label] = labels.get(score.label, False) or score.better is not None
    return {
        metric: [metric] if metric in labels else [name for name in labels if labels[name]] or list(labels)
        for metric, labels in names.items()
    }


def read_scores(folder: Path) -> list[Score]:
    """The rows of the folder's metrics.json; none where there is none.

    Rows of earlier versions, whose names have the factor in them, are read as well, and those without factors, which
    are of all that the run has. Raises ValueError for a damaged file, OSError for one that cannot be read.
    """

    @cache
    def factors_of_the_run() -> tuple[str, ...]:
        recorded = recorded_facts(folder).get("factors")
        return tuple(map(str, recorded)) if isinstance(recorded, Mapping) else ()

    try:
        content = checksums.read_file(folder, FILE, most=_MOST_BYTES)
        return list(parsed_rows(parsed_json(content), all_factors=factors_of_the_run))
    except FileNotFoundError:
        return []
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{FILE} is damaged: {error}; {SCORE_AGAIN}") from None


def write_scores(folder: Path, scores: Sequence[Score]) -> None:
    """All rows, in the order of metrics.json."""
    checksums.write_files(folder, {FILE: json_text([row_of(score) for score in scores])})


def set_aside(folder: Path) -> Path:
    """Give a damaged metrics.json another name, under which it is kept. Returns that."""
    aside = folder / f"{FILE}.damaged"
    (folder / FILE).replace(aside)
    return aside


def replaced(scores: Iterable[Score], new: Sequence[Score]) -> list[Score]:
    """The rows with new ones of one metric in place of those of the same metric and subject."""
    making = new[0].making
    return [score for score in scores if not is_about(score.making, making)] + list(new)


def of_labels(scores: Iterable[Score], labels: str | None) -> list[Score]:
    """The rows without those of labels that have been put right since."""
    return [score for score in scores if score.making.labels in (None, labels)]


def is_about(making: Making, other: Making) -> bool:
    """Whether rows so made have one place in the file, though their settings may differ."""
    return making.metric == other.metric and making.subject == other.subject
