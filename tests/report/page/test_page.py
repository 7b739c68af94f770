import dataclasses
import html
import itertools
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disent_runner.report.page import page
from disent_runner.report.page.page import common_root, facts, script_text, spans, summary, title, write_page
from disent_runner.report.verdicts import Claim, Verdict
from tests.report.conftest import BETAS, HOSTILE, SEEDS, value

TEXTS = st.text(max_size=8) | st.text("<>&/script!-", max_size=8)
DATA = st.dictionaries(
    TEXTS, st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.lists(TEXTS), max_size=4
)


@given(DATA)
def test_data_in_a_script_is_json_and_cannot_end_the_script(data):
    text = str(script_text(data))
    assert json.loads(text) == data
    assert not set("<>&") & set(text)


def test_what_no_browser_reads_is_refused():
    with pytest.raises(ValueError, match="JSON compliant"):
        script_text([float("nan")])


@pytest.mark.parametrize(("numbers", "text"), [([0, 1, 2, 3], "0–3"), ([5], "5"), ([0, 2, 3, 7], "0, 2–3, 7")])
def test_numbers_in_a_row_are_drawn_together(numbers, text):
    assert spans(numbers) == text


@given(st.sets(st.integers(0, 60)))
def test_spans_say_all_numbers_and_no_other(numbers):
    ends = [[int(end) for end in span.split("–")] for span in spans(sorted(numbers)).split(", ") if span]
    assert [number for span in ends for number in range(span[0], span[-1] + 1)] == sorted(numbers)


def test_a_root_is_above_every_run():
    folders = [Path("/o/dsprites/vae/1/seed=0"), Path("/o/dsprites/vae/2/seed=0")]
    assert common_root(folders) == Path("/o/dsprites/vae")
    assert common_root(folders[:1]) == Path("/o/dsprites/vae/1"), "a single run still has a name below it"


@pytest.mark.slow
def test_the_head_says_what_there_is(report):
    assert title(report.runs) == "betavae, vae on dsprites"
    assert (
        facts(report).items()
        >= {
            "runs": "11",
            "settings": "5",
            "seeds": "3 (0–2)",
            "data": "dsprites (rendered)",
            "left out": "1 folder",
        }.items()
    )


def read(out: Path) -> tuple[str, dict, list[dict]]:
    """The page, its data and its details of runs."""
    text = (out / "index.html").read_text()
    data, *parts = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.DOTALL)
    return text, json.loads(data), [json.loads(part) for part in parts]


def test_a_page_holds_every_run_once(report, report_folder):
    _, data, parts = read(report_folder)
    details = [run for part in parts for run in part["runs"]]
    assert len({run["key"] for run in data["runs"]}) == len(details) == len(report.runs)
    assert data["parts"] == []
    place = [run["key"] for run in data["runs"]].index("betavae/16.0/seed=2")
    numbers = {name: number for name, number, *_ in details[place]["numbers"]}
    assert numbers["elbo"] == value("elbo", 16.0, 2)


@pytest.mark.usefixtures("report")
def test_every_setting_and_seed_has_a_row(report_folder):
    table = read(report_folder)[1]["tables"]["runs"]
    names = [column["name"] for column in table["columns"]]
    rows = [dict(zip(names, row, strict=True)) for row in table["rows"]]
    values = {(row["model.beta"][0], row["seed"]): row["reconstruction"] for row in rows if row["model"] == "betavae"}
    keys = itertools.product(BETAS, SEEDS)
    assert values == {(beta, seed): value("reconstruction", beta, seed) for beta, seed in keys}


def test_a_page_is_one_file_and_asks_for_no_other(report, tmp_path):
    """And the same report gives the same page, in which no hostile name stands as it is."""
    write_page(report, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]
    text, *_ = read(tmp_path)
    assert "http:" not in re.sub(r"data:[^\"']*|http://www\.w3\.org/\S+", "", text)
    assert "https:" not in text
    sources = re.findall(r'src="([^"]*)"', text)
    assert len(sources) == len(report.plots) > 5
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert HOSTILE not in text
    assert "<img src=x" not in text
    write_page(report, tmp_path)
    assert (tmp_path / "index.html").read_text() == text


def test_details_of_an_earlier_report_go_away(report, tmp_path, monkeypatch):
    monkeypatch.setattr(page, "MOST_RUNS_INSIDE", 2)
    monkeypatch.setattr(page, "RUNS_PER_PART", 4)
    (tmp_path / "run_details").mkdir()
    (tmp_path / "run_details/earlier.js").write_text("receivePart(0, {});")
    write_page(report, tmp_path)
    _, data, parts = read(tmp_path)
    assert parts == []
    assert sorted(f"run_details/{path.name}" for path in (tmp_path / "run_details").iterdir()) == sorted(data["parts"])
    assert len(data["parts"]) == 3
    for number, file in enumerate(data["parts"]):
        call = re.fullmatch(r"receivePart\((\d+), (.*)\);\n", (tmp_path / file).read_text())
        assert call is not None
        assert int(call[1]) == number
        assert len(json.loads(call[2])["runs"]) == (4, 4, 3)[number]


def test_a_verdict_is_on_the_page_and_its_texts_are_texts(mixed, tmp_path):
    claim = Claim(f"{HOSTILE} < 3, on average", "not shown", "not shown by these 3 seeds", "0.1 [-0.2, 0.3]")
    facts = {"experiment": "a/b", "shows": HOSTILE, "source": HOSTILE, "scale": "smoke", "judged_by": "interval"}
    verdict = Verdict(Path("sweeps/1"), **facts, verdict="not shown", claims=[claim], head=["n"], lines=[[HOSTILE]])
    write_page(dataclasses.replace(mixed, verdicts=[verdict]), tmp_path)
    text, *_ = read(tmp_path)
    assert '<span class="verdict not-shown">not shown</span>' in text
    assert '<span class="verdict not-shown">not shown by these 3 seeds</span>' in text
    assert "0.1 [-0.2, 0.3]" in text
    assert text.count(html.escape(HOSTILE)) >= 4
    assert "<img src=x" not in text


def test_a_title_counts_what_would_not_fit(mixed):
    assert title(mixed.runs) == "4 models on dsprites, toyfaces"
    assert summary(mixed) == "36 runs of 19 settings on dsprites (rendered), toyfaces (rendered)"
