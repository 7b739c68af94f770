"""`index.html`: a page with all of a report, which needs no network and no server.

Pictures and details of runs lie in it while they are few; else it links the runs' pictures, and takes details from
files beside it, which a page from the disk may load as scripts only.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup
from PIL import Image

from disent_runner.machine.files import write_whole
from disent_runner.machine.texts import counted
from disent_runner.report.page import tables as page_tables
from disent_runner.report.page.pictures import Address, addresses, stills
from disent_runner.report.page.runs import Part, points_per_curve
from disent_runner.report.pooling import count_of, training_version
from disent_runner.report.report import Plot, Report
from disent_runner.report.run import Run
from disent_runner.report.settings import dataset
from disent_runner.runs.lineage import lineage

MOST_RUNS_INSIDE = 200
"""Runs up to which the page holds their details itself."""
RUNS_PER_PART = 50
_DETAILS = "run_details"
_SCRIPTS = ("elements.js", "table.js", "chart.js", "run.js", "gallery.js", "page.js")
_MOST_NAMES = 3
"""In the title, of models and of data sets; more are counted."""
_FILES = {
    "table.csv": "means and standard deviations, full precision",
    "table.md": "the same to read, Markdown",
    "table.tex": "the same for a paper, LaTeX",
    "runs.csv": "every number of every run",
    "udr.csv": "UDR of every run",
    "udr_correlation.csv": "rank correlation of UDR with other numbers",
    "udr_choice.csv": "the run that UDR would choose, beside all others",
    "variance_explained.csv": "shares of each number's variance by model, setting and seed",
    "transfer.csv": "whether settings that are good on one data set are so on another",
    "left_out.csv": "what does not count, and why",
}


def write_page(report: Report, out: Path) -> None:
    """Write `index.html` into the folder, and for many runs a folder with their details beside it."""
    plot_address, run_address = addresses([plot.path for plot in report.plots], report.runs, out)
    parts = map(script_text, details(report.runs, run_address))
    is_inside = len(report.runs) <= MOST_RUNS_INSIDE
    names = [] if is_inside else write_details(parts, out / _DETAILS)
    shown = data(report, [f"{_DETAILS}/{name}" for name in names], run_address)
    page = _template().render(
        title=title(report.runs),
        summary=summary(report),
        facts=facts(report),
        has_pictures=any(shown["pictures"]),
        report=report,
        plots=[(plot, plot_address(plot.path), *_size(plot)) for plot in report.plots],
        files={name: content for name, content in _FILES.items() if (out / name).exists()},
        style=Markup(_asset("page.css")),
        script=Markup("".join(map(_asset, _SCRIPTS))),
        data=script_text(shown),
        parts=parts if is_inside else (),
    )
    write_whole(out / "index.html", page)
    for path in (out / _DETAILS).glob("*.js"):
        if path.name not in names:
            path.unlink()  # of an earlier report


def data(report: Report, part_files: Sequence[str], address: Address) -> dict[str, Any]:
    """What the page's script shows, runs' details aside."""
    folders = [run.folder for run in report.runs]
    root = common_root(folders)
    keys = [folder.relative_to(root).as_posix() for folder in folders]
    places = {(run.facts.get("id"), run.seed): place for place, run in enumerate(report.runs)}
    return {
        "tables": {
            "means": page_tables.means(report, report.settings),
            "runs": page_tables.runs(report, report.settings),
            "udr": page_tables.frame(report.udr),
            "udr_correlation": page_tables.frame(report.udr_correlation, menus=("number", "similarity", "aggregate")),
            "udr_choice": page_tables.frame(report.udr_choice, menus=("number", "similarity", "aggregate")),
            "explained": page_tables.frame(report.explained, menus=("dataset",)),
            "transfer": page_tables.frame(report.transfer, menus=("from", "to", "number")),
            "left_out": page_tables.left_out(report.omissions, root),
        },
        "runs": [_run(run, key, places) for run, key in zip(report.runs, keys, strict=True)],
        "pictures": list(_pictures(report, address)),
        "parts": part_files,
        "runs_per_part": RUNS_PER_PART,
    }


def _pictures(report: Report, address: Address) -> Iterator[dict[str, Any] | None]:
    """Of each setting: its first run that has pictures, by its number, and those."""
    places = {run.folder: place for place, run in enumerate(report.runs)}
    for setting in report.settings:
        shown = ((member.run.folder, stills(member.run.folder, address)) for member in setting.members)
        yield next(({"run": places[folder], "stills": found} for folder, found in shown if found), None)


def common_root(folders: Sequence[Path]) -> Path:
    """The folder that all lie below."""
    return Path(os.path.commonpath([folder.parent for folder in folders]))


Places = Mapping[tuple[Any, Any], int]
"""The numbers of a report's runs by their ids and seeds, so that runs are found that stand on others of them."""


