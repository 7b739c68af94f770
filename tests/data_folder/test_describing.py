from pathlib import Path

import numpy as np

from disent_runner.assembly.dataset_choice import choose
from disent_runner.data_folder.describing import describe
from disent_runner.data_folder.preparing import prepare
from disent_runner.datasets.card import PublishedFile
from disent_runner.datasets.images.transform import Transform
from tests.data_folder import cards
from tests.data_folder.cards import choice


def lines(text: str) -> list[list[str]]:
    return [line.split(maxsplit=1) for line in text.splitlines()]


def test_everything_that_the_card_knows(tmp_path: Path):
    file = PublishedFile("images.bin", "md5:0123", "https://example.org/images.bin")
    asked = choice(cards.card(file, hint="ask its authors"), tmp_path, transform=Transform(crop=4, grey=True))
    assert lines(describe(asked)) == [
        ["twelve", "twelve images"],
        ["homepage", "https://example.org"],
        ["licence", "none"],
        ["images", "12"],
        ["as", "published  8x16 colour"],
        ["as", "used       4x4 grey"],
        ["factor", "shape, 3 values"],
        ["factor", "size, 4 values"],
        ["official", "images.bin, not here"],
        ["hash", "md5:0123"],
        ["from", "https://example.org/images.bin"],
        ["or", "ask its authors"],
        ["rendered", "needs no file"],
    ]


def test_what_is_here(tmp_path: Path):
    cards.write_official(tmp_path / "images.bin")
    asked = choice(cards.card(PublishedFile("images.bin")), tmp_path)
    dataset = prepare(asked)
    said = lines(describe(asked))
    assert ["official", f"{tmp_path}/images.bin"] in said
    assert ["sha256", dataset.content_hash] in said
    assert ["stored", "12 images, 8x16 colour"] in said
    assert ["factors", "shape 3, size 4"] in said


def test_a_damaged_file_is_said_to_be_one(tmp_path: Path):
    asked = choice(cards.card(), tmp_path)
    prepare(asked)
    (tmp_path / "twelve_rendered.h5").write_bytes(b"\x89HDF")
    assert "has only 4 bytes; it is made again when it is needed" in describe(asked)


def test_names_of_values(tmp_path: Path):
    said = lines(describe(choose("toylab8", data_dir=tmp_path)))
    assert ["factor", "wall, 4 values: red, green, blue, yellow"] in said
    assert ["factor", "identity, 3 values: hat, ice lolly, suitcase"] in said


def test_periods(tmp_path: Path):
    assert ["factor", "orientation, 40 values, the same again after 39"] in lines(
        describe(choose("dsprites", data_dir=tmp_path))
    )


def test_one_s_own_file_is_known_once_it_is_converted(tmp_path: Path):
    path = tmp_path / "mine.npz"
    np.savez(path, images=cards.pixels().transpose(0, 2, 3, 1), factors=np.indices((3, 4)).reshape(2, -1).T)
    asked = choose("custom", [f"dataset.path={path}"], data_dir=tmp_path)
    assert ["converted"] not in [line[:1] for line in lines(describe(asked))]
    prepare(asked)
    said = lines(describe(asked))
    assert ["stored", "12 images, 8x16 colour"] in said
    assert ["factors", "factor_0 3, factor_1 4"] in said
