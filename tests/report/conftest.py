"""What tests of reports share: a sweep of written run folders, and the report of it, made once."""

import io
import itertools
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from disent_runner.report.making import make, read, tabulated
from disent_runner.report.page.page import write_page
from disent_runner.report.report import Report
from disent_runner.runs.figures import write_picture
from disent_runner.runs.scores import write_scores
from disent_runner.runs.train_log import append_row
from tests.report.folders import of_seed, score, write_codes, write_run

HOSTILE = "<img src=x onerror=window.hacked=1></script><script>window.hacked=1</script>"
BETAS, SEEDS = (1.0, 4.0, 16.0), (0, 1, 2)
DETAILED = 4.0
"""β of the runs that have pictures and long curves."""
TRAIN_ROWS = 450


@contextmanager
def no_waiting_for_disks() -> Iterator[None]:
    """No machine loses its power here, and a run folder is synced a dozen times."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(scope="module", autouse=True)
def _fast_disks() -> Iterator[None]:
    with no_waiting_for_disks():
        yield


def value(number: str, beta: float, seed: int) -> float:
    """Numbers whose order is another one as text, some of them negative."""
    place = BETAS.index(beta) * len(SEEDS) + seed
    return {
        "mig": 0.1 + 0.037 * (place * 5 % 9),
        "reconstruction": 3.7 ** (place * 4 % 9 - 2),
        "elbo": 11.5 - 3 * place,
    }[number]


def write_train_log(folder: Path, rows: int) -> None:
    for step in range(100, 100 * rows + 1, 100):
        loss = math.nan if step == 200 else 4000 / math.sqrt(step)
        latents = {f"kl_latent_{latent}": latent + step / 1e4 for latent in range(9)}
        append_row(folder, {"step": step, "loss": loss, "kl": math.log(step), "discriminator_accuracy": 0.5, **latents})


def write_pictures(folder: Path) -> None:
    """A GIF that turns from black to white and back, and pictures that stand still."""
    frames = [Image.new("L", (40, 30), shade) for shade in (0, 255)]
    moving, still = io.BytesIO(), io.BytesIO()
    frames[0].save(moving, format="gif", save_all=True, append_images=frames[1:], duration=150, loop=0)
    Image.new("RGB", (60, 40), (0, 114, 178)).save(still, format="png")
    write_picture(folder, "traversals_prior_animated.gif", moving.getvalue())
    for name in ("samples", "loss_curves", "reconstructions", "traversals_prior"):
        write_picture(folder, f"{name}.png", still.getvalue())


def write_sweep(root: Path) -> None:
    """Three settings of three seeds, two of a model without β, one of a hostile name, and a folder to be left out."""
    codes = np.random.default_rng(0)
    for beta, seed in itertools.product(BETAS, SEEDS):
        scores = [score(number, value(number, beta, seed)) for number in ("mig", "reconstruction", "elbo")]
        scores.append(score("mig", value("mig", beta, seed) / 2, factor="scale"))
        scores.append(score("sap", 0.5) if beta == DETAILED else score("sap", None, skipped="no classes"))
        folder = write_run(root / f"betavae/{beta}/seed={seed}", scores, beta=beta, seed=seed)
        write_codes(folder, codes.normal(size=(60, 4)))
        write_train_log(folder, TRAIN_ROWS if beta == DETAILED else 3)
        if beta == DETAILED:
            write_pictures(folder)
    for name, mig in (("plain", 0.04), (HOSTILE, 0.05)):
        folder = root / "vae" / name.replace("/", "|")
        write_run(folder, [score("mig", mig)], model="vae", settings={"model.note": name})
    damaged = write_run(root / "vae" / "torn")
    (damaged / "metrics.json").write_text(f'[{{"name": "{HOSTILE}"')


def write_mixed(root: Path) -> None:
    """36 runs of 19 settings: models, data sets, factors and images of several kinds, an evaluation of few factors."""
    numbers = (
        *("mig", "sap", "dci_disentanglement", "modularity", "reconstruction", "factor_vae_score", "elbo", "irs"),
        *("explicitness", "total_correlation"),
    )
    kinds: list[dict[str, Any]] = [
        *({"model": "betavae", "beta": beta} for beta in (1.0, 2.0, 4.0, 8.0, 16.0)),
        {"model": "betavae", "beta": 4.0, "settings": {"optimizer.lr": 1e-3, "dataset.batch_size": 32}},
        *({"model": model} for model in ("vae", "factorvae", "pca")),
    ]
    for place, kind in enumerate(kinds):
        for seed in (0, 1):
            for name in ("dsprites", "toyfaces"):
                making = {"dataset": name, "num_images": 2000 if name == "dsprites" else 500}
                scores = [score(number, 1234.5678 / (1 + place + seed), **making) for number in numbers]
                data = {"hash": f"hash of {name}"}
                folder = root / name / f"{place}" / f"seed={seed}"
                write_run(folder, scores, dataset=name, seed=seed, data=data, **kind)
    narrow = [score(number, 0.25, factors=("scale",)) for number in numbers[:3]]
    write_scores(root / "dsprites/6/seed=1", [of_seed(row, 1) for row in narrow])


@pytest.fixture(scope="session")
def mixed_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Many runs of many kinds below one folder."""
    folder = tmp_path_factory.mktemp("mixed")
    with no_waiting_for_disks():
        write_mixed(folder)
    return folder


@pytest.fixture(scope="session")
def mixed(mixed_runs: Path) -> Report:
    """What is read of them; nothing is drawn."""
    return tabulated(*read([mixed_runs]))


@pytest.fixture(scope="session")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run folders below one folder."""
    folder = tmp_path_factory.mktemp("sweep")
    with no_waiting_for_disks():
        write_sweep(folder)
    return folder


@pytest.fixture(scope="session")
def report_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where `report` is written."""
    return tmp_path_factory.mktemp("report")


@pytest.fixture(scope="session")
def report(sweep: Path, report_folder: Path) -> Report:
    """What `disent-report` makes of the sweep, all its files written."""
    report = make([sweep], report_folder)
    write_page(report, report_folder)
    return report
