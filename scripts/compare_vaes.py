"""Train β-VAE (β = 1, 4) and FactorVAE on a subset of dSprites, three seeds each, and print the table of the README.

About twenty minutes on two cores: `python scripts/compare_vaes.py`. Run folders go to outputs/compare_vaes, so a
second call only prints the table.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from disent_runner.machine.markdown import markdown_table
from disent_runner.runs.scores import numbers
from disent_runner.runs.train_log import read_train_log

ROOT = Path("outputs/compare_vaes")
SETTINGS = [
    "network=tiny",
    "dataset.subset={scale: 3, orientation: 10, pos_x: 16, pos_y: 16}",
    "trainer=quick",
    "trainer.max_steps=2_000",
    "trainer.log_every=100",
    "evaluation.num_images=null",
    "stages=[fit,evaluate]",
    "metric=[kl_decomposition,mig,factor_vae_score]",
    "seed=0,1,2",
]
METHODS = {
    "VAE (β = 1)": ("betavae", "beta-1"),
    "β-VAE, β = 4": ("betavae", "beta-4"),
    "FactorVAE, γ = 10": ("factorvae", "gamma-10"),
}
COLUMNS = ["reconstruction", "kl", "total_correlation", "factor_vae_score", "mig"]


def start(model: str, setting: str, root: Path) -> subprocess.Popen[bytes]:
    """One sweep over the seeds, on one thread: the sweeps run side by side."""
    method = [f"model={model}", f"model.{setting.replace('-', '=')}"]
    command = [sys.executable, "-m", "disent_runner", "-m", *method, *SETTINGS, f"output_root={root}"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"})


def values_of(folder: Path) -> dict[str, float]:
    """What the table shows of one run: the reconstruction over its last quarter, and the metrics at its end."""
    reconstruction = read_train_log(folder)["reconstruction"]
    return numbers(folder) | {"reconstruction": reconstruction[-len(reconstruction) // 4 :].mean()}


def main() -> None:
    roots = {name: ROOT / f"{model}-{setting}" for name, (model, setting) in METHODS.items()}
    sweeps = [start(*method, roots[name]) for name, method in METHODS.items()]
    if any(sweep.wait() for sweep in sweeps):
        sys.exit("a sweep failed; its message stands above")
    rows = []
    for name, root in roots.items():
        runs = [values_of(folder) for folder in sorted(root.glob("*/*/*/seed=*"))]
        columns = [[run[column] for run in runs] for column in COLUMNS]
        cells = [f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}" for values in columns]
        rows.append([name, *cells, str(len(runs))])
    print(markdown_table(["method", *COLUMNS, "seeds"], rows), end="")


if __name__ == "__main__":
    main()
