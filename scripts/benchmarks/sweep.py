"""Seconds of a sweep of very short runs: what starting the next run in the same process costs."""

import os
import subprocess
import sys
import time
from tempfile import TemporaryDirectory

from measure import DATA, row

WINDOWS = 3
SMALL = [
    *("model=betavae", "network=tiny", "trainer=smoke", "trainer.max_steps=1", "trainer.accelerator=cpu"),
    *("metric=[mig,factor_vae_score]", "dataset.subset={orientation: 4, pos_x: 8, pos_y: 8}"),
]


def time_of(num_runs: int, *overrides: str) -> float:
    with TemporaryDirectory() as folder:
        seeds = f"seed=range({num_runs})"
        command = [sys.executable, "-m", "disent_runner", "-m", *SMALL, seeds, f"output_root={folder}", *overrides]
        start = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True, env={**os.environ, "DISENT_DATA_DIR": DATA})
        return time.perf_counter() - start


def main() -> None:
    fit = "stages=[fit]"
    further = [(time_of(21, fit) - time_of(1, fit)) / 20 for _ in range(WINDOWS)]
    row("each further run of one step, stage fit only", further, "s", "with its step and its checkpoint").print()
    for what, overrides in {
        "20 runs of one step, scored": ["figure=[]"],
        "20 runs of one step, scored and drawn": [],
        "20 runs of one step, scored and drawn, in two processes": ["hydra/launcher=joblib"],
    }.items():
        row(what, [time_of(20, *overrides) for _ in range(WINDOWS)], "s").print()


if __name__ == "__main__":
    main()
