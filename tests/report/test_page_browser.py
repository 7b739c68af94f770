"""The page in a real browser, as `disent-report` wrote it."""

import csv
import io
import itertools
import re
import statistics

import pytest
from PIL import Image, ImageStat
from playwright.sync_api import Page, expect

from disent_runner.report import page as page_module
from disent_runner.report import page_pictures
from disent_runner.report.page import write_page
from tests.report.conftest import BETAS, HOSTILE, SEEDS, TRAIN_ROWS, value

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

RUN = "#run=betavae/4.0/seed=1"
NAMES = {(beta, seed): f"betavae β={beta:g} seed {seed}" for beta in BETAS for seed in SEEDS}
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
  const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
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
    if (contrast < 4.5) found.push(`${walker.currentNode.data.trim()}: ${contrast.toFixed(2)}`);
  }
  return { texts, found };
}"""


def texts(page: Page, table: str, head: str) -> list[str]:
    """A column of a table as it is shown."""
    heads = [text.split("\u00a0")[0] for text in page.locator(f"{table} thead th").all_inner_texts()]
    return page.locator(f"{table} tbody tr > :nth-child({heads.index(head) + 1})").all_inner_texts()


def sort_button(page: Page, table: str, head: str):
    return page.locator(f"{table} thead button", has_text=re.compile(rf"^{head}(\u00a0|$)"))


def sort_state(page: Page, table: str, head: str) -> str | None:
    return sort_button(page, table, head).locator("xpath=..").get_attribute("aria-sort")


def scroll_width(page: Page) -> int:
    return page.evaluate("document.documentElement.scrollWidth")


def test_it_loads_from_one_file(open_page, seen):
    page = open_page()
    expect(page.locator("#means tbody tr")).to_have_count(5)
    expect(page.locator("#runs tbody tr")).to_have_count(11)
    expect(page.locator("h1")).to_have_text("betavae, vae on dsprites")
    page.wait_for_load_state("networkidle")
    assert [url for url in seen.requests if not url.startswith("data:")] == [page.url]


@pytest.mark.parametrize("number", ["mig", "reconstruction", "elbo"])
def test_runs_sort_by_a_number_both_ways(open_page, number):
    page = open_page()
    rising = [NAMES[key] for key in sorted(NAMES, key=lambda key: value(number, *key))]
    orders = {}
    for _ in range(2):
        sort_button(page, "#runs", number).click()
        orders[sort_state(page, "#runs", number)] = [text for text in texts(page, "#runs", "run") if "vae" in text]
    with_value = [text for text in orders["ascending"] if text.startswith("betavae")]
    assert with_value == rising
    assert [text for text in orders["descending"] if text.startswith("betavae")] == rising[::-1]
    if number != "mig":
        for order in orders.values():
            assert not order[-1].startswith("betavae"), "the run without a value stands last, whichever the direction"


def test_means_sort_as_the_csv_file_says(open_page, written):
    with (written / "table.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["model"] == "betavae"]
    rows.sort(key=lambda row: float(row["reconstruction mean"]))
    page = open_page()
    sort_button(page, "#means", "reconstruction").click()
    assert sort_state(page, "#means", "reconstruction") == "ascending", "the best first: lower is better"
    assert texts(page, "#means", "model.beta")[:3] == [f"{float(row['model.beta']):g}" for row in rows]
    sort_button(page, "#means", "mig").click()
    assert sort_state(page, "#means", "mig") == "descending", "the best first: higher is better"
    assert page.locator("#means [aria-sort]").count() == 1


def test_means_are_those_of_the_statistics_module(open_page):
    page = open_page()
    shown = dict(zip(texts(page, "#means", "setting"), texts(page, "#means", "mig"), strict=True))
    for beta in BETAS:
        values = [value("mig", beta, seed) for seed in SEEDS]
        mean, deviation = (float(text) for text in shown[f"betavae β={beta:g}"].split(" ± "))
        assert mean == pytest.approx(statistics.fmean(values), abs=6e-4)
        assert deviation == pytest.approx(statistics.stdev(values), abs=6e-4)


def test_the_best_are_bold_and_said_so(open_page):
    page = open_page()
    means = {beta: statistics.fmean(value("reconstruction", beta, seed) for seed in SEEDS) for beta in BETAS}
    best = page.locator("#means tbody tr", has=page.locator("td.best strong"))
    lowest = min(means, key=lambda beta: means[beta])
    expect(best.filter(has_text=f"betavae β={lowest:g}").locator("td.best").last).to_have_css("font-weight", "400")
    weights = page.locator("td.best strong").evaluate_all("all => all.map((each) => getComputedStyle(each).fontWeight)")
    assert weights
    assert set(weights) == {"700"}


def test_a_missing_value_is_a_dash(open_page):
    page = open_page()
    shown = dict(zip(texts(page, "#runs", "run"), texts(page, "#runs", "sap"), strict=True))
    assert shown[NAMES[1.0, 0]] == "–"
    assert float(shown[NAMES[4.0, 0]]) == 0.5


def test_words_and_menus_filter_together(open_page):
    page = open_page()
    controls, rows = page.locator("#runs form"), page.locator("#runs tbody tr")
    controls.get_by_label("Filter").fill("BETAVAE β=4")
    expect(rows).to_have_count(3)
    expect(controls.locator("output")).to_have_text("3 of 11 runs")
    controls.get_by_label("seed").select_option("2")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text(NAMES[4.0, 2])
    controls.get_by_label("Filter").fill("no such thing")
    expect(rows).to_have_text("Nothing passes the filters.")
    controls.get_by_role("button", name="Clear").click()
    expect(rows).to_have_count(11)
    controls.get_by_role("combobox", name=re.compile("^model$")).select_option("vae")
    expect(rows).to_have_count(2)


def test_menus_hold_the_values_in_their_order(open_page):
    page = open_page()
    assert page.get_by_label("model.beta").first.locator("option").all_inner_texts() == ["all", "1", "4", "16", "–"]


def test_a_setting_shows_its_runs(open_page):
    page = open_page()
    page.locator("#means").get_by_role("button", name="betavae β=16").click()
    assert texts(page, "#runs", "run") == [NAMES[16.0, seed] for seed in SEEDS]
    page.get_by_role("button", name="Show not only betavae β=16").click()
    expect(page.locator("#runs tbody tr")).to_have_count(11)


def test_a_run_opens_by_mouse_and_back_leads_where_one_was(open_page, sweep):
    page = open_page()
    link = page.get_by_role("link", name=NAMES[4.0, 1])
    link.scroll_into_view_if_needed()
    page.mouse.wheel(0, 120)
    page.wait_for_timeout(300)
    before = page.evaluate("scrollY")
    assert before > 0
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
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        focus = "[document.activeElement.textContent, getComputedStyle(document.activeElement).outlineStyle]"
        reached.append(page.evaluate(f"[document.activeElement.closest('section')?.id, ...{focus}]"))
        if reached[-1][1] == NAMES[1.0, 0]:
            break
    places = [(section, text.split("\u00a0")[0]) for section, text, _ in reached]
    for wanted in [
        ("means", ""),
        ("means", "model.beta"),
        ("means", "betavae β=1"),
        ("runs", "mig"),
        ("runs", NAMES[1.0, 0]),
    ]:
        assert wanted in places
    assert {outline for *_, outline in reached} <= {"solid", "auto"}
    page.keyboard.press("Enter")
    expect(page.locator("h1:visible")).to_have_text(NAMES[1.0, 0])
    expect(page.locator("h1:visible")).to_be_focused()


def test_heads_sort_by_keyboard(open_page):
    page = open_page()
    sort_button(page, "#runs", "seed").focus()
    page.keyboard.press("Enter")
    assert sort_state(page, "#runs", "seed") == "ascending"
    page.keyboard.press("Space")
    assert sort_state(page, "#runs", "seed") == "descending"
    assert texts(page, "#runs", "seed") == sorted(texts(page, "#runs", "seed"), reverse=True)


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


@pytest.mark.parametrize("anchor", ["runs", "plots", "udr", "downloads"])
def test_a_link_to_a_section_leads_there(open_page, anchor):
    expect(open_page(f"#{anchor}").locator(f"#{anchor}-heading")).to_be_in_viewport()


def test_a_run_shows_its_numbers_beside_the_mean_of_its_seeds(open_page):
    page = open_page(RUN)
    row = page.locator(".panel tr", has_text=re.compile("^mig"))
    shown, mean = row.locator("td").all_inner_texts()
    assert float(shown) == pytest.approx(value("mig", 4.0, 1), abs=6e-4)
    assert float(mean.split(" ")[0]) == pytest.approx(
        statistics.fmean(value("mig", 4.0, seed) for seed in SEEDS), abs=6e-4
    )
    page.get_by_text("All 5 numbers, and how they were made").click()
    made = page.get_by_role("region", name="All numbers")
    expect(made).to_contain_text("num_bins=20")
    expect(made).to_contain_text("mig_scale")
    expect(made.locator("caption")).to_contain_text("step 300")


def test_all_pictures_are_there_and_have_a_text(open_page):
    page = open_page()
    loaded = """all => Promise.all(all.map(async (each) => {
      each.loading = 'eager';
      await each.decode();
      return [each.naturalWidth, each.alt];
    }))"""
    for place, least in (("#overview img", 5), ("#run img", 5)):
        if place == "#run img":
            page.goto(page.url + RUN)
            expect(page.locator(".chart svg")).to_be_visible()
        shown = page.locator(place).evaluate_all(loaded)
        assert len(shown) >= least
        assert all(width > 0 and len(alt) > 10 for width, alt in shown)
    assert [
        heading
        for heading in page.locator("#run h3").all_inner_texts()
        if heading in ("Traversals", "Reconstructions", "Samples")
    ] == ["Traversals", "Reconstructions", "Samples"]


def shades(page: Page, looks: int) -> set[str]:
    """Of the GIF as the screen shows it: black, white or both; it is looked at until it was both, or so many times."""
    picture = page.locator(".pictures figure").first.locator("img, canvas").locator("visible=true")
    found: set[str] = set()
    for look in range(looks):
        page.wait_for_timeout(10 * look)  # never in step with the frames
        (mean,) = ImageStat.Stat(Image.open(io.BytesIO(picture.screenshot())).convert("L")).mean
        found.add("white" if mean > 127 else "black")
        if len(found) == 2:
            break
    return found


def test_the_gif_plays_until_it_is_stopped(open_page):
    page = open_page(RUN)
    page.get_by_role("button", name="Stop").scroll_into_view_if_needed()
    assert shades(page, looks=30) == {"black", "white"}
    page.get_by_role("button", name="Stop").click()
    assert len(shades(page, looks=12)) == 1
    page.get_by_role("button", name="Play").click()
    assert shades(page, looks=30) == {"black", "white"}


def test_nothing_moves_for_who_prefers_that(open_page):
    page = open_page(RUN, reduced_motion="reduce")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    page.get_by_role("button", name="Play").scroll_into_view_if_needed()
    assert len(shades(page, looks=12)) == 1


def test_a_picture_is_enlarged_and_closed_by_escape(open_page):
    page = open_page()
    page.get_by_role("button", name="Enlarge").first.click()
    expect(page.locator("dialog img")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_be_hidden()
    expect(page.get_by_role("button", name="Enlarge").first).to_be_focused()


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


@pytest.mark.parametrize("hash_", ["", RUN])
def test_a_phone_scrolls_down_only(open_page, hash_):
    page = open_page(hash_, width=390)
    expect(page.locator("h1:visible")).to_be_visible()
    for details in page.locator("details").all():
        details.evaluate("each => { each.open = true; }")
    page.wait_for_timeout(200)
    assert scroll_width(page) == 390
    box = page.locator("#means .scroll" if not hash_ else "#run .chart")
    assert box.evaluate("each => each.clientWidth") <= 390
    if not hash_:
        assert box.evaluate("each => each.scrollWidth > each.clientWidth"), "the table scrolls inside its box"


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
@pytest.mark.parametrize("hash_", ["", RUN])
def test_texts_stand_out_from_their_ground(open_page, hash_, color_scheme):
    page = open_page(hash_, color_scheme=color_scheme)
    if hash_:
        expect(page.locator(".chart svg")).to_be_visible()
    sort_button(page, "#means", "mig").evaluate("each => each.click()")
    for details in page.locator("details").all():
        details.evaluate("each => { each.open = true; }")
    measured = page.evaluate(LOW_CONTRAST)
    assert measured["texts"] > 50
    assert measured["found"] == []


def test_dark_is_dark_and_the_button_turns_it(open_page):
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light, dark = open_page(color_scheme="light"), open_page(color_scheme="dark")
    grounds = [page.evaluate(ground) for page in (light, dark)]
    assert [sum(map(int, re.findall(r"\d+", each))) > 384 for each in grounds] == [True, False]
    light.get_by_role("button", name="Dark colours").click()
    assert light.evaluate(ground) == grounds[1]
    expect(light.get_by_role("button", name="Dark colours")).to_have_attribute("aria-pressed", "true")
    light.reload()
    assert light.evaluate(ground) == grounds[1], "the choice is kept"
    light.get_by_role("button", name="Dark colours").click()
    assert light.evaluate(ground) == grounds[0]


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
    page.wait_for_timeout(200)
    assert page.evaluate("window.hacked") is None
    page.reload()
    expect(page.locator("h1:visible")).to_contain_text(HOSTILE)
    assert page.evaluate("window.hacked") is None


def test_headings_and_landmarks(open_page):
    page = open_page()
    levels = page.locator("h1:visible, h2:visible, h3:visible").evaluate_all(
        "all => all.map((each) => Number(each.tagName[1]))"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(second - first <= 1 for first, second in itertools.pairwise(levels))
    for role in ("banner", "main"):
        expect(page.get_by_role(role)).to_have_count(1)
    names = page.locator("button:visible, a:visible, input:visible, select:visible").evaluate_all(
        """all => all.filter((each) => !(each.ariaLabel || each.innerText?.trim() || each.labels?.length))
                     .map((each) => each.outerHTML)"""
    )
    assert names == []


@pytest.fixture
def many(report, tmp_path, monkeypatch):
    """A page that takes details from files, two runs each, and links the pictures."""
    monkeypatch.setattr(page_module, "MOST_RUNS_INSIDE", 3)
    monkeypatch.setattr(page_module, "RUNS_PER_PART", 2)
    monkeypatch.setattr(page_pictures, "MOST_BYTES", 1)
    out = tmp_path / "out"
    write_page(report, out)
    return out


def test_details_of_many_runs_come_from_files_beside_the_page(open_page, many, seen):
    assert len(list((many / "run_details").glob("*.js"))) == 6
    page = open_page(folder=many)
    expect(page.locator("#runs tbody tr")).to_have_count(11)
    assert not [url for url in seen.requests if "run_details" in url], "only what is looked at is loaded"
    page.get_by_role("link", name=NAMES[4.0, 1]).click()
    expect(page.locator(".chart svg")).to_be_visible()
    pictures = page.locator("#run img")
    expect(pictures).to_have_count(5)
    assert all(url.startswith("file:") for url in pictures.evaluate_all("all => all.map((each) => each.src)"))
    assert all(
        pictures.evaluate_all(
            "all => Promise.all(all.map(async (each) => { await each.decode(); return each.naturalWidth > 0; }))"
        )
    )
    page.get_by_role("link", name="Next →").click()
    expect(page.locator("h1:visible")).to_have_text(NAMES[4.0, 2])
    expect(page.locator(".chart svg")).to_be_visible()
    assert len({url for url in seen.requests if "run_details" in url}) == 2


def test_details_that_went_away_are_said_to_be(browser, many):
    for file in (many / "run_details").glob("*.js"):
        file.unlink()
    page = browser.new_page()
    page.goto((many / "index.html").as_uri() + RUN)
    expect(page.locator("#run .note")).to_contain_text("keep the page in its folder")
    page.close()
