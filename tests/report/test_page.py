import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disent_runner.report import page
from disent_runner.report.page import common_root, facts, script_text, spans, title, write_page
from tests.report.conftest import BETAS, HOSTILE, SEEDS, value

DATA = st.dictionaries(st.text(), st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.lists(st.text()))


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


def test_the_head_says_what_there_is(report):
    assert title(report.runs) == "betavae, vae on dsprites"
    said = facts(report)
    assert said["runs"] == "11"
    assert said["settings"] == "5"
    assert said["seeds"] == "3 (0–2)"
    assert said["data"] == "dsprites (rendered)"
    assert said["left out"] == "1 folder"


def read(out: Path) -> tuple[str, dict, list[dict]]:
    """The page, its data and its details of runs."""
    text = (out / "index.html").read_text()
    data, *parts = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.DOTALL)
    return text, json.loads(data), [json.loads(part) for part in parts]


def test_a_page_holds_every_run_once(report, tmp_path):
    write_page(report, tmp_path)
    _, data, parts = read(tmp_path)
    details = [each for part in parts for each in part["runs"]]
    assert len({run["key"] for run in data["runs"]}) == len(details) == len(report.runs)
    assert data["parts"] == []
    place = [run["key"] for run in data["runs"]].index("betavae/16.0/seed=2")
    numbers = {name: number for name, number, *_ in details[place]["numbers"]}
    assert numbers["elbo"] == value("elbo", 16.0, 2)


def test_a_page_is_one_file_and_asks_for_no_other(report, tmp_path):
    write_page(report, tmp_path)
    text, *_ = read(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index.html"]
    assert "http:" not in re.sub(r"data:[^\"']*|http://www\.w3\.org/\S+", "", text)
    assert "https:" not in text
    sources = re.findall(r'src="([^"]*)"', text)
    assert sources
    assert all(source.startswith("data:image/png;base64,") for source in sources)


def test_a_hostile_name_appears_nowhere_as_it_is(report, tmp_path):
    write_page(report, tmp_path)
    text, *_ = read(tmp_path)
    assert HOSTILE not in text
    assert "<img src=x" not in text


def test_the_same_report_gives_the_same_page(report, tmp_path):
    for name in ("first", "second"):
        write_page(report, tmp_path / name)
    assert (tmp_path / "first/index.html").read_bytes() == (tmp_path / "second/index.html").read_bytes()


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


def test_every_setting_and_seed_has_a_row(report, tmp_path):
    write_page(report, tmp_path)
    _, data, _ = read(tmp_path)
    table = data["tables"]["runs"]
    names = [column["name"] for column in table["columns"]]
    shown = {
        (row[names.index("model.beta")][0], row[names.index("seed")]): row
        for row in table["rows"]
        if row[3] == "betavae"
    }
    assert set(shown) == {(beta, seed) for beta in BETAS for seed in SEEDS}
    for (beta, seed), row in shown.items():
        assert row[names.index("reconstruction")] == value("reconstruction", beta, seed)
