"""Train β-VAE (β = 1, 4) and FactorVAE on a subset of dSprites, three seeds each, and print the table of the README.

About half an hour on two cores. `python scripts/compare_vaes.py`; run folders go to outputs/compare_vaes, so a second
call only prints the table.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from disent_runner.train_log import read_train_log

ROOT = Path("outputs/compare_vaes")
SETTINGS = [
    "network=tiny",
    "dataset.subset={scale: 3, orientation: 10, pos_x: 16, pos_y: 16}",
    "trainer=quick",
    "trainer.max_steps=5_000",
    "trainer.log_every=100",
    "evaluation.num_images=null",
    "stages=[fit,evaluate]",
    "metric=[kl_decomposition,mig,factor_vae_score]",
    "seed=0,1,2",
    f"output_root={ROOT}",
]
METHODS = {
    "VAE (β-VAE, β = 1)": ["model=betavae", "model.beta=1"],
    "β-VAE, β = 4": ["model=betavae", "model.beta=4"],
    "FactorVAE, γ = 10": ["model=factorvae", "model.gamma=10"],
}
COLUMNS = ["reconstruction", "kl", "total_correlation", "factor_vae_score", "mig"]


def numbers(folder: Path) -> dict[str, float]:
    """What the table shows of one run: training terms over its last tenth, metrics at its end."""
    log = read_train_log(folder / "train.csv")
    rows = json.loads((folder / "metrics.json").read_text())
    metrics = {row["name"]: row["value"] for row in rows}
    return metrics | {"reconstruction": log["reconstruction"][-5:].mean(), "kl": metrics["kl"]}


def main() -> None:
    print("| method | " + " | ".join(COLUMNS) + " | seeds |\n|" + " --- |" * (len(COLUMNS) + 2))
    for name, overrides in METHODS.items():
        before = set(ROOT.glob("*/*/*/seed=*"))
        command = [sys.executable, "-m", "disent_runner", "-m", *overrides, *SETTINGS]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        folders = sorted(set(ROOT.glob("*/*/*/seed=*")) - before) or folders_of(overrides)
        runs = [numbers(folder) for folder in folders]
        columns = [[run[column] for run in runs] for column in COLUMNS]
        cells = [f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}" for values in columns]
        print(f"| {name} | " + " | ".join(cells) + f" | {len(runs)} |", flush=True)


def folders_of(overrides: list[str]) -> list[Path]:
    """Run folders of an earlier call, found by their config."""
    model = overrides[0].removeprefix("model=")
    setting = overrides[1].removeprefix("model.").replace("=", ": ")
    configs = ROOT.glob(f"dsprites/{model}/*/seed=*/config.yaml")
    return sorted(path.parent for path in configs if f"  {setting}\n" in path.read_text())


if __name__ == "__main__":
    main()
