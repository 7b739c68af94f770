import csv
import io
import math
import re
import statistics
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from disent_runner.report import tables
from disent_runner.report.making import read, tabulated
from disent_runner.report.run import Omission
from tests.report.folders import score, write_run

MIG = {1.0: [0.10, 0.20, 0.33], 4.0: [0.30, 0.31, 0.29], 16.0: [0.05]}
RECONSTRUCTION = {1.0: [20.0, 21.0, 25.0], 4.0: [40.0, 41.0], 16.0: []}


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    for beta, values in MIG.items():
        for seed, value in enumerate(values):
            error = RECONSTRUCTION[beta][seed] if seed < len(RECONSTRUCTION[beta]) else None
            rows = [score("mig", value), score("reconstruction", error, settings={})]
            write_run(folder / f"{beta}-{seed}", rows, beta=beta, seed=seed)
    return tabulated(*read([folder]))


def report_of(folder) -> Any:
    return tabulated(*read([folder]))


def test_means_and_deviations_are_those_of_the_statistics_module(report):
    table: Any = report.table
    assert list(table["model.beta", ""]) == list(MIG)
    for number, values in (("mig", MIG), ("reconstruction", RECONSTRUCTION)):
        for place, sample in enumerate(values.values()):
            mean = statistics.mean(sample) if sample else math.nan
            deviation = statistics.stdev(sample) if len(sample) > 1 else math.nan
            assert table[number, "mean"][place] == pytest.approx(mean, nan_ok=True)
            assert table[number, "std"][place] == pytest.approx(deviation, nan_ok=True)
            assert table[number, "n"][place] == len(sample)
    assert list(table["n", ""]) == [3, 3, 1]


def test_cells_are_mean_and_deviation_with_n_where_it_is_another(report):
    formatted = report.formatted
    assert list(formatted["mig"]) == ["0.210 ± 0.115", "0.300 ± 0.010", "0.050"]
    assert list(formatted["reconstruction"]) == ["22.0 ± 2.6", "40.5 ± 0.7 (n=2)", "–"]


def test_the_best_are_bold_in_the_direction_that_is_better(report):
    best = report.best
    assert list(best["mig"]) == [False, True, False]
    assert list(best["reconstruction"]) == [True, False, False]
    assert not best[["dataset", "source", "model", "model.beta", "n"]].to_numpy().any()


def test_all_with_the_best_printed_mean_are_bold_and_nothing_is_where_no_side_is_better(tmp_path):
    for beta, value in ((1.0, 0.3001), (2.0, 0.3004), (3.0, 0.3006)):
        write_run(tmp_path / f"{beta}", [score("mig", value), score("active_units", beta)], beta=beta)
    report = report_of(tmp_path)
    assert list(report.formatted["mig"]) == ["0.300", "0.300", "0.301"]
    assert list(report.best["mig"]) == [False, False, True]
    assert not report.best["active_units"].any()
    write_run(tmp_path / "4.0", [score("mig", 0.3007)], beta=4.0)
    assert list(report_of(tmp_path).best["mig"]) == [False, False, True, True]


@pytest.mark.parametrize("making", [{"dataset": "shapes3d"}, {"num_images": 9}, {"settings": {"num_bins": 9}}])
def test_only_settings_of_the_same_data_and_evaluation_are_compared(tmp_path, making):
    for beta, value, facts in ((1.0, 0.1, {}), (2.0, 0.2, {}), (1.0, 0.9, making)):
        write_run(tmp_path / f"{value}", [score("mig", value, **facts)], beta=beta, seed=int(value * 10))
    report = report_of(tmp_path)
    means: Any = report.table["mig", "mean"]
    assert means[report.best["mig"]].tolist() == [0.2]


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.98765, 0.5], ["0.988", "0.500"]),
        ([0.0123456], ["0.0123"]),
        ([3740.98, 2.0], ["3741.0", "2.0"]),
        ([12.345], ["12.3"]),
        ([-1.2345], ["-1.23"]),
        ([0.0], ["0.000"]),
        ([1e-12], ["0.000000000"]),
    ],
)
def test_three_digits_of_the_largest_mean(values, texts):
    columns = {("n", ""): [1] * len(values), ("x", "mean"): values, ("x", "std"): [math.nan] * len(values)}
    formatted = tables.formatted_table(pd.DataFrame({**columns, ("x", "n"): [1] * len(values)}))
    assert list(formatted["x"]) == texts


def parsed_markdown(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in text.splitlines()]


def test_markdown_parsed_back_is_the_table(report):
    formatted, best = report.formatted, report.best
    head, rule, *rows = parsed_markdown(tables.markdown(formatted, best, report.directions))
    assert head == ["dataset", "source", "model", "model.beta", "n", "mig ↑", "reconstruction ↓"]
    assert rule == ["---"] * len(head)
    assert [[cell.strip("*") for cell in cells] for cells in rows] == formatted.to_numpy().tolist()
    assert [[cell.startswith("**") for cell in cells] for cells in rows] == best.to_numpy().tolist()


