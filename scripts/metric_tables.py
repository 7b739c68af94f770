"""Regenerate the tables of docs/metrics, each between its two marker lines `<!-- x -->` and `<!-- /x -->`.

    python scripts/metric_tables.py cases           every metric of conf/metric, as it is set there, on nine codes;
                                                    about four minutes, of which `downstream` takes two
    python scripts/metric_tables.py numbers         what every metric declares of its numbers, at once
    python scripts/metric_tables.py cases mig sap   of these metrics only; the overview then takes the others' old rows
    python scripts/metric_tables.py reference       our values beside those of disentanglement_lib, within five minutes
    python scripts/metric_tables.py estimators      bias and spread of what is estimated by sampling

The same numbers on every call. An en dash stands where a metric does not apply.
"""

import argparse
import importlib
import json
import math
import re
import sys
import textwrap
import time
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from omegaconf import OmegaConf
from sklearn.exceptions import ConvergenceWarning

from disent_runner.assembly.build import build_metrics
from disent_runner.commands.help import describe
from disent_runner.losses.gaussian import normal_log_density
from disent_runner.losses.total_correlation import LOG_WEIGHTS, aggregate_log_density
from disent_runner.machine.files import write_whole
from disent_runner.machine.markdown import markdown_table
from disent_runner.metrics.kl_decomposition import kl_decomposition_from_posteriors
from disent_runner.metrics.mig_exact import mig_exact_from_posteriors
from disent_runner.representations.numbers import Number, numbers_of
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import NotApplicable

ROOT = Path(__file__).resolve().parents[1]
CONF, PAGES, TESTS = ROOT / "conf" / "metric", ROOT / "docs" / "metrics", ROOT / "tests"

Arrays = dict[str, np.ndarray]


def fill(page: Path, mark: str, content: str) -> None:
    """Put content between a page's two markers. ValueError where they are not."""
    pattern = rf"(<!-- {mark} -->\n).*?(<!-- /{mark} -->)"
    text, count = re.subn(pattern, lambda match: f"{match[1]}\n{content}\n{match[2]}", page.read_text(), flags=re.S)
    if count != 1:
        raise ValueError(f"{page} needs the lines <!-- {mark} --> and <!-- /{mark} --> once, got them {count} times")
    write_whole(page, text)


def load(path: Path) -> Arrays:
    with np.load(path) as arrays:
        return dict(arrays)


# cases


def all_metrics() -> dict[str, Callable[..., Mapping[str, float]]]:
    """Every metric with the settings of its YAML; what has no target there is a list of metrics, not one of them."""
    nodes = [OmegaConf.load(path) for path in sorted(CONF.glob("*.yaml"))]
    entries = {name: entry for node in nodes for name, entry in node.items() if "_target_" in (entry or {})}
    return dict(build_metrics(OmegaConf.create({"metric": entries})))


def case_representations() -> dict[str, Representation]:
    """Codes of all 4,096 images of four factors with eight values each, with the width of their posteriors.

    Values lie evenly from -1 to 1, 0.29 apart (standard deviation 0.65); posteriors have a standard deviation of 0.05
    unless said. "noisy": both noise and posteriors of 0.1. "dead": three more codes as of latents that are not in use.
    """
    sizes = (8, 8, 8, 8)
    factors = np.stack(np.unravel_index(np.arange(math.prod(sizes)), sizes), axis=1)
    values = 2 * factors / 7 - 1
    scales = np.array([100, 1, 0.1, 0.01])
    turn = np.array([[1, -1], [1, 1]]) / math.sqrt(2)
    noise = np.random.default_rng(0).standard_normal((3, *values.shape))
    codes_and_widths = {
        "perfect": (values, 0.05),
        "permuted": (values[:, [2, 0, 3, 1]] * [1, -1, 1, -1], 0.05),
        "rescaled": (values * scales, 0.05 * scales),
        "rotated": (values @ np.kron(np.eye(2), turn), 0.05),
        "duplicated": (np.hstack([values, values]), 0.05),
        "missing": (values[:, :3], 0.05),
        "dead": (np.hstack([values, 1e-3 * noise[0, :, :3]]), np.repeat([0.05, 1], [4, 3])),
        "noisy": (values + 0.1 * noise[1], 0.1),
        "noise": (noise[2], 0.05),
    }
    reps = {}
    for case, (codes, width) in codes_and_widths.items():
        logvar = 2 * np.log(np.broadcast_to(width, codes.shape))
        reps[case] = Representation(codes.astype(np.float32), factors, sizes, logvar=logvar.astype(np.float32))
    return reps


