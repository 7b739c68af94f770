"""What one process keeps of the runs that it has done."""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from scripts.faults.common import TINY, Outcome

_WATCHED = """
import gc, os, sys
import disent_runner.stages.job as job
from disent_runner.commands.run import run
run_job, seen = job.run_job, []
def watched(*arguments, **options):
    memory = int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGESIZE")
    seen.append((memory / 1e6, len(os.listdir("/proc/self/fd"))))
    run_job(*arguments, **options)
job.run_job = watched
run()
(first, files), (last, more) = seen[min(10, len(seen) // 2)], seen[-1]
print("GROWN", round(last - first, 1), more - files)
"""


def leaks(root: Path, options: argparse.Namespace) -> Iterator[Outcome]:
    """Memory and open files of one process over the runs of a sweep, from the eleventh on."""
    outcome = Outcome(f"{options.runs} runs in one process")
    arguments = ["-m", *TINY, "trainer.max_steps=2", "metric=[mig]", "figure=[]", f"seed=range({options.runs})"]
    done = subprocess.run(
        [sys.executable, "-c", _WATCHED, *arguments],
        cwd=root,
        capture_output=True,
        text=True,
        env={**os.environ, "DISENT_DATA_DIR": str(root / "data")},
    )
    grown = done.stdout.rpartition("GROWN ")[2].split()
    outcome.expect(len(grown) == 2 and float(grown[0]) < 20 and int(grown[1]) <= 2, f"{grown} {done.stderr[-300:]}")
    outcome.count(f"+{' MB, +'.join(grown)} files")
    yield outcome
