"""Where one training step spends its time on the CPU, operation by operation, beside what its arithmetic must cost."""

from collections.abc import Callable
from itertools import count

import torch
from loops import build_run
from measure import config_of, row, seconds
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from disent_runner.datasets.batches import Batch
from disent_runner.machine.memory import keep_freed_blocks

MODELS = ("betavae", "factorvae")
STEPS, SIDE = 30, 2048
KINDS = {
    "convolution_backward": "convolutions, backward",
    "convolution": "convolutions, forward",
    "mm": "matrix products",
    "threshold_backward": "ReLU, backward",
    "clamp_min": "ReLU, forward",
    "leaky_relu": "leaky ReLU",
    "adam": "Adam",
    "log_sigmoid": "likelihood",
    "sigmoid": "likelihood",
    "binary_cross_entropy": "likelihood",
}
"""The first name that an operation's name contains says what it belongs to; the rest is "everything else"."""


def training_step(model_name: str) -> Callable[[], None]:
    """One update after the other, each of another batch, without a Trainer."""
    model, datamodule = build_run(config_of(f"model={model_name}", "network=conv64"))
    model.configure_optimizers()
    dataset, source, device = datamodule.dataset, datamodule.source, torch.device("cpu")
    batches = (Batch(step, False, source, dataset, device) for step in count())

    def step() -> None:
        model.update(next(batches))

    return step


def kind_of(operation: str) -> str:
    return next((kind for part, kind in KINDS.items() if part in operation), "everything else")


def spent(step: Callable[[], None]) -> dict[str, float]:
    """Milliseconds of a step by kind of operation, without what the operations call in turn."""
    with profile(activities=[ProfilerActivity.CPU]) as recorded:
        for _ in range(STEPS):
            step()
    kinds: dict[str, float] = {}
    for event in recorded.key_averages():
        kind = kind_of(event.key)
        kinds[kind] = kinds.get(kind, 0.0) + event.self_cpu_time_total / STEPS / 1000
    return dict(sorted(kinds.items(), key=lambda item: -item[1]))


def main() -> None:
    keep_freed_blocks()
    matrix = torch.randn(SIDE, SIDE)
    rates = [2 * SIDE**3 / second / 1e9 for second in seconds(lambda: matrix @ matrix, windows=7)]
    product = row(f"matrix product of {SIDE}×{SIDE}", rates, "GFLOP/s")
    product.print()
    for model in MODELS:
        step = training_step(model)
        times = [1000 * second for second in seconds(step, windows=5, calls=20)]
        row(f"{model}, one step", times, "ms").print()
        with FlopCounterMode(display=False) as counted:
            step()
        work = counted.get_total_flops() / 1e9
        row(f"{model}, arithmetic of one step", [work], "GFLOP").print()
        row(f"{model}, the same at the speed of the matrix product", [1000 * work / product.value], "ms").print()
        for kind, milliseconds in spent(step).items():
            row(f"{model}, {kind}", [milliseconds], "ms").print()


if __name__ == "__main__":
    main()
