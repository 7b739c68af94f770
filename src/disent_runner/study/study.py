"""The study that a recipe is: what it shows, where that was published, and how a sweep of it is judged."""

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from disent_runner.machine.files import json_text
from disent_runner.machine.markdown import markdown_table, markdown_text
from disent_runner.machine.texts import file_stem
from disent_runner.runs import figures
from disent_runner.study.claims import Claim, Missing, Quantity, StudyRun, gain_text, verdict_text
from disent_runner.study.parsing import Names

SCALES = ("paper", "smoke")
CHANGED = "changed"
"""The scale of a recipe beside which something was typed."""
VERDICT = "verdict.json"
Keep = Callable[[str, str | memoryview], None]
"""Writes a file of that name and content into the study's folder."""
_FOR_CLAIMS = ("cases", "quantities")
_NO_NUMBERS = ("setting", "n", "published")
"""What a row of the table has beside its numbers."""
_LETTERS = 16


@dataclass(frozen=True)
class Study:
    """`shows` and `source` say what of which paper; `scale`: paper, or smoke, whose numbers are not the paper's, or
    changed by what was typed, the `changes`.

    `numbers` are the columns of its table, `published` the paper's own text for a row and column, `pictures` the
    figures that are put one above the other, a row for each setting.
    """

    shows: str
    source: str
    scale: str
    claims: Mapping[str, Claim] = field(default_factory=dict)
    numbers: Mapping[str, Quantity] = field(default_factory=dict)
    published: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    pictures: Sequence[str] = ()
    changes: Sequence[str] = ()


def study_from(node: Mapping[str, Any], *, factors: Sequence[str] | None = None) -> Study:
    """From a config, whose `cases` and `quantities` are names for its claims alone; `factors` are those it evaluates.

    Raises ValueError for a mistake in the recipe.
    """
    facts = {key: value for key, value in node.items() if key not in _FOR_CLAIMS}
    known = {field.name for field in fields(Study)}
    if strange := facts.keys() - known:
        keys = ", ".join(sorted({*known, *_FOR_CLAIMS} - {"changes"}))
        raise ValueError(f"study.{min(strange)}: a study has no such key; keys here: {keys}")
    if missing := [key for key in ("shows", "source", "scale") if key not in facts]:
        raise ValueError(f"the study of the recipe has no {', no '.join(missing)}; add study.{missing[0]}")
    for key in ("cases", "quantities", "numbers", "claims", "published"):
        if not isinstance(node.get(key), Mapping | None):
            raise ValueError(f"study.{key} must be a mapping of names, got {node[key]!r}")
    cases = node.get("cases") or {}
    numbers, quantities = (
        {name: Names(cases=cases, factors=factors).quantity(given) for name, given in (node.get(key) or {}).items()}
        for key in ("numbers", "quantities")
    )
    names = Names(numbers | quantities, cases, factors)
    claims = {name: names.claim(given) for name, given in (node.get("claims") or {}).items() if given is not None}
    study = Study(**{**facts, "claims": claims, "numbers": numbers, "published": node.get("published") or {}})
    strange = [name for name in study.pictures if file_stem(name) != name]
    if strange:
        raise ValueError(f"study.pictures must be names of figures, got {strange[0]!r}")
    if study.scale not in SCALES:
        raise ValueError(f"study.scale must be {' or '.join(SCALES)}, got {study.scale!r}")
    return study


def judge(study: Study, runs: Sequence[StudyRun], keep: Keep, *, experiment: str | None) -> dict[str, Any]:
    """Have verdict.json kept, and table.md and pictures where the study has them; return the verdict."""
    claims = {name: claim.verdict(runs) for name, claim in study.claims.items()}
    verdict = {
        "experiment": experiment,
        "shows": study.shows,
        "source": study.source,
        "scale": study.scale,
        "verdict": overall([result["verdict"] for result in claims.values()]),
        "judged_by": "direction" if any(one.get("judged_by") == "direction" for one in claims.values()) else "interval",
        "direction_holds": direction([result["direction_holds"] for result in claims.values()]),
        "claims": claims,
        "runs": [str(run.folder) for run in runs],
    }
    settings = by_setting(runs)
    if study.numbers:
        verdict["table"] = rows = table(study, settings)
        keep("table.md", markdown(study, rows, claims))
    for name in study.pictures:
        paths = {label: figures.picture(seeds[0].folder, f"{name}.png") for label, seeds in settings.items()}
        strips = {label: path for label, path in paths.items() if path.exists()}
        if strips:
            keep(f"{name}.png", stacked(strips))
    keep(VERDICT, json_text(verdict))
    return verdict


def overall(verdicts: Sequence[str]) -> str:
    """Of all claims: against where one is, holds where all do, n/a where there is none or one cannot be judged."""
    if not verdicts:
        return "n/a"
    weights = ("against", "not shown", "cannot be said", "holds")
    worst = min(verdicts, key=weights.index)
    return "n/a" if worst == "cannot be said" else worst


