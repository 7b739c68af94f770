"""One browser and one tab for all tests of the page."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, sync_playwright

from disent_runner.report.report import Report
from tests.report.conftest import BETAS, SEEDS

RUN = "#run=betavae/4.0/seed=1"
NAMES = {(beta, seed): f"betavae β={beta:g} seed {seed}" for beta in BETAS for seed in SEEDS}
CHROMIUM = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
IN_BROWSER = [pytest.mark.slow, pytest.mark.xdist_group("browser")]
"""Marks of all these tests: slow, and of one process, which has the browser."""
Open = Callable[..., Page]


@dataclass
class Log:
    """What went on behind the page of a test."""

    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def tab() -> Iterator[tuple[Page, Log]]:
    executable = shutil.which("chromium")
    if executable is None and os.environ.get("DISENT_BROWSER_TESTS") == "1":
        pytest.fail("no chromium on the PATH, and DISENT_BROWSER_TESTS=1 asks for the tests in it: install chromium")
    if executable is None:
        pytest.skip("needs chromium on the PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(CHROMIUM))
        page, log = browser.new_page(), Log()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: log.errors.append(message.text) if message.type != "log" else None)
        page.on("pageerror", lambda error: log.errors.append(str(error)))
        page.on("requestfailed", lambda request: log.errors.append(f"failed: {request.url}"))
        page.on("request", lambda request: log.requests.append(request.url))
        yield page, log
        browser.close()


@pytest.fixture
def log(tab: tuple[Page, Log]) -> Log:
    return tab[1]


@pytest.fixture
def open_page(tab: tuple[Page, Log], report: Report, report_folder: Path) -> Iterator[Open]:
    """`open_page("#runs", width=390, color_scheme="dark")`: the page anew; no error may have shown up at the end."""
    page, log = tab
    log.errors.clear()
    log.requests.clear()

    def open_it(anchor: str = "", *, folder: Path = report_folder, width: int = 1280, **media: Any) -> Page:
        page.goto("about:blank")  # else the page is not loaded anew where the anchor alone differs
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(**{"color_scheme": "light", "reduced_motion": "no-preference", **media})
        page.goto((folder / "index.html").as_uri() + anchor)
        return page

    yield open_it
    page.evaluate("localStorage.clear()")
    assert log.errors == []
    assert [url for url in log.requests if not url.startswith(("file:", "data:", "about:"))] == []


def column_texts(page: Page, table: str, head: str) -> list[str]:
    """A column of a table as it is shown."""
    heads = [text.split("\u00a0")[0] for text in page.locator(f"{table} thead th").all_inner_texts()]
    return page.locator(f"{table} tbody tr > :nth-child({heads.index(head) + 1})").all_inner_texts()


def sort_button(page: Page, table: str, head: str) -> Locator:
    return page.locator(f"{table} thead button", has_text=re.compile(rf"^{head}(\u00a0|$)"))


def sort_state(page: Page, table: str, head: str) -> str | None:
    return sort_button(page, table, head).locator("xpath=..").get_attribute("aria-sort")


def open_details(page: Page) -> None:
    page.locator("details").evaluate_all("all => all.forEach((details) => { details.open = true; })")
