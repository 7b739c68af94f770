"""The page as a whole: loaded, linked, walked through by mouse and keyboard."""

import itertools

import pytest
from playwright.sync_api import expect

from disent_runner.report.page import page as page_module
from disent_runner.report.page import pictures as page_pictures
from disent_runner.report.page.page import write_page
from tests.report.assets.conftest import IN_BROWSER, NAMES, RUN
from tests.report.conftest import HOSTILE

pytestmark = IN_BROWSER


def test_it_loads_from_one_file(open_page, log):
    page = open_page()
    expect(page.locator("#means tbody tr")).to_have_count(5)
    expect(page.locator("#runs tbody tr")).to_have_count(11)
    expect(page.locator("h1")).to_have_text("betavae, vae on dsprites")
    page.wait_for_load_state("networkidle")
    assert [url for url in log.requests if not url.startswith(("data:", "about:"))] == [page.url]


def test_a_run_opens_by_mouse_and_back_leads_where_one_was(open_page, sweep):
    page = open_page()
    link = page.get_by_role("link", name=NAMES[4.0, 1])
    link.scroll_into_view_if_needed()
    page.mouse.wheel(0, 120)
    page.wait_for_function("scrollY > 0")
    page.wait_for_timeout(100)
    before = page.evaluate("scrollY")
    link.click()
    expect(page.locator("h1:visible")).to_have_text(NAMES[4.0, 1])
    expect(page).to_have_title(f"{NAMES[4.0, 1]} · betavae, vae on dsprites")
    assert page.url.endswith(RUN)
    expect(page.locator("#overview")).to_be_hidden()
    page.get_by_text("config.yaml", exact=True).click()
    assert page.locator("pre").inner_text() == (sweep / "betavae/4.0/seed=1/config.yaml").read_text()
    page.go_back()
    expect(link).to_be_focused()
    expect(page.locator("#run")).to_be_hidden()
    page.wait_for_function("(before) => Math.abs(scrollY - before) < 2", arg=before)
    page.go_forward()
    expect(page.locator("h1:visible")).to_have_text(NAMES[4.0, 1])


def test_a_click_anywhere_in_a_row_opens_its_run(open_page):
    page = open_page()
    page.locator("#runs tbody tr", has_text=NAMES[1.0, 2]).locator("td").nth(1).click()
    expect(page.locator("h1:visible")).to_have_text(NAMES[1.0, 2])


def test_the_keyboard_reaches_all_and_shows_where_it_is(open_page):
    page = open_page()
    focus = """() => {
      const at = document.activeElement;
      return [at.closest("section")?.id, at.textContent, getComputedStyle(at).outlineStyle];
    }"""
    stops = []
    for _ in range(80):
        page.keyboard.press("Tab")
        stops.append(page.evaluate(focus))
        if stops[-1][1] == NAMES[1.0, 0]:
            break
    places = {(section, text.split("\u00a0")[0]) for section, text, _ in stops}
    assert places >= {
        ("means", ""),
        ("means", "mig"),
        ("means", "betavae β=1"),
        ("runs", "mig"),
        ("runs", NAMES[1.0, 0]),
    }
    assert {outline for *_, outline in stops} <= {"solid", "auto"}
    page.keyboard.press("Enter")
    expect(page.locator("h1:visible")).to_have_text(NAMES[1.0, 0])
    expect(page.locator("h1:visible")).to_be_focused()


def test_a_link_to_a_run_opens_it_and_so_does_a_reload(open_page):
    page = open_page(RUN)
    expect(page.locator("h1:visible")).to_have_text(NAMES[4.0, 1])
    page.reload()
    expect(page.locator("h1:visible")).to_have_text(NAMES[4.0, 1])
    page.get_by_role("link", name="Next →").click()
    expect(page.locator("h1:visible")).to_have_text(NAMES[4.0, 2])
    page.get_by_role("link", name="All runs").click()
    expect(page.locator("#runs h2")).to_be_in_viewport()


@pytest.mark.parametrize("name", ["nothing/like/it", "100%", HOSTILE])
def test_a_link_to_no_run_says_so(open_page, name):
    page = open_page(f"#run={name}")
    expect(page.locator("h1:visible")).to_have_text("No such run")
    expect(page.locator("#run")).to_contain_text(f"This report has no run {name}")