def test_csv_parsed_back_is_the_table(report):
    table = report.table
    head, *rows = csv.reader(io.StringIO(tables.table_csv(table)))
    assert head[:8] == ["dataset", "source", "model", "model.beta", "n", "mig mean", "mig std", "mig n"]
    assert head == [f"{name} {kind}".strip() for name, kind in table.columns]
    for texts, values in zip(rows, table.to_numpy().tolist(), strict=True):
        for text, value in zip(texts, values, strict=True):
            assert (text == "") if value != value else (text == value or float(text) == value)


def test_the_tidy_table_has_every_number_of_every_run(report):
    runs = report.runs
    rows = list(csv.DictReader(io.StringIO(tables.runs_csv(runs))))
    assert len(rows) == 2 * len(runs)
    first = rows[0]
    assert first["folder"] == str(runs[0].folder)
    expected = {"dataset": "dsprites", "source": "rendered", "model": "betavae", "model.beta": "1", "number": "mig"}
    assert first.items() >= {**expected, "value": "0.1", "better": "higher", "metric_settings": "num_bins=20"}.items()
    values = [float(row["value"]) for row in rows if row["number"] == "mig"]
    assert values == [MIG[run.identity["model.beta"]][run.seed] for run in runs]


def test_the_tidy_table_has_steps_factors_units_and_reasons(tmp_path):
    skipped = score("sap", None, skipped="no, labels")
    write_run(tmp_path / "a", [score("mig", 0.1, step=100), score("mig", 0.25, factor="scale", unit="nats"), skipped])
    rows = csv.DictReader(io.StringIO(tables.runs_csv(report_of(tmp_path).runs)))
    columns = ("step", "number", "factor", "value", "unit", "reason")
    assert [tuple(row[column] for column in columns) for row in rows] == [
        ("100", "mig", "", "0.1", "", ""),
        ("300", "mig_scale", "scale", "0.25", "nats", ""),
        ("300", "sap", "", "", "", "no, labels"),
    ]


def test_what_is_left_out_is_listed(tmp_path):
    text = tables.left_out_csv([Omission(tmp_path, 'no "metrics", yet')], ["versions differ"])
    assert list(csv.reader(io.StringIO(text))) == [
        ["folder", "reason"],
        [str(tmp_path), 'no "metrics", yet'],
        ["", "versions differ"],
    ]


def test_latex_is_balanced_and_has_a_cell_for_each_column(report):
    text = tables.latex(report.formatted, report.best, report.directions)
    body = text.split("\\toprule\n")[1].split("\\bottomrule")[0].replace("\\midrule\n", "")
    lines = body.strip().split("\n")
    assert all(line.endswith(r" \\") for line in lines)
    assert {len(re.split(r"(?<!\\)&", line)) for line in lines} == {report.formatted.shape[1]}
    assert re.search(r"\\begin\{tabular\}\{llllrrr\}", text)
    assert text.rstrip().endswith(r"\end{tabular}")
    assert lines[0].endswith(r"mig $\uparrow$ & reconstruction $\downarrow$ \\")
    assert lines[2].endswith(r"\textbf{0.300 $\pm$ 0.010} & 40.5 $\pm$ 0.7 (n=2) \\")


COMMANDS = re.compile(
    r"\\(?:textbackslash|textasciitilde|textasciicircum|textless|textgreater|textbar)\{\}|\\[&%$#_{}]"
)


@given(st.text(alphabet=st.characters(codec="ascii", exclude_categories=["Cc"])))
def test_no_character_of_a_text_is_a_command_of_latex(text):
    escaped = tables.tex_text(text)
    assert not set(COMMANDS.sub("", escaped)) & set("\\{}$&#^_~%<>|")
    inverse = {value: key for key, value in tables._TEX.items()}
    assert COMMANDS.sub(lambda match: inverse[match[0]], escaped) == " ".join(text.split())


def test_a_name_with_a_pipe_does_not_break_the_markdown(tmp_path):
    write_run(tmp_path / "a", [score("mig", 0.25, dataset="a|b*<i>\nc")])
    report = report_of(tmp_path)
    _, _, only = parsed_markdown(tables.markdown(report.formatted, report.best, report.directions))
    assert only[0] == r"a\|b\*\<i\> c"


def test_nothing_is_less_than_nothing():
    table = pd.DataFrame(
        {("n", ""): [1, 1], ("x", "mean"): [-1e-9, 1.0], ("x", "std"): [math.nan] * 2, ("x", "n"): [1, 1]}
    )
    assert tables.formatted_table(table)["x"].tolist() == ["0.00", "1.00"]