def case_table(name: str, metric: Callable[..., Mapping[str, float]], reps: Mapping[str, Representation]) -> str:
    """Up to eight numbers of a metric by case, the headline first, and why it does not apply where it does not."""
    scores: dict[str, Mapping[str, float]] = {}
    reasons: dict[str, list[str]] = {}
    for case, rep in reps.items():
        try:
            scores[case] = metric(rep, rng=np.random.default_rng([0, zlib.crc32(name.encode())]))  # as the stage does
        except NotApplicable as reason:
            scores[case] = {}
            reasons.setdefault(str(reason), []).append(case)
    keys = list(dict.fromkeys(key for values in scores.values() for key in values if not re.search(r"_factor_\d", key)))
    keys = sorted(keys, key=lambda key: key != name)[:8] or [name]
    rows = [[f"`{key}`", *(shown(values.get(key)) for values in scores.values())] for key in keys]
    notes = [f"– {', '.join(cases) if len(cases) < len(reps) else 'all'}: {why}" for why, cases in reasons.items()]
    return markdown_table(["number", *reps], rows) + "".join(f"\n{textwrap.fill(note, 138)}\n" for note in notes)


def shown(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:z.3f}" if abs(value) < 100 else f"{value:.4g}"


def overview(cases: Iterable[str]) -> str:
    """First rows of the tables in the metrics' pages."""
    rows = []
    for path in sorted(PAGES.glob("*.md")):
        _, _, content = path.read_text().partition("<!-- cases -->")
        row = re.search(r"^\| `(\w+)` \| (.*) \|$", content.partition("<!-- /cases -->")[0], flags=re.M)
        if row:
            rows.append([f"[{row[1]}]({path.name})", row[2]])
    return markdown_table(["number", *cases], rows)


def index(names: list[str]) -> str:
    rows = [
        [f"[{name}]" if (PAGES / f"{name}.md").exists() else name, describe(CONF / f"{name}.yaml")] for name in names
    ]
    links = [f"[{name}]: {name}.md" for name in names if (PAGES / f"{name}.md").exists()]
    return markdown_table(["`metric=`", "what it is"], rows) + "\n" + "\n".join(links) + "\n"


def numbers(metrics: Mapping[str, Callable[..., Mapping[str, float]]]) -> str:
    """Every number that a metric declares."""
    rows = [
        [
            f"`{number.name}{'_<size>' if number.sizes else ''}`" + _of_factors(number),
            f"[{name}]",
            {"higher": "↑", "lower": "↓"}.get(number.better or "", ""),
            number.unit or "",
        ]
        for name, metric in metrics.items()
        for number in numbers_of(metric)
    ]
    return markdown_table(["number", "`metric=`", "better", "unit"], rows)


def _of_factors(number: Number) -> str:
    return (", also of each factor" if number.of_all else ", of each factor") * number.per_factor


def write_numbers() -> None:
    fill(PAGES / "README.md", "numbers", numbers(all_metrics()))


def write_cases(chosen: list[str]) -> None:
    metrics, reps = all_metrics(), case_representations()
    if unknown := set(chosen) - metrics.keys():
        raise SystemExit(f"no such metric: {', '.join(sorted(unknown))}; there are {', '.join(metrics)}")
    for name in chosen or metrics:
        page = PAGES / f"{name}.md"
        if not page.exists():
            print(f"{name}: skipped, {page.relative_to(ROOT)} is missing", flush=True)
            continue
        start = time.monotonic()
        fill(page, "cases", case_table(name, metrics[name], reps))
        print(f"{name}: {time.monotonic() - start:.1f} s", flush=True)
    write_numbers()
    fill(PAGES / "README.md", "overview", overview(reps))
    fill(PAGES / "README.md", "index", index(list(metrics)))


