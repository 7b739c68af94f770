"""metrics.csv and metrics.md: the rows of metrics.json, flat, and to read."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from disent_runner.machine.csv_text import csv_text
from disent_runner.machine.markdown import markdown_table, markdown_text
from disent_runner.machine.texts import counted
from disent_runner.runs.checksums import write_files
from disent_runner.runs.score_rows import Making, Score, row_of


def write_tables(folder: Path, scores: Sequence[Score]) -> None:
    """metrics.csv holds all that metrics.json does, flat; metrics.md the numbers to read.

    One that holds just that already is left as it is.
    """
    texts = {"metrics.csv": _csv(scores), "metrics.md": _markdown(scores)}
    other = {name: text for name, text in texts.items() if _text(folder / name) != text}
    if other:
        write_files(folder, other)


def _text(path: Path) -> str | None:
    try:
        return path.read_bytes().decode(errors="replace")
    except FileNotFoundError:
        return None


def _csv(scores: Sequence[Score]) -> str:
    rows = [row_of(score) for score in scores]
    texts = {"settings": settings_text, "factors": ", ".join, "binned": settings_text, "missing": settings_text}
    flat = [{key: texts[key](value) if key in texts else value for key, value in row.items()} for row in rows]
    columns = list(dict.fromkeys(column for row in flat for column in row))
    return csv_text([columns, *([row.get(column) for column in columns] for row in flat)])


def _markdown(scores: Sequence[Score]) -> str:
    """A table for each choice of step, codes and factors; the settings stand beside a metric's first number."""
    sections: dict[str, list[Score]] = {}
    for score in scores:
        sections.setdefault(_heading(score.making), []).append(score)
    return "\n".join(f"## {heading}\n\n{_table(section)}" for heading, section in sections.items())


def _heading(making: Making) -> str:
    factors = [f"{name}{_how_labelled(making, name)}" for name in making.factors]
    return f"{markdown_text(subject_text(making))}\n\nFactors: {markdown_text(', '.join(factors) or 'none')}"


def _how_labelled(making: Making, factor: str) -> str:
    missing = making.missing or {}
    facts = [f"continuous, {making.binned[factor]} bins"] if factor in making.binned else []
    facts += [f"{missing[factor]:,} labels missing"] if factor in missing else []
    return f" ({'; '.join(facts)})" if facts else ""


def _table(scores: Sequence[Score]) -> str:
    rows, metrics = [], set()
    for score in scores:
        is_first = score.making.metric not in metrics
        metrics.add(score.making.metric)
        settings = settings_text(score.making.settings) if is_first else ""
        cells = (score.label, value_text(score), score.unit or "", f"{score.num_images:,}", settings)
        rows.append([markdown_text(text) for text in cells])
    return markdown_table(("number", "value", "unit", "images", "settings"), rows)


def subject_text(making: Making) -> str:
    """What the numbers are of: codes, images, data, step and seed."""
    step = "" if making.step is None else f" after step {making.step:,}"
    codes = f"{making.representation.capitalize()} codes of {counted(making.num_images, 'image')}"
    return f"{codes} of {making.dataset} ({making.source}){step}, seed {making.seed}"


def settings_text(settings: Mapping[str, Any]) -> str:
    return "; ".join(f"{key}={value}" for key, value in settings.items())


def value_text(score: Score) -> str:
    """The value to four digits, or why there is none."""
    if score.value is not None:
        return f"{score.value:.4f}"
    return f"not computed: {score.error}" if score.error else f"skipped: {score.skipped}"
