"""Training curves."""

import re

from playwright.sync_api import expect

from tests.report.assets.conftest import IN_BROWSER, RUN
from tests.report.conftest import TRAIN_ROWS

pytestmark = IN_BROWSER


def test_curves_are_drawn_term_by_term(open_page):
    page = open_page(RUN)
    expect(page.locator(".chart svg")).to_have_attribute("role", "img")
    assert "nats" in page.locator(".chart text").all_text_contents()
    points = page.locator(".chart .curve").get_attribute("d")
    assert points is not None
    assert 190 <= len(re.findall("[ML]", points)) <= 200
    expect(page.locator(".source")).to_contain_text(f"200 of {TRAIN_ROWS} rows")
    term = page.get_by_label("Term")
    term.select_option("kl_latent (9)")
    expect(page.locator(".chart .curve")).to_have_count(9)
    expect(page.locator(".legend li")).to_have_count(9)
    term.select_option("discriminator_accuracy")
    assert "nats" not in page.locator(".chart text").all_text_contents()


def test_the_slider_reads_curves_by_keyboard(open_page):
    page = open_page(RUN)
    page.get_by_label("Term").select_option("kl")
    page.get_by_role("slider").press("Home")
    expect(page.locator(".reader output")).to_have_text("100")
    expect(page.locator(".legend .value")).to_have_text("4.605")  # ln 100
