"""Our values beside those of disentanglement_lib."""

import importlib
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from scripts.tables.pages import PAGES, TESTS, Arrays, conftest, fill, load

from disent_runner.machine.markdown import markdown_table
from disent_runner.representations.representation import Representation


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
    expected = json.loads((TESTS / "metrics" / "oracles" / "expected.json").read_text(encoding="utf-8"))
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
