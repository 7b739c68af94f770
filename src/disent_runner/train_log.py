"""train.csv: every logged value by optimisation step."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pytorch_lightning import Callback, Trainer

from disent_runner.datasets.data_module import StepPlan
from disent_runner.models.base import AbstractModel
from disent_runner.run_folder import write_whole


class TrainLog(Callback):
    """Writes a row of means after each interval of `plan.log_every` steps, and mirrors it to the trainer's loggers."""

    def __init__(self, path: Path, plan: StepPlan) -> None:
        self.path = path
        self.plan = plan
        self.latest: Mapping[str, float] = {}

    def on_train_start(self, trainer: Trainer, pl_module: Any) -> None:
        forget_after(self.path, pl_module.step)

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        model: AbstractModel = pl_module
        if not self.plan.is_logged(model.step):
            return
        self.latest = model.take_interval()
        append_row(self.path, {"step": model.step, **self.latest})
        for logger in trainer.loggers:
            logger.log_metrics({f"train/{name}": value for name, value in self.latest.items()}, step=model.step)


def append_row(path: Path, row: Mapping[str, float]) -> None:
    is_new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if is_new:
            writer.writerow(row)
        writer.writerow([repr(value) for value in row.values()])


def forget_after(path: Path, step: int) -> None:
    """Drop rows of steps that a run which goes on from `step` is about to do again, and a torn last line."""
    if not path.exists():
        return
    lines = path.read_text().splitlines(keepends=True)
    columns = lines[0].count(",") if lines else 0
    whole = [line for line in lines[1:] if line.endswith("\n") and line.count(",") == columns]
    kept = [line for line in whole if int(line.split(",", 1)[0]) <= step]
    if not kept:
        path.unlink()
    elif len(kept) < len(lines) - 1:
        write_whole(path, "".join([lines[0], *kept]))


def read_train_log(path: Path) -> dict[str, np.ndarray]:
    """Columns of train.csv by name, each (rows,); empty when there is no file."""
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    table = np.array(rows[1:], dtype=float).reshape(-1, len(rows[0]))
    return dict(zip(rows[0], table.T, strict=True))
