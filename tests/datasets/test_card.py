import hashlib
from pathlib import Path

import pytest

from disent_runner.datasets.card import Card, Contents, Origin, PublishedFile, identity, rendered


def never(*_: object) -> Contents:
    raise AssertionError("images were read")


ZIP = PublishedFile("things.zip", url="https://example.org/things.zip")
LABELS = PublishedFile("labels.txt", url="https://example.org/labels.txt")
OFFICIAL = Origin("official", never, files=(ZIP, LABELS))
PACKAGED = Origin("packaged", never, files=(PublishedFile("card.py"),), package="disent_runner/datasets", hint="try it")


def card(*origins: Origin) -> Card:
    return Card("things", "Things", "none", "nowhere", origins)


def test_the_first_origin_whose_files_are_all_there_is_chosen(tmp_path: Path) -> None:
    both = card(OFFICIAL, rendered(never))
    assert both.choose(tmp_path, "auto").source == "rendered"
    (tmp_path / "things.zip").touch()
    assert both.choose(tmp_path, "auto").source == "rendered"
    (tmp_path / "things").mkdir()
    (tmp_path / "things" / "labels.txt").touch()
    assert both.choose(tmp_path, "auto") is OFFICIAL
    assert both.choose(tmp_path, "rendered").source == "rendered"
    assert OFFICIAL.find(tmp_path, "things") == [tmp_path / "things.zip", tmp_path / "things" / "labels.txt"]


def test_files_whose_names_others_have_too_are_looked_for_in_the_subfolder(tmp_path: Path) -> None:
    origin = Origin("official", never, files=(LABELS,), only_in_subfolder=True)
    (tmp_path / "labels.txt").touch()
    assert origin.find(tmp_path, "things") == [None]


def test_files_of_a_package_and_of_a_folder(tmp_path: Path) -> None:
    (found,) = PACKAGED.find(tmp_path, "things")
    assert found is not None
    assert found.parts[-3:] == ("disent_runner", "datasets", "card.py")
    (tmp_path / "labels.txt").touch()
    elsewhere = Origin("official", never, files=(LABELS,), folder=str(tmp_path))
    assert elsewhere.find(tmp_path / "data", "things") == [tmp_path / "labels.txt"]
    nowhere = Origin("official", never, files=(LABELS,), package="no_such_package/data")
    assert nowhere.find(tmp_path / "data", "things") == [None]


def test_what_is_missing_is_said_with_every_way_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        card(OFFICIAL, PACKAGED, rendered(never)).choose(tmp_path, "official")
    assert str(caught.value) == (
        f"no file of Things in {tmp_path} or {tmp_path / 'things'}; put things.zip and labels.txt there, "
        f"run `disent-data prepare things`, or use dataset.source=rendered"
    )
    (tmp_path / "things.zip").touch()
    missing = Origin("packaged", never, files=(PublishedFile("nothing"),), hint="install the package `thing`")
    with pytest.raises(FileNotFoundError, match=r"put labels.txt or nothing there, run .*, or install the package"):
        card(OFFICIAL, missing).choose(tmp_path, "auto")


def test_unknown_sources(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="source must be official, packaged or auto, got 'rendered'"):
        card(OFFICIAL, PACKAGED).choose(tmp_path, "rendered")


def test_hashes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("content")
    for algorithm in ("md5", "sha256"):
        PublishedFile("file", f"{algorithm}:{hashlib.new(algorithm, b'content').hexdigest()}").check(path)
    PublishedFile("file").check(path)
    with pytest.raises(ValueError, match=rf"{path} \(7 bytes\) has md5 \w+, expected 00; download it again, or set"):
        PublishedFile("file", "md5:00").check(path)


def test_a_changed_file_has_another_identity(tmp_path: Path) -> None:
    origin, path = Origin("official", never, files=(LABELS,)), tmp_path / "labels.txt"
    path.write_text("a")
    before = identity(origin, [path])
    path.write_text("ab")
    assert identity(origin, [path]) != before
