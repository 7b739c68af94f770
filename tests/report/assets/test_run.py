"""The view of a run: its numbers and its pictures."""

import io
import re
import statistics

import pytest
from PIL import Image, ImageStat
from playwright.sync_api import Page, expect

from tests.report.assets.conftest import IN_BROWSER, RUN
from tests.report.conftest import SEEDS, value

pytestmark = IN_BROWSER


def test_a_run_shows_its_numbers_beside_the_mean_of_its_seeds(open_page):
    page = open_page(RUN)
    row = page.locator(".panel tr", has_text=re.compile("^mig"))
    number, mean = row.locator("td").all_inner_texts()
    assert float(number) == pytest.approx(value("mig", 4.0, 1), abs=6e-4)
    expected = statistics.fmean(value("mig", 4.0, seed) for seed in SEEDS)
    assert float(mean.split(" ")[0]) == pytest.approx(expected, abs=6e-4)
    page.get_by_text("All 5 numbers, and how they were made").click()
    numbers = page.get_by_role("region", name="All numbers")
    expect(numbers).to_contain_text("num_bins=20")
    expect(numbers).to_contain_text("mig_scale")
    expect(numbers.locator("caption")).to_contain_text("step 300")


def test_all_pictures_are_there_and_have_a_text(open_page):
    loaded = """all => Promise.all(all.map(async (picture) => {
      picture.loading = 'eager';
      await picture.decode();
      return [picture.naturalWidth, picture.alt];
    }))"""
    for anchor, place in (("", "#overview img"), (RUN, "#run img")):
        page = open_page(anchor)
        expect(page.locator(place).first).to_be_visible()
        pictures = page.locator(place).evaluate_all(loaded)
        assert len(pictures) >= 5
        assert all(width > 0 and len(alt) > 10 for width, alt in pictures)
    headings = page.locator("#run h3").all_inner_texts()
    kinds = ["Traversals", "Reconstructions", "Samples"]
    assert [heading for heading in headings if heading in kinds] == kinds


def shades(page: Page, looks: int) -> set[str]:
    """Of the GIF as the screen shows it: black, white or both; it is looked at until it was both, or so many times."""
    picture = page.locator(".pictures figure").first.locator("img, canvas").locator("visible=true")
    colours: set[str] = set()
    for look in range(looks):
        page.wait_for_timeout(10 * look)  # never in step with the frames, of 150 ms each
        (mean,) = ImageStat.Stat(Image.open(io.BytesIO(picture.screenshot())).convert("L")).mean
        colours.add("white" if mean > 127 else "black")
        if len(colours) == 2:
            break
    return colours


def test_the_gif_plays_until_it_is_stopped(open_page):
    page = open_page(RUN)
    page.get_by_role("button", name="Stop").scroll_into_view_if_needed()
    assert shades(page, looks=30) == {"black", "white"}
    page.get_by_role("button", name="Stop").click()
    assert len(shades(page, looks=8)) == 1
    page.get_by_role("button", name="Play").click()
    assert shades(page, looks=30) == {"black", "white"}


def test_nothing_moves_for_who_prefers_that(open_page):
    page = open_page(RUN, reduced_motion="reduce")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    page.get_by_role("button", name="Play").scroll_into_view_if_needed()
    assert len(shades(page, looks=8)) == 1


def test_a_picture_is_enlarged_and_closed_by_escape(open_page):
    page = open_page()
    page.get_by_role("button", name="Enlarge").first.click()
    expect(page.locator("dialog img")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_be_hidden()
    expect(page.get_by_role("button", name="Enlarge").first).to_be_focused()
