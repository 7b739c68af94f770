"""The study that a recipe is: what it shows, where that was published, and how a sweep of it is judged."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from disent_runner.run_folder import write_json, write_whole
from disent_runner.study.claims import Claim, Missing, Quantity, StudyRun, claim, quantity

SCALES = ("paper", "smoke")
_LETTERS = 16


@dataclass(frozen=True)
class Study:
    """`shows` and `source` say what of which paper; `scale`: paper, or smoke, whose numbers are not the paper's.

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


def study(node: Mapping[str, Any]) -> Study:
    """From a config. Raises ValueError for what is none, which is a mistake in the recipe."""
    claims = {name: claim(each) for name, each in (node.get("claims") or {}).items() if each is not None}
    numbers = {name: quantity(each) for name, each in (node.get("numbers") or {}).items()}
    try:
        made = Study(**{**node, "claims": claims, "numbers": numbers, "published": node.get("published") or {}})
    except TypeError as error:
        raise ValueError(f"the study of the recipe is no study: {error}") from None
    if made.scale not in SCALES:
        raise ValueError(f"study.scale must be {' or '.join(SCALES)}, got {made.scale!r}")
    return made


def judge(made: Study, runs: Sequence[StudyRun], folder: Path, *, experiment: str | None) -> dict[str, Any]:
    """Write verdict.json, and table.md and pictures where the study has them; return the verdict."""
    claims = {name: each.verdict(runs) for name, each in made.claims.items()}
    verdict = {
        "experiment": experiment,
        "shows": made.shows,
        "source": made.source,
        "scale": made.scale,
        "direction_holds": direction([each["holds"] for each in claims.values()]),
        "claims": claims,
        "runs": [str(run.folder) for run in runs],
    }
    settings = by_setting(runs)
    if made.numbers:
        verdict["table"] = rows = table(made, settings)
        write_whole(folder / "table.md", markdown(made, rows))
    for name in made.pictures:
        strips = {label: own[0].folder / "figures" / f"{name}.png" for label, own in settings.items()}
        there = {label: path for label, path in strips.items() if path.exists()}
        if there:
            write_whole(folder / f"{name}.png", stacked(there))
    write_json(folder / "verdict.json", verdict)
    return verdict


def direction(holds: Sequence[bool | None]) -> bool | str:
    """Whether all claims hold; `n/a` where there is none, or where one cannot be judged and the others hold."""
    if False in holds:
        return False
    return "n/a" if not holds or None in holds else True


def by_setting(runs: Sequence[StudyRun]) -> dict[str, list[StudyRun]]:
    """Runs that differ in the seed alone, by a short label: the values of what the sweep varied."""
    settings: dict[tuple[tuple[str, str], ...], list[StudyRun]] = {}
    for run in runs:
        own = tuple((key, value) for key, value in run.overrides.items() if key != "seed")
        settings.setdefault(own, []).append(run)
    values = {key: {dict(own).get(key) for own in settings} - {None} for own in settings for key, _ in own}
    labels = [_label([(key, value) for key, value in own if len(values[key]) > 1]) for own in settings]
    if labels == [""]:
        labels = [next(iter(values.get("model", ())), None) or "all runs"]
    if len(set(labels)) < len(labels):
        labels = [_label(own) for own in settings]
    return dict(zip(labels, settings.values(), strict=True))


def _label(setting: Sequence[tuple[str, str]]) -> str:
    return " ".join(value if key == "model" else f"{key.removeprefix('model.')}={value}" for key, value in setting)


def table(made: Study, settings: Mapping[str, Sequence[StudyRun]]) -> list[dict[str, Any]]:
    """A row for each setting: of every number its mean and standard deviation over seeds, and what was published."""
    rows = []
    for label, runs in settings.items():
        row: dict[str, Any] = {"setting": label, "n": len({run.seed for run in runs})}
        for name, each in made.numbers.items():
            try:
                values = np.array(list(each.by_seed(runs).values()))
            except Missing:
                row[name] = None
                continue
            spread = float(values.std(ddof=1)) if len(values) > 1 else None
            row[name] = {"mean": float(values.mean()), "std": spread}
        row["published"] = dict(made.published.get(label, {}))
        rows.append(row)
    return rows


def markdown(made: Study, rows: Sequence[Mapping[str, Any]]) -> str:
    """The table as text, with a column of published numbers beside each number that has one."""
    published = [name for name in made.numbers if any(name in row["published"] for row in rows)]
    head = [
        "setting",
        *(column for name in made.numbers for column in (name, *["published"] * (name in published))),
        "n",
    ]
    lines = [head, ["---"] * len(head)]
    for row in rows:
        cells = [row["setting"]]
        for name in made.numbers:
            cells.append(_cell(row[name]))
            if name in published:
                cells.append(row["published"].get(name, ""))
        lines.append([*cells, str(row["n"])])
    text = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    return f"{made.shows} ({made.source}), {made.scale} size\n\n{text}\n"


def _cell(found: Mapping[str, float | None] | None) -> str:
    if found is None:
        return "–"
    return f"{found['mean']:.3f}" + ("" if found["std"] is None else f" ± {found['std']:.3f}")


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