# reference


class Fixture:
    """One representation of the reference fixtures: it was trained on 10,000 images and tested on 5,000 others."""

    def __init__(self, grid: str, name: str, counts: set[int]) -> None:
        self.grid, self.name, self.counts = grid, name, counts

    def stored(self, file: str) -> Arrays:
        return load(TESTS / "metrics" / "oracles" / f"{file}.npz")

    def split(self, num_train: int = 10_000) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Codes and factors to train on, then those of half as many other images to test on."""
        codes, factors = self._arrays
        test = slice(10_000, 10_000 + num_train // 2)
        return codes[:num_train], factors[:num_train], codes[test], factors[test]

    @property
    def train(self) -> tuple[np.ndarray, np.ndarray]:
        return self.split()[:2]

    def mean_over_seeds(self, entry: Callable[..., Mapping[str, float]], key: str, seeds: int = 3) -> dict[str, float]:
        scores = [entry(self._every_image, rng=np.random.default_rng(seed))[key] for seed in range(seeds)]
        return {"mean": float(np.mean(scores))}

    @cached_property
    def _arrays(self) -> tuple[np.ndarray, np.ndarray]:
        stored = self.stored(f"codes_{self.grid}")
        sizes = conftest().SIZES[self.grid]
        factors = conftest().full_grid(*sizes)[stored["rows"]]
        if self.grid == "small":
            return stored[self.name][stored["rows"]].astype(np.float64), factors
        codes = stored[self.name] if self.name in stored else conftest().exact_codes(self.name, factors, sizes)
        return codes.astype(np.float64), factors

    @cached_property
    def _every_image(self) -> Representation:
        sizes = conftest().SIZES[self.grid]
        factors = conftest().full_grid(*sizes)
        small = self.grid == "small"
        codes = self.stored("codes_small")[self.name] if small else conftest().dsprites_codes(self.name, factors)
        return Representation(codes.astype(np.float32), factors, sizes)


@cache
def conftest() -> Any:
    """The fixtures of the tests, for their grids and codes."""
    sys.path.insert(0, str(ROOT))
    return importlib.import_module("tests.metrics.conftest")


def explicitness(module: Any, fixture: Fixture) -> dict[str, Any]:
    return {
        f"explicitness_{split}{mark}": value
        for classifier, mark in (("multinomial", ""), ("one_vs_rest", "_ovr"))
        for split, value in module.explicitness_from_arrays(*fixture.split(), classifier=classifier).items()
    }


def sap(module: Any, fixture: Fixture) -> dict[str, Any]:
    discrete = module.sap_from_arrays(*fixture.split())
    continuous = module.sap_from_arrays(*fixture.split(), continuous=True)
    return {"sap": discrete, "sap_dual_true": discrete, "sap_continuous": continuous}


def unsupervised(module: Any, fixture: Fixture) -> dict[str, Any]:
    return module.unsupervised_from_arrays(fixture.train[0])


def beta_vae(module: Any, fixture: Fixture) -> dict[str, Any]:
    points = fixture.stored("points")
    parts = [
        f"{fixture.grid}_{fixture.name}_{split}_{part}" for split in ("train", "test") for part in ("points", "labels")
    ]
    values: dict[str, Any] = {"beta_vae": fixture.mean_over_seeds(module.beta_vae_score, "beta_vae_score")}
    if parts[0] in points:
        arrays = [points[part].astype(np.int64 if part.endswith("labels") else np.float64) for part in parts]
        values["beta_vae_classifier"] = module.classifier_accuracy(*arrays)
    return values


def factor_vae(module: Any, fixture: Fixture) -> dict[str, Any]:
    votes = fixture.stored("votes")
    train, test = (votes[f"{fixture.grid}_{fixture.name}_{split}"].astype(np.int64) for split in ("train", "test"))
    return {
        "factor_vae": fixture.mean_over_seeds(module.factor_vae_score, "factor_vae_score"),
        "factor_vae_votes": module.vote_accuracy(train, test),
    }


def dci(module: Any, fixture: Fixture) -> dict[str, Any]:
    values = {}
    for count in fixture.counts:
        importance = fixture.stored("importance")[f"{fixture.grid}_{fixture.name}_{count}"]
        values[f"{count}/dci"] = module.dci_from_arrays(*fixture.split(count), rng=np.random.default_rng(0))
        values[f"{count}/dci_from_importance"] = module.dci_from_importance(importance)
    return values


def udr(module: Any, fixture: Fixture) -> dict[str, Any]:
    codes, kl = (fixture.stored("udr")[f"{fixture.name}_{part}"] for part in ("codes", "kl"))
    values = {}
    for similarity in ("lasso", "spearman"):
        result = module.udr_from_codes(codes.astype(np.float64), kl, similarity=similarity, aggregate="library")
        values[similarity] = {"pairwise": result["pairwise"], "model_scores": result["scores"]}
    return values


CALLS: dict[str, tuple[str, Callable[[Any, Fixture], dict[str, Any]]]] = {
    r"beta_vae(_classifier)?": ("beta_vae_score", beta_vae),
    r"factor_vae(_votes)?": ("factor_vae_score", factor_vae),
    r"mig": ("mig", lambda module, fixture: {"mig": module.mig_from_arrays(*fixture.train)}),
    r"\d+/dci(_from_importance)?": ("dci", dci),
    r"sap(_dual_true|_continuous)?": ("sap", sap),
    r"modularity": (
        "modularity",
        lambda module, fixture: {"modularity": module.modularity_from_arrays(*fixture.train)},
    ),
    r"explicitness_(train|test)(_ovr)?": ("explicitness", explicitness),
    r"irs": ("irs", lambda module, fixture: {"irs": module.irs_from_arrays(*fixture.train)}),
    r"gaussian_\w+|mutual_info_score": ("unsupervised", unsupervised),
    r"lasso|spearman": ("udr", udr),
}
"""What the reference calls a number -> our module of it, and a call that gives such numbers by that name."""

TRUTHS = ("chen_mig", "mixture", "minibatch")
"""Fixtures that are no values of the library's: see `estimators`."""


