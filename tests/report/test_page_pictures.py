import base64
from urllib.parse import unquote

import pytest
from PIL import Image

from disent_runner.report import page_pictures
from disent_runner.report.page_pictures import addresses, inlined, linked, picture_files, pictures
from disent_runner.report.report import Run

NAMES = (
    "samples.png",
    "loss_curves.png",
    "traversals_b.png",
    "traversals_a.png",
    "traversals_a_animated.gif",
    "reconstructions.png",
)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "outputs" / "a #b?%20" / "seed=0"
    (made / "figures").mkdir(parents=True)
    for name in NAMES:
        Image.new("L", (4, 3)).save(made / "figures" / name)
    (made / "figures/index.json").write_text("{}")
    return made


def run_in(folder) -> Run:
    return Run(folder, {}, {}, [], seed=0, model="vae", identity={})


def test_traversals_come_first_and_those_that_move_before_all(folder):
    assert [path.name for path in picture_files(folder)] == [
        *("traversals_a_animated.gif", "traversals_a.png", "traversals_b.png"),
        *("reconstructions.png", "samples.png", "loss_curves.png"),
    ]


def test_a_run_without_figures_has_none(tmp_path):
    assert picture_files(tmp_path) == []


def test_a_picture_inside_is_the_file(folder):
    for each, path in zip(pictures(folder, inlined), picture_files(folder), strict=True):
        head, content = each["src"].split(",")
        assert base64.b64decode(content) == path.read_bytes()
        assert head == f"data:image/{path.suffix[1:]};base64"


def test_a_link_leads_to_the_file_whatever_its_name(folder, tmp_path):
    out = tmp_path / "x" / "report"
    out.mkdir(parents=True)
    path = folder / "figures/samples.png"
    address = linked(path, out)
    assert not {"#", "?", " ", "\\"} & set(address)
    assert (out / unquote(address)).resolve() == path


def test_a_link_out_of_a_linked_folder_leads_to_the_file(folder, tmp_path):
    (tmp_path / "deep/er").mkdir(parents=True)
    out = tmp_path / "report"
    out.symlink_to(tmp_path / "deep/er")
    path = folder / "figures/samples.png"
    address = addresses([], [run_in(folder)], out)[1]
    assert address(path).startswith("data:")
    assert (out.resolve() / unquote(linked(path, out.resolve()))).resolve() == path


def test_pictures_lie_inside_while_they_are_small_the_plots_first(folder, tmp_path, monkeypatch):
    plot = folder / "figures/samples.png"
    of_runs = sum(path.stat().st_size for path in picture_files(folder))
    for most, plots_inside, runs_inside in [
        (plot.stat().st_size + of_runs, True, True),
        (plot.stat().st_size + of_runs - 1, True, False),
        (plot.stat().st_size - 1, False, False),
    ]:
        monkeypatch.setattr(page_pictures, "MOST_BYTES", most)
        found = addresses([plot], [run_in(folder)], tmp_path)
        assert [address(plot).startswith("data:") for address in found] == [plots_inside, runs_inside]
