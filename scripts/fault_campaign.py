"""Kills, signals, flipped bytes, full disks and the like, tried on real commands; a table of what came of it.

    python scripts/fault_campaign.py                          all of it, some fifteen minutes on two cores
    python scripts/fault_campaign.py kills flips --kills 40   some of it, smaller
    python scripts/fault_campaign.py --page docs/reliability.md

What a command leaves is compared with what it leaves undisturbed: numbers, weights, log, codes, pictures, images.
Commands are forked from a process that has loaded the libraries, as in the tests. Linux; as root it mounts small disks.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from scripts.faults.common import COMMANDS, Outcome
from scripts.faults.flips import flips
from scripts.faults.kills import kills, signals
from scripts.faults.leaks import leaks
from scripts.faults.places import disks, folders, pairs

MARK = "<!-- written by scripts/fault_campaign.py -->"
PARTS = {
    **{"kills": kills, "signals": signals, "flips": flips},
    **{"disks": disks, "folders": folders, "pairs": pairs, "leaks": leaks},
}


def main() -> None:
    command = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("parts", nargs="*", metavar="PART", help=f"some of {', '.join(PARTS)} (default: all)")
    for name, default in {
        "kills": 210,
        "signals": 24,
        "flips": 3,
        "disks": 8,
        "pairs": 4,
        "runs": 200,
        "seed": 0,
    }.items():
        command.add_argument(f"--{name}", type=int, default=default)
    command.add_argument("--of", nargs="+", default=list(COMMANDS), choices=COMMANDS, help="what is killed or stopped")
    command.add_argument("--page", type=Path, help="a Markdown file whose table is written anew")
    options = command.parse_args()
    outcomes: list[tuple[Outcome, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in options.parts or PARTS:
            root, start = Path(folder) / name, time.monotonic()
            root.mkdir()
            for outcome in PARTS[name](root, options):
                outcomes.append((outcome, time.monotonic() - start))
                counted = f"{outcome.tried} tried, {len(outcome.bad)} wrong"
                print(f"{outcome.kind}: {counted}, {time.monotonic() - start:.0f} s", flush=True)
                start = time.monotonic()
    rows = [
        f"| {o.kind} | {o.tried} | {len(o.bad)} | {', '.join(f'{k}: {v}' for k, v in o.notes.items())} |"
        for o, _ in outcomes
    ]
    table = "\n".join(["| fault | tried | wrong | |", "|---|---|---|---|", *rows])
    print(table)
    if options.page:
        before, mark, _ = options.page.read_text(encoding="utf-8").partition(MARK)
        options.page.write_text(f"{before}{mark}\n\n{table}\n", encoding="utf-8")
    sys.exit(any(outcome.bad for outcome, _ in outcomes))


if __name__ == "__main__":
    main()
