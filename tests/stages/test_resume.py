"""A run that is killed or stopped and started again ends as if nothing had happened, bit for bit."""

import os
import signal
import time
from pathlib import Path

import pytest
import torch

from disent_runner.runs.scores import numbers
from tests.typed import Typed

STEPS = 240
SMALLER = {"factorvae": ["model.discriminator.width=40"]}


class Run:
    """`disent-run` of one model in a folder of its own."""

    def __init__(self, model: str, place: Path, data_dir: Path) -> None:
        place.mkdir()
        self.place = place
        arguments = [
            f"model={model}",
            "network=tiny",
            "trainer=smoke",
            "trainer.accelerator=cpu",
            f"trainer.max_steps={STEPS}",
            "trainer.log_every=15",
            "trainer.checkpoint_every=20",
            "dataset.batch_size=16",
            "dataset.subset={orientation: 5, pos_x: 8, pos_y: 8}",
            "metric=[mig,kl_decomposition]",
            "stages=[fit,evaluate]",
            *SMALLER.get(model, []),
        ]
        self.arguments = arguments
        self.environment = {**os.environ, "DISENT_DATA_DIR": str(data_dir), "OMP_NUM_THREADS": "1"}

    @property
    def folder(self) -> Path:
        (folder,) = self.place.glob("outputs/dsprites/*/*/seed=0")
        return folder

    def start(self) -> Typed:
        return Typed("disent-run", self.arguments, folder=self.place, environment=self.environment)

    def finish(self) -> None:
        process = self.start()
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors

    def stop_at(self, step: int, signum: signal.Signals) -> int | None:
        """Send the signal once train.csv shows the step. Returns the process's exit code."""
        process = self.start()
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and self._logged() < step:
            time.sleep(0.002)
        process.send_signal(signum)
        process.communicate(timeout=60)
        assert step <= self._logged() < STEPS, "the signal came too late to test anything"
        return process.returncode

    def _logged(self) -> int:
        logs = list(self.place.glob("outputs/dsprites/*/*/seed=0/train.csv"))
        lines = logs[0].read_text().splitlines() if logs else []
        return int(lines[-1].split(",")[0]) if len(lines) > 1 else 0

    def results(self) -> tuple[dict, dict, str]:
        weights = torch.load(self.folder / "checkpoints" / f"step={STEPS:09d}.pt", weights_only=True)
        return weights, numbers(self.folder), (self.folder / "train.csv").read_text()


def same(a, b) -> bool:
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


@pytest.mark.slow
@pytest.mark.parametrize("model", ["betavae", "factorvae"])
def test_killed_and_stopped_runs_end_with_the_same_numbers(model, tmp_path, data_dir):
    undisturbed = Run(model, tmp_path / "undisturbed", data_dir)
    undisturbed.finish()
    disturbed = Run(model, tmp_path / "disturbed", data_dir)
    assert disturbed.stop_at(30, signal.SIGKILL) == -signal.SIGKILL
    assert disturbed.stop_at(75, signal.SIGTERM) == 128 + signal.SIGTERM
    assert disturbed.stop_at(120, signal.SIGINT) == 128 + signal.SIGINT
    disturbed.finish()
    (weights, metrics, log), (other_weights, other_metrics, other_log) = undisturbed.results(), disturbed.results()
    assert same(weights, other_weights)
    assert metrics == other_metrics
    assert log == other_log
