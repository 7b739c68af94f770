"""Colours, and screens of all widths."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.report.assets.conftest import IN_BROWSER, RUN, open_details, sort_button

pytestmark = IN_BROWSER

LOW_CONTRAST = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const background = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const [r, g, b, alpha = 1] = parse(getComputedStyle(at).backgroundColor);
      if (alpha > 0) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const failures = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let texts = 0;
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const isCode = element.closest("script, style") !== null;
    const isText = walker.currentNode.data.trim() && element.checkVisibility() && !isCode;
    if (!isText || element.closest(":disabled")) continue;
    texts += 1;
    const style = getComputedStyle(element), color = element.closest("svg") ? style.fill : style.color;
    const [low, high] = [luminance(parse(color).slice(0, 3)), luminance(background(element))].sort((a, b) => a - b);
    const contrast = (high + 0.05) / (low + 0.05);
    if (contrast < 4.5) failures.push(`${walker.currentNode.data.trim()}: ${contrast.toFixed(2)}`);
  }
  return { texts, failures };
}"""


@pytest.mark.parametrize("anchor", ["", RUN])
def test_a_phone_scrolls_down_only(open_page, anchor):
    page = open_page(anchor, width=390)
    expect(page.locator("h1:visible")).to_be_visible()
    open_details(page)
    page.wait_for_timeout(100)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    box = page.locator("#run .chart" if anchor else "#means .scroll")
    assert box.evaluate("box => box.clientWidth") <= 390
    if not anchor:
        page.locator("#means").get_by_label("settings as columns").check()
        assert box.evaluate("box => box.scrollWidth > box.clientWidth"), "the table scrolls inside its box"


@pytest.mark.parametrize("anchor", ["", RUN])
def test_texts_stand_out_from_their_ground(open_page, anchor):
    page = open_page(anchor)
    if anchor:
        expect(page.locator(".chart svg")).to_be_visible()
    sort_button(page, "#means", "mig").evaluate("button => button.click()")
    open_details(page)
    for color_scheme in ("light", "dark"):
        page.emulate_media(color_scheme=color_scheme)
        contrast = page.evaluate(LOW_CONTRAST)
        assert contrast["texts"] > 50
        assert contrast["failures"] == []


def is_light(page: Page) -> bool:
    ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    return sum(map(int, re.findall(r"\d+", ground))) > 384


def test_dark_is_dark_and_the_button_turns_it(open_page):
    page = open_page(color_scheme="dark")
    assert not is_light(page)
    page = open_page(color_scheme="light")
    assert is_light(page)
    page.get_by_role("button", name="Dark colours").click()
    assert not is_light(page)
    expect(page.get_by_role("button", name="Dark colours")).to_have_attribute("aria-pressed", "true")
    page.reload()
    assert not is_light(page), "the choice is kept"
    page.get_by_role("button", name="Dark colours").click()
    assert is_light(page)
