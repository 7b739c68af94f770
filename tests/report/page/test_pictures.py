import base64
import io
import os
from urllib.parse import unquote

import pytest
from PIL import Image

from disent_runner.report.page import pictures as page_pictures
from disent_runner.report.page.pictures import addresses, inlined, linked, pictures
from disent_runner.report.run import Run
from disent_runner.runs.figures import picture_files, write_index, write_picture

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
    folder = tmp_path / "outputs" / "a #b?%20" / "seed=0"
    for name in NAMES:
        content = io.BytesIO()
        Image.new("L", (4, 3)).save(content, format=name.rpartition(".")[2])
        write_picture(folder, name, content.getvalue())
    write_index(folder, {})
    return folder


def run_in(folder) -> Run:
    return Run(folder, {}, {}, [], seed=0, model="vae", identity={})


def test_traversals_come_first_and_those_that_move_before_all(folder):
    assert [path.name for path in picture_files(folder)] == [
        *("traversals_a_animated.gif", "traversals_a.png", "traversals_b.png"),
        *("reconstructions.png", "samples.png", "loss_curves.png"),
    ]


def test_what_is_no_picture_does_not_get_into_a_page(folder, tmp_path):
    before = picture_files(folder)
    secret = tmp_path / "id_rsa"
    secret.write_bytes(b"PRIVATE KEY")
    (folder / "figures" / "key.png").symlink_to(secret)
    (folder / "figures" / "linked.png").symlink_to(before[-1])
    (folder / "figures" / "copied.png").write_bytes(secret.read_bytes())
    (folder / "figures" / "hard.gif").hardlink_to(secret)
    os.mkfifo(folder / "figures" / "pipe.png")
    (folder / "figures" / "folder.png").mkdir()
    assert picture_files(folder) == before


def test_nor_do_the_pictures_of_another_folder(folder, tmp_path):
    (folder / "figures").rename(tmp_path / "private")
    (folder / "figures").symlink_to(tmp_path / "private")
    assert picture_files(folder) == []


def test_a_run_without_figures_has_none(tmp_path):
    assert picture_files(tmp_path) == []


def test_a_picture_inside_is_the_file(folder):
    for picture, path in zip(pictures(folder, inlined), picture_files(folder), strict=True):
        head, content = picture["src"].split(",")
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
    run_bytes = sum(path.stat().st_size for path in picture_files(folder))
    for most, plots_inside, runs_inside in [
        (plot.stat().st_size + run_bytes, True, True),
        (plot.stat().st_size + run_bytes - 1, True, False),
        (plot.stat().st_size - 1, False, False),
    ]:
        monkeypatch.setattr(page_pictures, "MOST_BYTES", most)
        inside = [address(plot).startswith("data:") for address in addresses([plot], [run_in(folder)], tmp_path)]
        assert inside == [plots_inside, runs_inside]
