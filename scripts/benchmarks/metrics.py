"""Seconds of metrics on dSprites' 737,280 x 10 codes, as the stage runs them.

python scripts/benchmarks/metrics.py                                          those whose cost is published, one by one
python scripts/benchmarks/metrics.py mig irs sap --together                   as one evaluation, on all cores
python scripts/benchmarks/metrics.py dci --set estimator=random_forest        one metric with a setting
"""

import argparse
import time

import numpy as np
from measure import config_of, messages_on_stderr, row

from disent_runner.assembly.build import build_metrics
from disent_runner.rendering.sprites import SPRITE_SIZES
from disent_runner.representations.representation import Representation
from disent_runner.stages.scoring import Subject, score_all

FAST = ["mig", "unsupervised", "irs", "sap", "modularity", "factor_vae_score", "beta_vae_score"]
SLOW = ["explicitness", "dci", "mig_exact"]


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


def measure(names: list[str], settings: list[str], rep: Representation, *, windows: int) -> None:
    overrides = [f"metric.{name}.{setting}" for name in names for setting in settings]
    metrics = build_metrics(config_of(f"metric=[{','.join(names)}]", *overrides))
    subject = Subject(rep, seed=0, dataset="dsprites", source="rendered", choice="mean")
    times, values = [], []
    for _ in range(windows):
        start = time.perf_counter()
        with messages_on_stderr():
            rows = [first for first, *_ in score_all(metrics, subject)]
        times.append(time.perf_counter() - start)
        values = [f"{first.label} {first.value:.4f}" for first in rows]
    note = values[0] if len(values) == 1 else f"{len(values)} metrics side by side"
    row(" ".join([*names, *settings]), times, "s", note).print()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("metrics", nargs="*")
    parser.add_argument("--set", nargs="*", default=[], metavar="key=value")
    parser.add_argument("--together", action="store_true")
    options = parser.parse_args()
    rep = dsprites_codes()
    if options.together:
        measure(options.metrics, options.set, rep, windows=3)
        return
    for name in options.metrics or [*FAST, *SLOW]:
        measure([name], options.set, rep, windows=1 if name in SLOW else 3)
    if not options.metrics:
        measure(FAST, [], rep, windows=3)


if __name__ == "__main__":
    main()
