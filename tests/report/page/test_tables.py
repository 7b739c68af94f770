import math
from pathlib import Path

import pandas as pd

from disent_runner.report.page import tables as page_tables
from disent_runner.report.run import Omission
from tests.report.conftest import BETAS, SEEDS, value


def named(table, row) -> dict:
    return dict(zip((column["name"] for column in table["columns"]), row, strict=True))


def test_means_are_sorted_by_numbers_and_show_the_table_s_texts(report):
    table = page_tables.means(report, report.settings)
    assert len(table["rows"]) == len(report.formatted)
    for row, (_, texts) in zip(table["rows"], report.formatted.iterrows(), strict=True):
        cells = named(table, row)
        for number in ("mig", "reconstruction", "elbo"):
            mean, text = cells[number] or (None, "–")
            assert text == texts[number]
            if mean is not None:
                digits = text.split(" ")[0]
                assert float(digits) == round(mean, len(digits.partition(".")[2]))
    betas = [named(table, row)["model.beta"] for row in table["rows"]]
    assert betas == [*([beta, f"{beta:g}"] for beta in BETAS), None, None]


def test_best_cells_are_those_of_the_report(report):
    table = page_tables.means(report, report.settings)
    cells = {(row, table["columns"][place]["name"]) for row, places in enumerate(table["best"]) for place in places}
    stacked = report.best.reset_index(drop=True).stack()
    assert cells == set(stacked[stacked].index)
    assert cells


def test_runs_point_to_their_folder_and_setting(report):
    table = page_tables.runs(report, report.settings)
    assert sorted(table["run"]) == list(range(len(report.runs)))
    for row, run, setting in zip(table["rows"], table["run"], table["setting"], strict=True):
        cells, folder = named(table, row), report.runs[run].folder
        assert report.runs[run] in [member.run for member in report.settings[setting].members]
        if "betavae" in str(folder):
            beta, seed = float(folder.parent.name), int(folder.name[5:])
            assert cells["run"] == f"betavae β={beta:g} seed {seed}"
            assert seed in SEEDS
            assert cells["elbo"] == value("elbo", beta, seed)
        else:
            assert cells["elbo"] is None


def test_numbers_say_which_side_is_better(report):
    better = {column["name"]: column["better"] for column in page_tables.runs(report, report.settings)["columns"]}
    assert (better["mig"], better["reconstruction"], better["elbo"], better["seed"]) == ("higher", "lower", None, None)


def test_a_frame_keeps_whole_numbers_whole_and_nothing_for_nan():
    table = page_tables.frame(pd.DataFrame({"label": ["a", "b"], "n": [3, 5], "udr": [0.5, math.nan]}), menus=["label"])
    assert table["rows"] == [["a", 3, 0.5], ["b", 5, None]]
    assert [column["digits"] for column in table["columns"]] == [3, 0, 3]
    assert [column["menu"] for column in table["columns"]] == [True, False, False]


def test_left_out_folders_are_named_below_the_root_where_they_lie_there():
    table = page_tables.left_out([Omission(Path("/o/a/b"), "empty"), Omission(Path("/p"), "torn")], Path("/o"))
    assert table["rows"] == [["a/b", "empty"], ["/p", "torn"]]
