from pathlib import Path

import pytest

from disent_runner.data_folder.preparing import prepare
from disent_runner.data_folder.verifying import verify
from disent_runner.datasets.card import PublishedFile
from disent_runner.datasets.images.transform import Transform
from tests.data_folder import cards
from tests.data_folder.cards import choice
from tests.data_folder.conftest import Served


def found(asked: object) -> tuple[list[str], list[str]]:
    """What is right, and what is wrong."""
    findings = list(verify(asked))  # pyright: ignore[reportArgumentType]
    return [f.line for f in findings if not f.is_wrong], [f.line for f in findings if f.is_wrong]


@pytest.fixture
def official(served: Served, tmp_path: Path) -> PublishedFile:
    served.content = cards.pixels().tobytes()
    cards.write_official(tmp_path / "images.bin")
    return served.file()


def test_nothing_to_verify_is_wrong(tmp_path: Path):
    assert found(choice(cards.card(), tmp_path)) == (
        [],
        [f"nothing of twelve is in {tmp_path}; run `disent-data prepare twelve`"],
    )


def test_all_is_right(official: PublishedFile, tmp_path: Path):
    asked = choice(cards.card(official), tmp_path)
    prepare(asked)
    prepare(choice(cards.card(official), tmp_path, "rendered"))
    right, wrong = found(asked)
    assert wrong == []
    assert right[0] == f"{tmp_path}/images.bin: {official.digest}, as published"
    assert [line.partition(":")[0] for line in right[1:]] == [
        f"{tmp_path}/twelve_official.h5",
        f"{tmp_path}/twelve_rendered.h5",
    ]


def test_another_file_is_told_by_its_hash(official: PublishedFile, tmp_path: Path):
    (tmp_path / "images.bin").write_bytes(b"other")
    _, (line,) = found(choice(cards.card(official), tmp_path))
    assert "images.bin (5 bytes) has sha256 " in line
    assert "download it again" in line


def test_no_published_hash(tmp_path: Path):
    cards.write_official(tmp_path / "images.bin")
    assert found(choice(cards.card(PublishedFile("images.bin")), tmp_path)) == (
        [f"{tmp_path}/images.bin: there, no hash of it is published"],
        [],
    )


def test_a_file_beside_those_that_are_there(official: PublishedFile, tmp_path: Path):
    _, wrong = found(choice(cards.card(official, PublishedFile("labels.bin")), tmp_path))
    assert wrong == [f"labels.bin is missing in {tmp_path}; run `disent-data prepare twelve`"]


def test_a_changed_byte_among_the_images(tmp_path: Path):
    asked = choice(cards.card(), tmp_path)
    prepare(asked)
    path = tmp_path / "twelve_rendered.h5"
    content = bytearray(path.read_bytes())
    content[content.index((255 - cards.pixels()).tobytes()) + 100] ^= 1
    path.write_bytes(content)
    right, (line,) = found(asked)
    assert right == []
    assert line.startswith(f"{path} is damaged: its bytes are not those that were written; ")
    assert line.endswith("remove it, and `disent-data prepare twelve` makes it again")


def test_a_damaged_converted_file(tmp_path: Path):
    asked = choice(cards.card(), tmp_path)
    prepare(asked)
    path = tmp_path / "twelve_rendered.h5"
    path.write_bytes(path.read_bytes()[:1000])
    _, (line,) = found(asked)
    assert line.startswith(f"{path} is damaged")
    path.write_text("something else")
    _, (line,) = found(asked)
    assert line.startswith(f"{path} is not an HDF5 file; move it away")


def test_official_files_that_changed_since(official: PublishedFile, tmp_path: Path):
    asked = choice(cards.card(official, is_rendered=False), tmp_path)
    prepare(asked)
    cards.write_official(tmp_path / "images.bin")
    (_,), (line,) = found(asked)
    assert line.startswith(f"{tmp_path}/twelve_official.h5 has source_files ")


def test_official_files_that_are_gone_leave_the_converted_ones(official: PublishedFile, tmp_path: Path):
    asked = choice(cards.card(official, is_rendered=False), tmp_path)
    prepare(asked)
    (tmp_path / "images.bin").unlink()
    (line,), wrong = found(asked)
    assert wrong == []
    assert line.endswith(", as written")


def test_the_converted_file_is_that_of_the_settings(tmp_path: Path):
    prepare(choice(cards.card(), tmp_path, transform=Transform(crop=4)))
    (line,), _ = found(choice(cards.card(), tmp_path, transform=Transform(crop=4)))
    assert "twelve_rendered_crop4.h5" in line
    _, (line,) = found(choice(cards.card(), tmp_path))
    assert line.startswith("nothing of twelve")