class Comparison(NamedTuple):
    number: str
    codes: str
    ours: float
    reference: float | None  # None: NaN or infinite
    tolerance: float

    @property
    def difference(self) -> float:
        return 0.0 if self.reference is None else abs(self.ours - self.reference)

    @property
    def outside(self) -> bool:
        return self.difference > self.tolerance


def compare(number: str, codes: str, ours: Any, expected: Any, tolerance: Any) -> Iterator[Comparison]:
    """One comparison by number; of an array, the entry that differs most."""
    if isinstance(expected, dict):
        for key, value in expected.items():
            limit = tolerance[key] if isinstance(tolerance, dict) else tolerance
            yield from compare(f"{number}, {key}", codes, ours[key], value, limit)
    elif expected is None:
        yield Comparison(number, codes, float(ours), None, tolerance)
    else:
        mine, theirs = np.ravel(ours), np.ravel(expected)
        worst = np.abs(mine - theirs).argmax()
        yield Comparison(number, codes, float(mine[worst]), float(theirs[worst]), tolerance)


def compare_all() -> list[Comparison]:
    expected = json.loads((TESTS / "metrics" / "oracles" / "expected.json").read_text())
    fixtures: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
    for oracle, value in expected.items():
        grid, name, *suffix = oracle.split("/", 2)
        if grid not in TRUTHS:
            fixtures.setdefault((grid, name), {})["".join(suffix)] = value
    comparisons: list[Comparison] = []
    for pattern, (module_name, call) in CALLS.items():
        start = time.monotonic()
        module = importlib.import_module(f"disent_runner.metrics.{module_name}")
        for (grid, name), oracles in fixtures.items():
            wanted = {suffix: oracle for suffix, oracle in oracles.items() if re.fullmatch(pattern, suffix)}
            if wanted:
                counts = {int(suffix.partition("/")[0]) for suffix in wanted if "/" in suffix}
                values = call(module, Fixture(grid, name, counts))
                for suffix, oracle in wanted.items():
                    count, _, number = suffix.rpartition("/")
                    codes = "/".join(filter(None, (grid, name, count)))
                    comparisons += compare(
                        f"udr, {number}" if grid == "udr" else number, codes, values[suffix], **oracle
                    )
        print(f"{module_name}: {time.monotonic() - start:.1f} s", flush=True)
    return comparisons


