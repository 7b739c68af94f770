"""What is seen of a report of mixed runs before anything is touched."""

import pytest
from playwright.sync_api import expect

from disent_runner.report.page.page import write_page
from tests.report.assets.conftest import IN_BROWSER

pytestmark = IN_BROWSER

SEEN = """() => [...document.querySelectorAll("#means tbody tr")].filter((row) => {
  const cells = [...row.children].slice(0, 6), box = document.querySelector("#means .scroll").getBoundingClientRect();
  return cells.every((cell) => {
    const { left, right, top, bottom } = cell.getBoundingClientRect();
    return left >= box.left - 1 && right <= box.right + 1 && top >= 0 && bottom <= Math.min(innerHeight, box.bottom);
  });
}).length"""
"""Rows whose setting, n and four numbers are all on the screen."""


@pytest.fixture(scope="module")
def mixed_folder(mixed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    write_page(mixed, folder)
    return folder


@pytest.mark.parametrize(("width", "height", "fewest"), [(1440, 900, 10), (390, 844, 6)])
def test_settings_with_n_and_four_numbers_are_in_the_first_screen(open_page, mixed_folder, width, height, fewest):
    page = open_page(folder=mixed_folder, width=width)
    page.set_viewport_size({"width": width, "height": height})
    expect(page.locator("#means tbody tr")).to_have_count(19)
    assert page.evaluate(SEEN) >= fewest
    heads = page.locator("#means thead th").all_inner_texts()
    assert [head.split("\u00a0")[0].replace("\n", "") for head in heads[:4]] == ["setting", "n", "mig", "sap"]
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_filters_and_settings_are_a_click_away(open_page, mixed_folder):
    page = open_page(folder=mixed_folder)
    controls = page.locator("#means form")
    expect(controls.get_by_label("model.beta")).to_be_hidden()
    controls.get_by_text("Filters (").click()
    expect(controls.get_by_label("model.beta")).to_be_visible()
    expect(page.locator("#means thead")).not_to_contain_text("model.beta")
    controls.get_by_label("settings as columns").check()
    expect(page.locator("#means thead")).to_contain_text("model.beta")
    page.locator("#means").get_by_role("button", name="dsprites: betavae β=16").click()
    expect(page.locator("#runs .about")).to_contain_text("rendered")


def test_a_picture_of_each_setting_is_seen_without_a_click(open_page):
    """Of the first run that has one; a name below it leads to that run, and the table's filters hold for pictures."""
    page = open_page()
    pictures = page.locator("#gallery figure")
    expect(pictures).to_have_count(1)
    expect(pictures.locator("img")).to_have_js_property("naturalWidth", 60)
    page.locator("#gallery select").select_option("samples")
    expect(pictures.get_by_alt_text("samples of betavae β=4")).to_be_visible()
    page.locator("#means").get_by_role("searchbox").fill("β=16")
    expect(pictures).to_have_count(0)
    page.locator("#means").get_by_role("searchbox").fill("β=4")
    pictures.get_by_role("link").click()
    expect(page.locator("h1:visible")).to_have_text("betavae β=4 seed 0")
