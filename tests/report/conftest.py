"""What the tests of the page share: a report of written run folders by the real command, and a real browser."""

import csv
import itertools
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from disent_runner.report.making import make
from disent_runner.report.report import Report
from tests.report.folders import row, write_codes, write_run

HOSTILE = "<img src=x onerror=window.hacked=1></script><script>window.hacked=1</script>"
BETAS, SEEDS = (1.0, 4.0, 16.0), (0, 1, 2)
CHROMIUM = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
TRAIN_ROWS = 450


def value(number: str, beta: float, seed: int) -> float:
    """Numbers whose order is another one as text, some of them negative."""
    place = BETAS.index(beta) * len(SEEDS) + seed
    return {
        "mig": 0.1 + 0.037 * (place * 5 % 9),
        "reconstruction": 3.7 ** (place * 4 % 9 - 2),
        "elbo": 11.5 - 3 * place,
    }[number]


def write_train_log(folder: Path, rows: int = TRAIN_ROWS) -> None:
    head = ["step", "loss", "kl", "discriminator_accuracy", *(f"kl_latent_{latent}" for latent in range(9))]
    with (folder / "train.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        for step in range(100, 100 * rows + 1, 100):
            loss = math.nan if step == 200 else 4000 / math.sqrt(step)
            writer.writerow([step, loss, math.log(step), 0.5, *(latent + step / 1e4 for latent in range(9))])


def write_pictures(folder: Path) -> None:
    """A GIF that turns from black to white and back, and pictures that stand still."""
    figures = folder / "figures"
    figures.mkdir()
    frames = [Image.new("L", (40, 30), shade) for shade in (0, 255)]
    frames[0].save(
        figures / "traversals_prior_animated.gif", save_all=True, append_images=frames[1:], duration=150, loop=0
    )
    for name in ("samples", "loss_curves", "reconstructions", "traversals_prior"):
        Image.new("RGB", (60, 40), (0, 114, 178)).save(figures / f"{name}.png")


def write_sweep(root: Path) -> None:
    """Three settings of three seeds, two of a model without β, one of a hostile name, and a folder to be left out."""
    codes = np.random.default_rng(0)
    for beta, seed in itertools.product(BETAS, SEEDS):
        rows = [row(number, value(number, beta, seed)) for number in ("mig", "reconstruction", "elbo")]
        rows.append(row("mig_scale", value("mig", beta, seed) / 2, metric="mig"))
        rows.append(row("sap", 0.5, better="higher") if beta == 4 else row("sap", None, skipped="no classes"))
        folder = write_run(root / f"betavae/{beta}/seed={seed}", rows, beta=beta, seed=seed)
        write_train_log(folder)
        write_pictures(folder)
        write_codes(folder, codes.normal(size=(60, 4)))
    for name, mig in (("plain", 0.04), (HOSTILE, 0.05)):
        write_run(root / "vae" / name.replace("/", "|"), [row("mig", mig)], model="vae", note=name)
    write_run(root / "vae" / "torn")
    (root / "vae" / "torn" / "metrics.json").write_text(f'[{{"name": "{HOSTILE}"')


@pytest.fixture(scope="session")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run folders below one folder."""
    folder = tmp_path_factory.mktemp("sweep")
    write_sweep(folder)
    return folder


@pytest.fixture(scope="session")
def report(sweep: Path, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """What pages are written from."""
    return make([sweep], tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="session")
def written(sweep: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report that `disent-report` itself wrote."""
    out = tmp_path_factory.mktemp("written")
    command = Path(sys.executable).with_name("disent-report")
    subprocess.run([command, sweep, "--out", out], check=True, capture_output=True, timeout=120)
    return out


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = shutil.which("chromium")
    if executable is None and os.environ.get("DISENT_BROWSER_TESTS") == "1":
        pytest.fail("no chromium on the PATH, and DISENT_BROWSER_TESTS=1 asks for the tests in it: install chromium")
    if executable is None:
        pytest.skip("needs chromium on the PATH")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=list(CHROMIUM))
        yield started
        started.close()


@dataclass
class Seen:
    """What went on behind a page."""

    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


Open = Callable[..., Page]


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def open_page(browser: Browser, written: Path, seen: Seen) -> Iterator[Open]:
    """`open_page("#runs", width=390, color_scheme="dark")`: a fresh page; no error may have shown up at the end."""
    contexts = []

    def open_it(hash_: str = "", *, folder: Path = written, width: int = 1280, **options: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: seen.errors.append(message.text) if message.type != "log" else None)
        page.on("pageerror", lambda error: seen.errors.append(str(error)))
        page.on("requestfailed", lambda request: seen.errors.append(f"failed: {request.url}"))
        page.on("request", lambda request: seen.requests.append(request.url))
        page.goto((folder / "index.html").as_uri() + hash_)
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert seen.errors == []
    assert [url for url in seen.requests if not url.startswith(("file:", "data:"))] == []
