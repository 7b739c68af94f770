"""Training: each model in the program's loop beside a bare one, what the loop costs, and the trainer's switches."""

import argparse

import torch
from loops import ONE_LINEAR, bare_loop, build_run, real_loop
from measure import BATCH, config_of, row

from disent_runner.assembly.conf import choices
from disent_runner.machine.memory import keep_freed_blocks


def compare(what: str, overrides: list[str], *, accelerator: str, windows: int, steps: int) -> None:
    """Windows of the two loops in turn: steps per second of each, their ratio, and the difference in milliseconds."""
    plan = [f"trainer.max_steps={steps}", f"trainer.log_every={max(10, min(100, steps // 5))}"]
    config = config_of(*overrides, *plan, f"trainer.accelerator={accelerator}", f"dataset.batch_size={BATCH}")
    precision: str = config.trainer.precision
    real, bare = [], []
    for _ in range(windows):
        model, datamodule = build_run(config)
        real.append(real_loop(model, datamodule, accelerator=accelerator, precision=precision))
        model, datamodule = build_run(config)
        bare.append(bare_loop(model, datamodule, device=torch.device(accelerator), precision=precision))
    rates, bare_rates = [1 / second for second in real], [1 / second for second in bare]
    row(f"{what}, our loop", rates, "steps/s").print()
    row(f"{what}, bare loop", bare_rates, "steps/s").print()
    row(f"{what}, our loop / bare loop", [a / b for a, b in zip(rates, bare_rates, strict=True)], "").print()
    difference = [1000 * (a - b) for a, b in zip(real, bare, strict=True)]
    row(f"{what}, our loop - bare loop", difference, "ms a step").print()


def switches(accelerator: str) -> dict[str, list[str]]:
    """What can be switched in the trainer, where it can be of use on the accelerator; few CPUs have bfloat16."""
    found = {"compiled": ["trainer.compile=default"]}
    if accelerator == "cuda":
        found["bf16-mixed"] = ["trainer.precision=bf16-mixed"]
        found["compiled with CUDA graphs"] = ["trainer.compile=reduce-overhead"]
        found["both"] = ["trainer.compile=reduce-overhead", "trainer.precision=bf16-mixed"]
        found["images in host memory"] = ["trainer.data_on_device=false"]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accelerator", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--windows", type=int, default=5)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--tiny-steps", type=int, default=4500, help="more than two checkpoints")
    options = parser.parse_args()
    keep_freed_blocks()
    windows, accelerator = options.windows, options.accelerator
    for model in ("betavae", "factorvae"):
        small = ["model.discriminator.width=16"] if model == "factorvae" else []
        overrides = [f"model={model}", *ONE_LINEAR, *small]
        what = f"{model} of linear layers"
        compare(what, overrides, accelerator=accelerator, windows=windows, steps=options.tiny_steps)
    for model in choices("model"):
        what, overrides = f"{model}, conv64", [f"model={model}", "network=conv64"]
        compare(what, overrides, accelerator=accelerator, windows=windows, steps=options.steps)
    for switch, overrides in switches(accelerator).items():
        what, overrides = f"betavae, conv64, {switch}", ["model=betavae", "network=conv64", *overrides]
        compare(what, overrides, accelerator=accelerator, windows=max(2, windows // 2), steps=options.steps)


if __name__ == "__main__":
    main()
