import h5py
import numpy as np
import pytest

from disent_runner.datasets.file_contents import _state_of_folder, contents_of
from tests.datasets.pictures import save_picture

IMAGES = np.arange(5 * 4 * 4, dtype=np.uint8).reshape(5, 4, 4)
LABELS = np.arange(10).reshape(5, 2)


def written(path, *, images=IMAGES, **labels):
    if path.suffix == ".npz":
        np.savez(path, images=images, **labels)
    else:
        with h5py.File(path, "w") as file:
            for name, value in {"images": images, **labels}.items():
                file[name] = value
    return path


def parts(path, data_dir):
    return [contents_of(str(path), part, data_dir) for part in ("content", "labels")]


@pytest.mark.parametrize("ending", [".npz", ".h5"])
def test_images_and_labels_are_known_each_by_itself(ending, tmp_path):
    def known(name, **arrays):
        return parts(written(tmp_path / f"{name}{ending}", **arrays), tmp_path)

    first = known("a", factors=LABELS, factor_names=[b"row", b"col"])
    assert known("b", factors=LABELS, factor_names=[b"row", b"col"]) == first
    for changed in (
        {"factors": LABELS[::-1], "factor_names": [b"row", b"col"]},
        {"factors": LABELS, "factor_names": [b"row", b"line"]},
        {"factors": LABELS.astype(np.int16), "factor_names": [b"row", b"col"]},
        {},
    ):
        content, labels = known("c", **changed)
        assert content == first[0]
        assert labels != first[1]
    content, labels = known("d", images=IMAGES + 1, factors=LABELS, factor_names=[b"row", b"col"])
    assert content != first[0]
    assert labels == first[1]


def test_a_file_that_is_written_anew_is_read_anew(tmp_path):
    path = written(tmp_path / "a.npz", factors=LABELS)
    before = parts(path, tmp_path)
    assert parts(written(path, factors=LABELS[::-1]), tmp_path)[1] != before[1]


def test_another_spelling_is_the_same_file(tmp_path, monkeypatch):
    path = written(tmp_path / "a.npz", factors=LABELS)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link.npz").symlink_to(path)
    assert (
        parts("a.npz", tmp_path) == parts("./a.npz", tmp_path) == parts("link.npz", tmp_path) == parts(path, tmp_path)
    )


def test_what_cannot_be_read_is_known_by_its_bytes(tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(b"no archive")
    first = parts(path, tmp_path)
    path.write_bytes(b"another")
    assert all(one != other for one, other in zip(first, parts(path, tmp_path), strict=True))
    np.savez(path, images=IMAGES, factors=np.array([{}, 1], dtype=object))
    assert None not in parts(path, tmp_path)


@pytest.mark.parametrize("path", [None, "nowhere.npz", "/dev/null"])
def test_no_file_has_no_content(path, tmp_path):
    assert parts(path, tmp_path) == [None, None] if path else contents_of(None, "content", tmp_path) is None


def pictures_in(folder, *, offset=0):
    for number in range(3):
        save_picture(folder / "ab"[number % 2] / f"{number}.png", np.full((4, 4), number + offset, np.uint8))
    return folder


def of_folder(folder, data_dir):
    _state_of_folder.cache_clear()  # each time as in another process
    return parts(folder, data_dir)


def test_a_folder_of_pictures_is_known_by_them_and_by_their_labels(tmp_path):
    first = of_folder(pictures_in(tmp_path / "one"), tmp_path)
    assert of_folder(pictures_in(tmp_path / "copy"), tmp_path) == first
    (tmp_path / "one" / "a").rename(tmp_path / "one" / "aa")
    assert of_folder(tmp_path / "one", tmp_path)[0] == first[0]
    assert of_folder(tmp_path / "one", tmp_path)[1] != first[1]
    table = tmp_path / "copy" / "labels.csv"
    labels = set()
    for text in ("file,x\n0.png,1\n", "file,x\n0.png,2\n"):
        table.write_text(text)
        content, label = of_folder(tmp_path / "copy", tmp_path)
        assert content == first[0]
        labels.add(label)
    assert len(labels | {first[1]}) == 3
    pictures_in(tmp_path / "copy", offset=7)
    assert of_folder(tmp_path / "copy", tmp_path)[0] != first[0]


def test_an_array_under_another_name_is_the_same_images(tmp_path):
    first = parts(written(tmp_path / "a.npz", factors=LABELS), tmp_path)
    np.savez(tmp_path / "b.npz", imgs=IMAGES, factors=LABELS)
    assert parts(tmp_path / "b.npz", tmp_path) == first
