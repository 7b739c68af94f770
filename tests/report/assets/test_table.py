"""Tables of the page: sorted, filtered, and what stands in them."""

import csv
import re
import statistics

import pytest
from playwright.sync_api import expect

from tests.report.assets.conftest import IN_BROWSER, NAMES, column_texts, sort_button, sort_state
from tests.report.conftest import BETAS, SEEDS, value

pytestmark = IN_BROWSER


@pytest.mark.parametrize("number", ["mig", "reconstruction", "elbo"])
def test_runs_sort_by_a_number_both_ways(open_page, number):
    page = open_page()
    rising = [NAMES[key] for key in sorted(NAMES, key=lambda key: value(number, *key))]
    orders = {}
    for _ in range(2):
        sort_button(page, "#runs", number).click()
        orders[sort_state(page, "#runs", number)] = column_texts(page, "#runs", "run")
    beta_vaes = {state: [text for text in order if text.startswith("betavae")] for state, order in orders.items()}
    assert beta_vaes == {"ascending": rising, "descending": rising[::-1]}
    if number != "mig":
        for order in orders.values():
            assert not order[-1].startswith("betavae"), "the run without a value stands last, whichever the direction"


def test_means_sort_as_the_csv_file_says(open_page, report_folder):
    page = open_page()
    with (report_folder / "table.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["model"] == "betavae"]
    rows.sort(key=lambda row: float(row["reconstruction mean"]))
    page.locator("#means").get_by_label("settings as columns").check()
    sort_button(page, "#means", "reconstruction").click()
    assert sort_state(page, "#means", "reconstruction") == "ascending", "the best first: lower is better"
    assert column_texts(page, "#means", "model.beta")[:3] == [f"{float(row['model.beta']):g}" for row in rows]
    sort_button(page, "#means", "mig").click()
    assert sort_state(page, "#means", "mig") == "descending", "the best first: higher is better"
    assert page.locator("#means [aria-sort]").count() == 1


def test_heads_sort_by_keyboard(open_page):
    page = open_page()
    sort_button(page, "#runs", "seed").focus()
    page.keyboard.press("Enter")
    assert sort_state(page, "#runs", "seed") == "ascending"
    page.keyboard.press("Space")
    assert sort_state(page, "#runs", "seed") == "descending"
    assert column_texts(page, "#runs", "seed") == sorted(column_texts(page, "#runs", "seed"), reverse=True)


def test_cells_are_those_of_the_runs(open_page):
    """Means as the statistics module has them, the best bold, a dash where there is no value."""
    page = open_page()
    cells = dict(zip(column_texts(page, "#means", "setting"), column_texts(page, "#means", "mig"), strict=True))
    for beta in BETAS:
        values = [value("mig", beta, seed) for seed in SEEDS]
        mean, deviation = (float(text) for text in cells[f"betavae β={beta:g}"].split(" ± "))
        assert mean == pytest.approx(statistics.fmean(values), abs=6e-4)
        assert deviation == pytest.approx(statistics.stdev(values), abs=6e-4)
    means = {beta: statistics.fmean(value("reconstruction", beta, seed) for seed in SEEDS) for beta in BETAS}
    best = page.locator("#means tbody tr", has=page.locator("td.best strong"))
    lowest = min(means, key=lambda beta: means[beta])
    expect(best.filter(has_text=f"betavae β={lowest:g}").locator("td.best").last).to_have_css("font-weight", "400")
    weights = page.locator("td.best strong").evaluate_all("all => all.map((cell) => getComputedStyle(cell).fontWeight)")
    assert set(weights) == {"700"}
    accuracies = dict(zip(column_texts(page, "#runs", "run"), column_texts(page, "#runs", "sap"), strict=True))
    assert accuracies[NAMES[1.0, 0]] == "–"
    assert float(accuracies[NAMES[4.0, 0]]) == 0.5


def test_words_and_menus_filter_together(open_page):
    page = open_page()
    controls, rows = page.locator("#runs form"), page.locator("#runs tbody tr")
    options = page.get_by_label("model.beta").first.locator("option").all_inner_texts()
    assert options == ["all", "1", "4", "16", "–"], "values in their order"
    controls.get_by_text("Filters (").click()
    controls.get_by_role("searchbox").fill("BETAVAE β=4")
    expect(rows).to_have_count(3)
    expect(controls.locator("output")).to_have_text("3 of 11 runs")
    controls.get_by_label("seed").select_option("2")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text(NAMES[4.0, 2])
    controls.get_by_role("searchbox").fill("no such thing")
    expect(rows).to_have_text("Nothing passes the filters.")
    controls.get_by_role("button", name="Clear").click()
    expect(rows).to_have_count(11)
    controls.get_by_role("combobox", name=re.compile("^model$")).select_option("vae")
    expect(rows).to_have_count(2)


def test_a_setting_shows_its_runs(open_page):
    page = open_page()
    page.locator("#means").get_by_role("button", name="betavae β=16").click()
    assert column_texts(page, "#runs", "run") == [NAMES[16.0, seed] for seed in SEEDS]
    page.get_by_role("button", name="Show not only betavae β=16").click()
    expect(page.locator("#runs tbody tr")).to_have_count(11)