def direction(holds: Sequence[bool | None]) -> bool | str:
    """Whether all claims hold; `n/a` where there is none, or where one cannot be judged and the others hold."""
    if False in holds:
        return False
    return "n/a" if not holds or None in holds else True


def by_setting(runs: Sequence[StudyRun]) -> dict[str, list[StudyRun]]:
    """Runs that differ in the seed alone, by a short label: the values of what the sweep varied."""
    settings: dict[tuple[tuple[str, str], ...], list[StudyRun]] = {}
    for run in runs:
        setting = tuple((key, value) for key, value in run.overrides.items() if key != "seed")
        settings.setdefault(setting, []).append(run)
    told = _telling(list(settings))
    if any(told.isdisjoint(key for key, _ in setting) for setting in settings):
        told.add("model")  # one that says nothing of these keys has a name all the same
    labels = [_label([pair for pair in setting if pair[0] in told]) or "all runs" for setting in settings]
    return dict(zip(labels, settings.values(), strict=True))


def _telling(settings: Sequence[tuple[tuple[str, str], ...]]) -> set[str]:
    """Keys that tell the settings from each other, the model first: each splits what those before it left alike."""
    told: dict[str, None] = {}
    for key in sorted({key: None for setting in settings for key, _ in setting}, key=lambda key: key != "model"):
        if _num_apart(settings, (*told, key)) > _num_apart(settings, told):
            told[key] = None
    return {*told}


def _num_apart(settings: Sequence[tuple[tuple[str, str], ...]], keys: Iterable[str]) -> int:
    return len({tuple(dict(setting).get(key) for key in keys) for setting in settings})


def _label(setting: Sequence[tuple[str, str]]) -> str:
    return " ".join(value if key == "model" else f"{key.removeprefix('model.')}={value}" for key, value in setting)


def table(study: Study, settings: Mapping[str, Sequence[StudyRun]]) -> list[dict[str, Any]]:
    """A row for each setting: of every number its mean and standard deviation over seeds, and what was published."""
    rows = []
    for label, runs in settings.items():
        row: dict[str, Any] = {"setting": label, "n": len({run.seed for run in runs})}
        for name, quantity in study.numbers.items():
            try:
                values = np.array(list(quantity.by_seed(runs).values()))
            except Missing:
                row[name] = None
                continue
            spread = float(values.std(ddof=1)) if len(values) > 1 else None
            row[name] = {"mean": float(values.mean()), "std": spread}
        row["published"] = dict(study.published.get(label, {}))
        rows.append(row)
    return rows


def texts(rows: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """Head and lines of a table, with a column of published numbers beside each number that has one."""
    names = [name for name in dict.fromkeys(name for row in rows for name in row) if name not in _NO_NUMBERS]
    published = [name for name in names if any(name in row["published"] for row in rows)]
    head = ["setting", *(column for name in names for column in (name, *["published"] * (name in published))), "n"]
    lines = []
    for row in rows:
        cells = [str(row["setting"])]
        for name in names:
            cells.append(_cell(row[name]))
            if name in published:
                cells.append(str(row["published"].get(name, "")))
        lines.append([*cells, str(row["n"])])
    return head, lines


def markdown(study: Study, rows: Sequence[Mapping[str, Any]], claims: Mapping[str, Mapping[str, Any]]) -> str:
    """The table as text; below it the claims."""
    head, lines = texts(rows)
    head, *lines = ([markdown_text(cell) for cell in line] for line in (head, *lines))
    text = f"{study.shows} ({study.source}), {study.scale} size\n\n{markdown_table(head, lines)}"
    if not claims:
        return text
    judged = [
        [markdown_text(result["claim"]), verdict_text(result), gain_text(result) if "gain" in result else "–"]
        for result in claims.values()
    ]
    return f"{text}\n{markdown_table(['claim', 'verdict', 'gain [95 %]'], judged)}"


def _cell(number: Mapping[str, float | None] | None) -> str:
    if number is None:
        return "–"
    return f"{number['mean']:.3f}" + ("" if number["std"] is None else f" ± {number['std']:.3f}")


def stacked(pictures: Mapping[str, Path]) -> memoryview:
    """PNG files one above the other, each under its label."""
    opened = {label: Image.open(path).convert("RGB") for label, path in pictures.items()}
    height = sum(picture.height + 2 * _LETTERS for picture in opened.values())
    canvas = Image.new("RGB", (max(picture.width for picture in opened.values()), height), "white")
    pen, font, top = ImageDraw.Draw(canvas), ImageFont.load_default(_LETTERS), 0
    for label, picture in opened.items():
        pen.text((4, top + _LETTERS // 4), label, fill="black", font=font)
        canvas.paste(picture, (0, top + 2 * _LETTERS))
        top += picture.height + 2 * _LETTERS
    buffer = io.BytesIO()
    canvas.save(buffer, format="PNG")
    return buffer.getbuffer()
