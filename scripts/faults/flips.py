"""One bit changed in each file of a run and of the data folder."""

import argparse
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scripts.faults.common import RUN, TINY, Outcome, Place


def flips(root: Path, options: argparse.Namespace) -> Iterator[Outcome]:
    """One bit of each file changed: the command again, another score of the run, and a report."""
    base = Place(root / "flips")
    base.folder.mkdir()
    assert base.type(RUN)[0] == 0
    run = str(base.run.relative_to(base.folder))
    asks = {
        "again": RUN,
        "score": ["disent-run", f"run={run}", "stages=[evaluate]", "metric=[modularity,reconstruction]", TINY[4]],
        "report": ["disent-report", "outputs"],
    }
    reference = {}
    for name, command in asks.items():
        place = base.copied(root / "flipped")
        assert place.type(command)[0] == 0, name
        reference[name] = shown(place)
    draw = random.Random(options.seed)
    files = [
        path
        for path in sorted(base.folder.rglob("*"))
        if path.is_file() and path.stat().st_size and path.name not in ("run.log", ".owner")
    ]
    for path in files:
        outcome = Outcome(f"flipped bits of {path.name.replace(run, '')}")
        for _ in range(options.flips):
            where, bit = draw.randrange(path.stat().st_size), 1 << draw.randrange(8)
            for name, command in asks.items():
                place = base.copied(root / "flipped")
                target = place.folder / path.relative_to(base.folder)
                content = bytearray(target.read_bytes())
                content[where] ^= bit
                target.write_bytes(content)
                code, said = place.type(command)
                numbers = shown(place) if code == 0 else {}
                outcome.expect(
                    "Traceback" not in said and numbers.items() <= reference[name].items(),
                    f"byte {where} bit {bit}, {name}: exit code {code}, {said[-300:]}",
                )
                outcome.count("refused" if code else "same numbers")
        yield outcome


def shown(place: Place) -> dict[str, Any]:
    """The numbers that people see after a command, by name; those of a log that is refused are not seen."""
    from disent_runner.runs.scores import numbers
    from disent_runner.runs.train_log import read_train_log

    table = place.folder / "outputs/report/table.csv"
    if table.exists():
        return {"table": table.read_text(encoding="utf-8")}
    try:
        log = {f"train/{name}": column.tolist() for name, column in read_train_log(place.run).items()}
    except ValueError:
        log = {}
    return {**numbers(place.run), **log}
