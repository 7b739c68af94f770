"""Seconds of metrics on dSprites' 737,280 x 10 codes, as the stage runs them: one Markdown row each, then all of them.

python scripts/benchmark_metrics.py mig irs sap                       together, on all cores
python scripts/benchmark_metrics.py dci --set estimator=random_forest  one metric with a setting
"""

import argparse
import os
import platform
import time
from importlib.metadata import version
from typing import Any

import numpy as np
from hydra import compose, initialize_config_dir

from disent_runner.build import build_metrics
from disent_runner.cli import CONF
from disent_runner.evaluate import score_all
from disent_runner.metrics.threads import num_cores
from disent_runner.rendering.sprites import SPRITE_SIZES
from disent_runner.representation import Representation


def dsprites_codes(num_latents: int = 10) -> Representation:
    """Codes that follow the factors in part, as those of a trained model do, with posteriors 0.1 to 1 wide."""
    rng = np.random.default_rng(0)
    sizes = tuple(SPRITE_SIZES.values())
    factors = np.stack(np.unravel_index(np.arange(np.prod(sizes)), sizes), axis=1)
    values = 2 * factors / (np.array(sizes) - 1) - 1
    width = np.repeat([0.1, 1.0], [7, num_latents - 7])
    mean = np.tanh(values @ rng.normal(size=(len(sizes), num_latents))) * (width < 1)
    noise = rng.standard_normal(mean.shape, dtype=np.float32)
    logvar = np.broadcast_to(2 * np.log(width), mean.shape).astype(np.float32)
    names = tuple(SPRITE_SIZES)
    return Representation((mean + 0.05 * noise).astype(np.float32), factors, sizes, logvar, names, {"orientation": 39})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("metrics", nargs="+")
    parser.add_argument("--set", nargs="*", default=[], metavar="key=value")
    arguments = parser.parse_args()
    settings = [f"metric.{name}.{setting}" for name in arguments.metrics for setting in arguments.set]
    with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
        config = compose("run", overrides=[f"metric=[{','.join(arguments.metrics)}]", *settings])
    metrics = build_metrics(config)
    rep = dsprites_codes()
    origins: dict[str, dict[str, Any]] = {name: {"metric": name, "seed": 0} for name in metrics}
    start = time.perf_counter()
    print("| metric | seconds | value |\n| --- | --- | --- |")
    for rows in score_all(metrics, rep, origins):
        head = rows[0]
        value = "–" if head["value"] is None else f"{head['value']:.4f}"
        print(f"| {head['metric']} | {head.get('seconds', '–')} | {head['name']} {value} |", flush=True)
    seconds = time.perf_counter() - start
    machine = f"{num_cores()} cores, {platform.machine()}, load {os.getloadavg()[0]:.1f}"
    print(f"| together | {seconds:.2f} | {machine}, scikit-learn {version('scikit-learn')} |")


if __name__ == "__main__":
    main()