def write_reference() -> None:
    sections: dict[str, list[Comparison]] = {}
    for row in compare_all():
        sections.setdefault(row.number, []).append(row)
    summary = [
        [
            number,
            str(len(rows)),
            f"{max(row.difference for row in rows):.1e}",
            f"{max(row.difference / row.tolerance for row in rows):.2f}",
            bold(str(sum(row.outside for row in rows)), any(row.outside for row in rows)),
        ]
        for number, rows in sections.items()
    ]
    text = markdown_table(["number", "codes", "largest difference", "in tolerances", "outside"], summary)
    for number, rows in sections.items():
        text += f"\n### {number}\n" + markdown_table(
            ["codes", "ours", "disentanglement_lib", "difference", "tolerance"],
            [
                [
                    row.codes,
                    f"{row.ours:.6f}",
                    "NaN or infinite" if row.reference is None else f"{row.reference:.6f}",
                    "–" if row.reference is None else bold(f"{row.difference:.1e}", row.outside),
                    f"{row.tolerance:.2g}",
                ]
                for row in rows
            ],
        )
    fill(PAGES / "reference.md", "reference", text)


def bold(text: str, is_bold: bool) -> str:
    return f"**{text}**" if is_bold else text


# estimators


SEEDS = 24
NUM_SAMPLES = (300, 1_000, 3_000, 10_000)
BATCHES = 200


def errors(values: np.ndarray) -> str:
    """Mean and standard deviation over seeds."""
    return f"{values.mean():+z.4f} ± {values.std(ddof=1):.4f}"


def expected_truths(kind: str) -> dict[str, Any]:
    expected = json.loads((TESTS / "metrics" / "oracles" / "expected.json").read_text())
    return {name.split("/")[1]: value["expected"] for name, value in expected.items() if name.startswith(f"{kind}/")}


def posterior_arrays(kind: str, name: str) -> tuple[np.ndarray, np.ndarray]:
    arrays = load(TESTS / "metrics" / "oracles" / "posteriors.npz")
    return arrays[f"{kind}_{name}_mean"], arrays[f"{kind}_{name}_logvar"]


def mig_exact_errors() -> str:
    sizes = (4, 5, 6, 7)
    factors = conftest().full_grid(*sizes)
    rows = []
    for name, truth in expected_truths("chen_mig").items():
        score = partial(
            mig_exact_from_posteriors, *posterior_arrays("chen_mig", name), factors=factors, factor_sizes=sizes
        )
        cells = [
            errors(np.array([score(num_samples=number, rng=rng)["mig_exact"] for rng in generators()]) - truth)
            for number in NUM_SAMPLES
        ]
        rows.append([name, f"{truth:.4f}", *cells])
    return markdown_table(["codes", "truth", *(f"{number:,} samples" for number in NUM_SAMPLES)], rows)


def kl_decomposition_errors() -> str:
    parts = ("index_code_mi", "total_correlation", "dimensionwise_kl")
    rows = []
    for name, truth in expected_truths("mixture").items():
        score = partial(kl_decomposition_from_posteriors, *posterior_arrays("mixture", name))
        runs = {number: [score(num_samples=number, rng=rng) for rng in generators()] for number in NUM_SAMPLES}
        for part in parts:
            cells = [errors(np.array([run[part] for run in group]) - truth[part]) for group in runs.values()]
            rows.append([name, part, f"{truth[part]:.4f}", *cells])
    return markdown_table(["codes", "part", "truth", *(f"{number:,} samples" for number in NUM_SAMPLES)], rows)


