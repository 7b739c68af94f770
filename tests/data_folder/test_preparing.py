"""What is downloaded and what is rendered, and where it lies."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from disent_runner.data_folder import downloads, preparing
from disent_runner.data_folder.preparing import prepare
from disent_runner.datasets.card import PublishedFile
from disent_runner.datasets.dataset import Dataset
from tests.data_folder import cards
from tests.data_folder.cards import choice
from tests.data_folder.conftest import Served


@pytest.fixture
def served_images(served: Served, monkeypatch: pytest.MonkeyPatch) -> Served:
    monkeypatch.setattr(downloads, "PAUSES", ())
    served.content = cards.pixels().tobytes()
    return served


def is_official(dataset: Dataset) -> bool:
    images = (255 * dataset.gather(torch.arange(12))).round().numpy()
    return np.array_equal(images, cards.pixels())


def test_what_has_a_url_is_downloaded(served_images: Served, tmp_path: Path):
    asked = choice(cards.card(served_images.file()), tmp_path)
    dataset = prepare(asked)
    assert dataset.info.source == "official"
    assert is_official(dataset)
    assert preparing.describe(asked, dataset) == (
        f"twelve: 12 images, 8x16 colour, official; {tmp_path}/twelve_official.h5 "
        f"({(tmp_path / 'twelve_official.h5').stat().st_size / 1000:.3g} kB)"
    )
    prepare(asked)
    assert len(served_images.asked) == 1
    assert (tmp_path / "twelve" / "images.bin").exists()


def test_files_of_another_data_set_go_into_its_folder(served_images: Served, tmp_path: Path):
    prepare(choice(cards.card(served_images.file(), published_by="eleven"), tmp_path))
    assert (tmp_path / "eleven" / "images.bin").exists()


def test_rendered_images_need_no_download(served_images: Served, tmp_path: Path):
    dataset = prepare(choice(cards.card(served_images.file()), tmp_path, "rendered"))
    assert dataset.info.source == "rendered"
    assert not is_official(dataset)
    assert served_images.asked == []


def test_without_a_url_the_renderer_is_what_there_is(tmp_path: Path):
    assert prepare(choice(cards.card(PublishedFile("images.bin")), tmp_path)).info.source == "rendered"


def test_without_a_url_or_a_renderer_it_says_what_to_put_where(tmp_path: Path):
    card = cards.card(PublishedFile("images.bin"), is_rendered=False, hint="ask its authors")
    with pytest.raises(
        FileNotFoundError, match=f"in {tmp_path} or {tmp_path}/twelve; put images.bin there, or ask its"
    ):
        prepare(choice(card, tmp_path))


def test_only_what_is_missing_is_downloaded(served_images: Served, tmp_path: Path):
    cards.write_official(tmp_path / "twelve" / "images.bin")
    labels = served_images.file("labels.bin")
    prepare(choice(cards.card(PublishedFile("images.bin"), labels), tmp_path))
    assert len(served_images.asked) == 1
    assert (tmp_path / "twelve" / "labels.bin").exists()


def test_what_has_no_url_is_still_missing_after_the_rest_has_come(served_images: Served, tmp_path: Path):
    card = cards.card(served_images.file(), PublishedFile("labels.bin"), is_rendered=False)
    with pytest.raises(FileNotFoundError, match=r"put labels.bin there$"):
        prepare(choice(card, tmp_path))
    assert (tmp_path / "twelve" / "images.bin").exists()


def test_a_failed_download_names_the_renderer(served_images: Served, tmp_path: Path):
    served_images.statuses = [404]
    with pytest.raises(ConnectionError, match=r"404 .*; or take the rendered images, --source rendered$"):
        prepare(choice(cards.card(served_images.file()), tmp_path))
    served_images.statuses = [404]
    with pytest.raises(ConnectionError, match=r"yourself$"):
        prepare(choice(cards.card(served_images.file(), is_rendered=False), tmp_path))


def test_another_hash_can_be_allowed(served_images: Served, tmp_path: Path):
    card = cards.card(served_images.file(digest=f"md5:{'0' * 32}"))
    with pytest.raises(ValueError, match="is not the published file"):
        prepare(choice(card, tmp_path))
    assert prepare(choice(card, tmp_path, check_hash=False)).info.source == "unchecked"


@pytest.mark.slow
def test_processes_at_once_download_and_convert_once(served_images: Served, tmp_path: Path):
    file = served_images.file()
    code = (
        "from pathlib import Path\nfrom disent_runner.data_folder.preparing import prepare\n"
        "from tests.data_folder import cards\n"
        "from disent_runner.datasets.card import PublishedFile\n"
        f"card = cards.card(PublishedFile('{file.name}', '{file.digest}', '{file.url}'))\n"
        f"print(prepare(cards.choice(card, Path('{tmp_path}'))).info.source)"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate()[0] for process in processes] == ["official\n"] * 2
    assert len(served_images.asked) == 1
