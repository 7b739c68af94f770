"""Seconds from the command to its answer, and to the end of its first training step."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from tempfile import TemporaryDirectory

from measure import DATA, row

WINDOWS = 5
ANSWERS = {
    "disent-run --help": ["--help"],
    "disent-run --cfg job": ["--cfg", "job"],
    "disent-run model=nothing (a mistake)": ["model=nothing"],
    "disent-run -sc query=bash (tab completion)": ["-sc", "query=bash"],
}
ONE_STEP = [
    "model=betavae",
    "network=conv64",
    "trainer=smoke",
    "trainer.max_steps=1",
    "stages=[fit]",
    "trainer.accelerator=cpu",
]


def time_of(command: Sequence[str]) -> list[float]:
    """The first call warms the file cache and is not counted."""
    found = []
    for _ in range(WINDOWS + 1):
        environment = {**os.environ, "DISENT_DATA_DIR": DATA, "COMP_LINE": "disent-run model=", "COMP_POINT": "17"}
        start = time.perf_counter()
        subprocess.run(command, capture_output=True, check=False, env=environment)
        found.append(time.perf_counter() - start)
    return found[1:]


def main() -> None:
    program = [sys.executable, "-m", "disent_runner"]
    for what, arguments in ANSWERS.items():
        row(what, time_of([*program, *arguments]), "s").print()
    bare = time_of([sys.executable, "-c", "import torch, pytorch_lightning"])
    row("import torch, pytorch_lightning", bare, "s").print()
    first = []
    for _ in range(WINDOWS):
        with TemporaryDirectory() as folder:
            command = [*program, *ONE_STEP, f"output_root={folder}"]
            start = time.perf_counter()
            subprocess.run(command, capture_output=True, check=True, env={**os.environ, "DISENT_DATA_DIR": DATA})
            first.append(time.perf_counter() - start)
    row("one training step, checkpoint and end of the command", first, "s").print()
    ratios = [one / two for one, two in zip(sorted(first), sorted(bare), strict=True)]
    row("the same / import of torch and pytorch_lightning", ratios, "").print()


if __name__ == "__main__":
    main()