def test_a_link_to_a_section_leads_there(open_page):
    page = open_page(reduced_motion="reduce")  # without it the page glides there
    for anchor in ("runs", "plots", "udr", "downloads"):
        page.evaluate("(anchor) => { location.hash = anchor; }", anchor)
        expect(page.locator(f"#{anchor}-heading")).to_be_in_viewport()
    expect(open_page("#udr").locator("#udr-heading")).to_be_in_viewport()


def test_texts_of_folders_are_texts(open_page):
    page = open_page()
    expect(page.locator("#left-out tbody")).to_contain_text("metrics.json is damaged")
    for table in ("#means", "#runs"):
        expect(page.locator(f"{table} tbody")).to_contain_text(f"vae note={HOSTILE}")
    page.locator("#runs tbody a", has_text=HOSTILE).click()
    expect(page.locator("h1:visible")).to_contain_text(HOSTILE)
    page.get_by_text("config.yaml", exact=True).click()
    expect(page.locator("pre")).to_contain_text(HOSTILE)
    expect(page.locator("#run")).to_contain_text(HOSTILE.replace("/", "|"))  # its folder
    expect(page.locator("#run")).to_contain_text("Its folder has no train.csv")
    page.wait_for_timeout(100)
    assert page.evaluate("window.hacked") is None
    page.reload()
    expect(page.locator("h1:visible")).to_contain_text(HOSTILE)
    assert page.evaluate("window.hacked") is None


def test_headings_and_landmarks(open_page):
    page = open_page()
    levels = page.locator("h1:visible, h2:visible, h3:visible").evaluate_all(
        "all => all.map((heading) => Number(heading.tagName[1]))"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(second - first <= 1 for first, second in itertools.pairwise(levels))
    for role in ("banner", "main"):
        expect(page.get_by_role(role)).to_have_count(1)
    nameless = page.locator("button:visible, a:visible, input:visible, select:visible").evaluate_all(
        """all => all.filter((control) => !(control.ariaLabel || control.innerText?.trim() || control.labels?.length))
                     .map((control) => control.outerHTML)"""
    )
    assert nameless == []


@pytest.fixture
def many(report, tmp_path, monkeypatch):
    """A page that takes details from files, two runs each, and links the pictures."""
    monkeypatch.setattr(page_module, "MOST_RUNS_INSIDE", 3)
    monkeypatch.setattr(page_module, "RUNS_PER_PART", 2)
    monkeypatch.setattr(page_pictures, "MOST_BYTES", 1)
    folder = tmp_path / "out"
    write_page(report, folder)
    return folder


def test_details_of_many_runs_come_from_files_beside_the_page(open_page, many, log):
    assert len(list((many / "run_details").glob("*.js"))) == 6
    page = open_page(folder=many)
    expect(page.locator("#runs tbody tr")).to_have_count(11)
    assert not [url for url in log.requests if "run_details" in url], "only what is looked at is loaded"
    page.get_by_role("link", name=NAMES[4.0, 1]).click()
    expect(page.locator(".chart svg")).to_be_visible()
    pictures = page.locator("#run img")
    expect(pictures).to_have_count(5)
    loaded = """all => Promise.all(all.map(async (picture) => {
      await picture.decode();
      return [picture.src.slice(0, 5), picture.naturalWidth > 0];
    }))"""
    assert pictures.evaluate_all(loaded) == [["file:", True]] * 5
    page.get_by_role("link", name="Next →").click()
    expect(page.locator("h1:visible")).to_have_text(NAMES[4.0, 2])
    expect(page.locator(".chart svg")).to_be_visible()
    assert len({url for url in log.requests if "run_details" in url}) == 2


def test_details_that_went_away_are_said_to_be(open_page, many, log):
    for file in (many / "run_details").glob("*.js"):
        file.unlink()
    page = open_page(RUN, folder=many)
    expect(page.locator("#run .note")).to_contain_text("keep the page in its folder")
    assert any("run_details" in error for error in log.errors)
    log.errors.clear()