def generators() -> Iterator[np.random.Generator]:
    return (np.random.default_rng(seed) for seed in range(SEEDS))


def minibatch_errors() -> str:
    """Batch means of the estimates less those of the exact densities of all 200 images, at the same samples."""
    rows = []
    for name in expected_truths("mixture"):
        mean, logvar = (torch.from_numpy(array).double() for array in posterior_arrays("mixture", name))
        for batch in (16, 64, len(mean)):
            for estimator in LOG_WEIGHTS:
                found = np.array([batch_error(mean, logvar, batch, estimator, seed) for seed in range(BATCHES)])
                rows.append([name, str(batch), estimator, *(errors(column) for column in found.T)])
    return markdown_table(["codes", "batch", "estimator", "log q(z)", "log Π q(z_j)", "total correlation"], rows)


def batch_error(
    mean: torch.Tensor, logvar: torch.Tensor, batch: int, estimator: str, seed: int
) -> tuple[float, float, float]:
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randperm(len(mean), generator=generator)[:batch]
    noise = torch.randn(batch, mean.shape[1], generator=generator, dtype=mean.dtype)
    z = mean[rows] + (logvar[rows] / 2).exp() * noise
    log_qz, log_prod_qzj = aggregate_log_density(z, mean[rows], logvar[rows], len(mean), estimator=estimator)
    pairs = normal_log_density(z[:, None], mean[None], logvar[None])
    joint = (log_qz - pairs.sum(dim=2).logsumexp(dim=1) + math.log(len(mean))).mean().item()
    product = (log_prod_qzj - (pairs.logsumexp(dim=1) - math.log(len(mean))).sum(dim=1)).mean().item()
    return joint, product, joint - product


def minibatch_values() -> str:
    """Both estimators on two stored batches, beside values computed apart and other projects' variants."""
    variants = {
        "mws": "weighted",
        "mss": "stratified",
        "batch_mean": "mean over the batch, without N",
        "no_constant": "without log(NM)",
        "mss_as_coded_by_rtqichen": "stratified, 1/N in the first column",
    }
    rows = []
    for name, truth in expected_truths("minibatch").items():
        stored = load(TESTS / "losses" / "oracles" / f"minibatch_{name}.npz")
        z, mean, logvar = (torch.from_numpy(stored[part]).double() for part in ("z", "mu", "logvar"))
        for variant, words in variants.items():
            difference = "–"
            if words in LOG_WEIGHTS:
                ours = aggregate_log_density(z, mean, logvar, int(stored["dataset_size"]), estimator=words)
                difference = f"{abs((ours[0] - ours[1]).mean().item() - truth[variant]['tc']):.0e}"
            cells = [f"{truth[variant][key]:.3f}" for key in ("log_qz_mean", "log_prod_qzj_mean", "tc")]
            rows.append([f"{len(z)} of {int(stored['dataset_size']):,}", words, *cells, difference])
    return markdown_table(
        ["batch", "estimator", "log q(z)", "log Π q(z_j)", "total correlation", "ours differs by"], rows
    )


def write_estimators() -> None:
    for part in (mig_exact_errors, kl_decomposition_errors, minibatch_errors, minibatch_values):
        start = time.monotonic()
        fill(PAGES / "estimators.md", part.__name__, part())
        print(f"{part.__name__}: {time.monotonic() - start:.1f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("cases", "numbers", "reference", "estimators"))
    parser.add_argument("metrics", nargs="*", help="of `cases`: these only")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    match arguments.what:
        case "cases":
            write_cases(arguments.metrics)
        case "numbers":
            write_numbers()
        case "reference":
            write_reference()
        case "estimators":
            write_estimators()


if __name__ == "__main__":
    main()
