import subprocess
import sys
from pathlib import Path

import pytest

from disent_runner.assembly.conf import choices as names
from disent_runner.assembly.dataset_choice import choose
from disent_runner.data_folder import listing
from disent_runner.data_folder.preparing import prepare


def row(name: str, data_dir: Path) -> dict[str, str]:
    (found,) = [row for row in listing.rows(data_dir) if row[0] == name]
    return dict(zip(listing.HEADS, found, strict=True))


def test_one_row_for_each_config_file(tmp_path: Path):
    assert [row[0] for row in listing.rows(tmp_path)] == names("dataset")


def test_the_facts_of_a_data_set(tmp_path: Path):
    assert row("dsprites", tmp_path) == {
        "data set": "dsprites",
        "images": "737,280",
        "image": "64x64 grey",
        "factors": "shape 3, scale 6, orientation 40, pos_x 32, pos_y 32",
        "source": "official, else rendered",
        "licence": "Apache-2.0",
        "here": "rendered when needed",
    }


def test_images_as_they_are_used(tmp_path: Path):
    assert row("cars3d", tmp_path)["image"] == "64x64 colour"  # published with 128 x 128


def test_a_source_of_another_name(tmp_path: Path):
    assert row("shapes3d", tmp_path)["source"] == "official, else rendered (shapes3d_rendered)"


def test_what_has_no_card_yet(tmp_path: Path):
    assert row("custom", tmp_path)["here"].startswith("dataset.path must be your file")


def test_what_is_here(tmp_path: Path):
    assert row("cars3d", tmp_path)["here"] == "missing; prepare downloads it"
    assert row("mpi3d_real_complex", tmp_path)["here"] == "missing"
    (tmp_path / "nips2015-analogy-data.tar.gz").touch()
    assert row("cars3d", tmp_path)["here"] == "official files"
    assert row("blob", tmp_path)["here"] == "rendered when needed"
    prepare(choose("blob", data_dir=tmp_path))
    assert row("blob", tmp_path)["here"] == "rendered, converted: 4.21 MB"


def test_the_markdown_says_nothing_of_this_machine(tmp_path: Path):
    lines = listing.markdown(tmp_path).splitlines()
    assert len(lines) == 2 + len(names("dataset"))
    assert len({line.count(" | ") for line in lines}) == 1
    (blob,) = [line for line in lines if line.startswith("| `blob` |")]
    assert blob.endswith("| 1,024 | 64x64 grey | pos_x 32, pos_y 32 | rendered | MIT, as this program |")
    assert "missing" not in "".join(lines)


def test_a_listing_imports_neither_torch_nor_images():
    heavy = ("torch", "pytorch_lightning", "pandas", "matplotlib", "sklearn", "pooch", "requests")
    code = (
        "import sys\nfrom disent_runner.commands.data import main\nmain(['list'])\n"
        f"loaded = set({heavy!r}) & set(sys.modules)\nassert not loaded, loaded"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1 + len(names("dataset"))


def test_a_narrow_terminal_gets_the_facts_below_a_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    listing.say(tmp_path)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:] if line[0] != " "] == names("dataset")
    assert max(map(len, lines)) <= 80
    assert lines[2].split() == ["blob", "1,024", "64x64", "grey", "rendered", "when", "needed"]
    assert lines[3].split() == ["pos_x", "32,", "pos_y", "32;", "rendered;", "MIT,", "as", "this", "program"]