def _run(run: Run, key: str, places: Places) -> dict[str, Any]:
    facts = {
        "data set": dataset(run),
        "data source": run.facts.get("data_source"),
        "data hash": run.facts.get("data_hash"),
        "id": run.facts.get("id"),
        "seed": run.seed,
        "trained with": training_version(run),
        "git commit": run.facts.get("git_commit"),
        "folder": str(run.folder),
    }
    return {
        "key": key,
        "name": page_tables.run_name(run.label, run.seed),
        "facts": {name: str(value) for name, value in facts.items() if value is not None},
        "settings": {name: page_tables.setting_text(value) for name, value in (run.settings or {}).items()},
        "parents": [_parent(name, facts, places) for name, facts in lineage({"run": run.facts})],
    }


def _parent(name: str, facts: Mapping[str, Any], places: Places) -> dict[str, Any]:
    text = f"{name} {facts.get('id')} seed={facts.get('seed')} at step {facts.get('step')}"
    place = places.get((facts.get("id"), facts.get("seed")))
    return {"text": text if place is not None else f"{text}, {facts.get('folder')}", "run": place}


def details(runs: Sequence[Run], address: Address) -> Iterator[dict[str, Any]]:
    """Configs, numbers, curves and pictures of so many runs at a time."""
    points = points_per_curve(len(runs))
    for first in range(0, len(runs), RUNS_PER_PART):
        part = Part()
        for run in runs[first : first + RUNS_PER_PART]:
            part.add(run, points=points, address=address)
        yield part.plain()


def write_details(parts: Iterator[Markup], folder: Path) -> list[str]:
    """A script for each part, named by its content, so that the page before this one keeps its own."""
    names = []
    for number, part in enumerate(parts):
        names.append(f"{hashlib.sha256(part.encode()).hexdigest()[:16]}.js")
        write_whole(folder / names[-1], f"receivePart({number}, {part});\n")
    return names


def script_text(value: Any) -> Markup:
    """JSON that can stand in a script of a page, whatever the texts in it say."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def title(runs: Sequence[Run]) -> str:
    """Models and data sets of the runs: betavae, factorvae on dsprites; 9 models on 4 data sets."""
    models, data_sets = dict.fromkeys(run.model or "codes" for run in runs), dict.fromkeys(map(dataset, runs))
    return f"{_few(list(models), 'models')} on {_few(list(data_sets), 'data sets')}"


def _few(names: Sequence[str], kind: str) -> str:
    return ", ".join(names) if len(names) <= _MOST_NAMES else f"{len(names)} {kind}"


def summary(report: Report) -> str:
    """36 runs of 19 settings on dsprites (rendered): a stand-in for data never passes for the original."""
    data_sets = dict.fromkeys("{dataset} ({source})".format(**setting.columns) for setting in report.settings)
    counts = f"{count_of(len(report.runs))} of {counted(len(report.settings), 'setting')}"
    return f"{counts} on {', '.join(data_sets)}"


def facts(report: Report) -> dict[str, str]:
    """What the head of the page says of all runs."""
    runs = report.runs
    sources = dict.fromkeys(f"{dataset(run)} ({run.facts.get('data_source') or 'source unknown'})" for run in runs)
    seeds = sorted({run.seed for run in runs})
    omissions = len(report.omissions)
    return {
        "runs": str(len(runs)),
        "settings": str(len(report.formatted)),
        "models": ", ".join(dict.fromkeys(run.model or "codes" for run in runs)),
        "data": ", ".join(sources),
        "seeds": f"{len(seeds)} ({spans(seeds)})",
        "trained with": ", ".join(sorted({training_version(run) for run in runs})),
        "left out": counted(omissions, "folder") if omissions else "nothing",
    }


def spans(numbers: Sequence[int]) -> str:
    """Sorted numbers with those that follow each other drawn together: 0–4, 7."""
    groups: list[list[int]] = []
    for number in numbers:
        if groups and number == groups[-1][-1] + 1:
            groups[-1].append(number)
        else:
            groups.append([number])
    return ", ".join(str(group[0]) if len(group) == 1 else f"{group[0]}–{group[-1]}" for group in groups)


def _size(plot: Plot) -> tuple[int, int]:
    with Image.open(plot.path) as image:
        return image.size


def _asset(name: str) -> str:
    return resources.files("disent_runner.report").joinpath("assets", name).read_text(encoding="utf-8")


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_asset("page.html"))
