import hashlib
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from disent_runner.datasets.images.image_cache import (
    BrokenCacheError,
    CachedImages,
    NewImages,
    damage,
    open_cache,
    open_or_write,
    write_cache,
)

SHAPE = (6, 2, 4)
IMAGES = np.random.default_rng(0).integers(0, 256, size=SHAPE, dtype=np.uint8)
ATTRIBUTES = {"source": "rendered", "factor_names": ["x", "y"], "factor_sizes": (2, 3)}
LABELS = np.array([[0, 1], [1, 2]], np.int32)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "images.h5"


@pytest.fixture
def written(path: Path) -> Path:
    tables = {"labels": LABELS}
    write_cache(path, attributes=ATTRIBUTES, new=NewImages(SHAPE, [IMAGES[:4], IMAGES[4:]], {"zoom": 2}, tables))
    return path


def never() -> NewImages:
    pytest.fail("the images were made again")


def all_images() -> NewImages:
    return NewImages(SHAPE, [IMAGES])


def open_images(path: Path) -> CachedImages:
    return open_cache(path, attributes=ATTRIBUTES)


def test_images_come_back_from_a_read_only_map(written: Path) -> None:
    cached = open_images(written)
    np.testing.assert_array_equal(cached.data, IMAGES)
    assert cached.sha256 == hashlib.sha256(IMAGES.tobytes()).hexdigest()
    np.testing.assert_array_equal(cached.tables["labels"], LABELS)
    assert (cached.facts["zoom"], cached.facts["source"]) == (2, "rendered")
    assert isinstance(cached.data, np.memmap)
    assert not cached.data.flags.writeable


def test_the_file_is_plain_hdf5(written: Path) -> None:
    with h5py.File(written, "r") as file:
        np.testing.assert_array_equal(np.asarray(file["images"]), IMAGES)
        assert file.attrs["source"] == "rendered"
        assert np.asarray(file.attrs["factor_names"]).tolist() == ["x", "y"]
        assert np.asarray(file.attrs["factor_sizes"]).tolist() == [2, 3]


def test_only_the_first_call_makes_the_images(path: Path) -> None:
    nested = path.parent / "new" / "folder" / path.name
    open_or_write(nested, attributes=ATTRIBUTES, make=all_images)
    cached = open_or_write(nested, attributes=ATTRIBUTES, make=never)
    np.testing.assert_array_equal(cached.data, IMAGES)
    assert sorted(file.name for file in nested.parent.iterdir()) == [".images.h5.sha256", "images.h5", "images.h5.lock"]


def test_every_truncation_is_told_and_repaired(written: Path, caplog: pytest.LogCaptureFixture) -> None:
    whole = written.read_bytes()
    for length in (0, 4, 100, len(whole) // 2, len(whole) - 1):
        written.write_bytes(whole[:length])
        with pytest.raises(BrokenCacheError, match=r"images\.h5 (is damaged|has only)"):
            open_images(written)
    caplog.set_level(logging.WARNING, "disent_runner")
    cached = open_or_write(written, attributes=ATTRIBUTES, make=all_images)
    np.testing.assert_array_equal(cached.data, IMAGES)
    (message,) = caplog.messages
    assert "images.h5 is damaged" in message
    assert message.endswith("making it again")
    assert "\n" not in message


def change(path: Path, name: str, value: object) -> None:
    with h5py.File(path, "r+") as file:
        if value is None:
            del file.attrs[name]
        else:
            file.attrs[name] = value


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("complete", None, "has complete None, expected True"),
        ("version", 1, "has version 1, expected 2"),
        ("source", "official", "has source official, expected rendered"),
        ("factor_sizes", (3, 2), "has factor_sizes"),
        ("factor_names", ["y", "x"], "has factor_names"),
        ("sha256", None, "is damaged"),
    ],
)
def test_a_file_of_ours_that_says_something_else_is_made_again(
    written: Path, name: str, value: object, message: str
) -> None:
    change(written, name, value)
    with pytest.raises(BrokenCacheError, match=message):
        open_images(written)
    open_or_write(written, attributes=ATTRIBUTES, make=all_images)
    np.testing.assert_array_equal(open_images(written).data, IMAGES)


def test_another_layout_is_broken(written: Path) -> None:
    with h5py.File(written, "r+") as file:
        del file["images"]
        file.create_dataset("images", data=IMAGES, chunks=(1, 2, 4))
    with pytest.raises(BrokenCacheError, match="does not hold its images in one piece"):
        open_images(written)
    with h5py.File(written, "r+") as file:
        del file["images"]
    with pytest.raises(BrokenCacheError, match="is damaged"):
        open_images(written)


def test_files_of_others_are_left_alone(path: Path) -> None:
    path.write_text("my notes", encoding="utf-8")
    with pytest.raises(ValueError, match=r"images.h5 is not an HDF5 file; move it away"):
        open_or_write(path, attributes=ATTRIBUTES, make=all_images)
    assert path.read_text(encoding="utf-8") == "my notes"
    with h5py.File(path, "w") as file:
        file["results"] = np.ones(3)
    with pytest.raises(ValueError, match=r"images.h5 was not written by disent-runner; move it away"):
        open_or_write(path, attributes=ATTRIBUTES, make=all_images)
    with h5py.File(path, "r") as file:
        assert "results" in file


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ([IMAGES[:5]], "only 5 images were made, expected 6"),
        ([IMAGES, IMAGES[:1]], r"7 images to \(1, 2, 4\), uint8; expected uint8 \(6, 2, 4\)"),
        ([IMAGES[:, :1]], "expected uint8"),
        ([IMAGES.astype(np.int32)], "int32; expected uint8"),
    ],
)
def test_wrong_blocks_leave_nothing_behind(path: Path, blocks: list[np.ndarray], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        write_cache(path, attributes=ATTRIBUTES, new=NewImages(SHAPE, blocks))
    assert list(path.parent.iterdir()) == []


def test_the_hash_is_checked_when_it_is_known(path: Path) -> None:
    with pytest.raises(ValueError, match=r"images.h5 have sha256 \w{64}, expected 00ff"):
        write_cache(path, attributes={"sha256": "00ff"}, new=all_images())
    assert list(path.parent.iterdir()) == []
    attributes = {"sha256": hashlib.sha256(IMAGES.tobytes()).hexdigest()}
    write_cache(path, attributes=attributes, new=all_images())
    with pytest.raises(BrokenCacheError, match="has sha256"):
        open_cache(path, attributes={"sha256": "00ff"})


def test_damage_is_what_changed_a_byte(written: Path) -> None:
    cached = open_images(written)
    assert damage(cached) is None
    content = bytearray(written.read_bytes())
    content[content.index(IMAGES.tobytes()) + 3] ^= 1
    written.write_bytes(content)
    assert "its images have sha256" in str(damage(cached))


def test_labels_have_a_checksum(written: Path) -> None:
    content = bytearray(written.read_bytes())
    content[content.index(LABELS.tobytes())] ^= 1
    written.write_bytes(content)
    with pytest.raises(BrokenCacheError, match="is damaged"):
        open_images(written)


def test_an_interrupted_writer_leaves_the_old_file(written: Path) -> None:
    def interrupted() -> Iterator[np.ndarray]:
        yield IMAGES[:3]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_cache(written, attributes=ATTRIBUTES, new=NewImages(SHAPE, interrupted()))
    np.testing.assert_array_equal(open_images(written).data, IMAGES)
    assert sorted(written.parent.iterdir()) == [written.with_name(".images.h5.sha256"), written]


def test_what_a_killed_writer_left_goes_after_an_hour(path: Path) -> None:
    old, new = (path.with_name(f".images.h5.host.{number}.partial") for number in (1, 2))
    old.touch()
    new.touch()
    os.utime(old, (time.time() - 4000, time.time() - 4000))
    write_cache(path, attributes=ATTRIBUTES, new=all_images())
    assert sorted(path.parent.iterdir()) == [new, path]


def test_a_folder_that_cannot_be_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"cannot read or write .*images.h5: .* choose another data_dir") as caught:
        open_or_write(tmp_path / "file" / "images.h5", attributes=ATTRIBUTES, make=all_images)
    assert "\n" not in str(caught.value)


def test_images_larger_than_the_disk(path: Path) -> None:
    with pytest.raises(OSError, match=r"No space left on device, 9,007,199 GB are needed .* free; make room there"):
        open_or_write(path, attributes=ATTRIBUTES, make=lambda: NewImages((2**50, 8), []))
    assert [file.name for file in path.parent.iterdir()] == ["images.h5.lock"]


WRITER = """
import sys, time
from pathlib import Path
import numpy as np
from disent_runner.datasets.images.image_cache import NewImages, open_or_write
def blocks():
    with open(sys.argv[2], "a") as log:
        log.write("made\\n")
    for value in range(20):
        time.sleep(0.01)
        yield np.full((1, 8), value, np.uint8)
cached = open_or_write(Path(sys.argv[1]), attributes={}, make=lambda: NewImages((20, 8), blocks()))
assert (cached.data[:, 0] == range(20)).all()
"""


def test_of_several_processes_one_writes(path: Path) -> None:
    log = path.with_name("log")
    processes = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(log)]) for _ in range(3)]
    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0]
    assert log.read_text() == "made\n"


def test_every_changed_byte_of_a_file_is_noticed_when_it_is_opened(written: Path) -> None:
    open_images(written)
    content = written.read_bytes()
    for place in (content.index(IMAGES.tobytes()) + 5, content.index(b"factor_names") + 3, len(content) - 1):
        flipped = bytearray(content)
        flipped[place] ^= 2
        written.write_bytes(flipped)
        with pytest.raises(BrokenCacheError, match="is damaged"):
            open_images(written)
    written.write_bytes(content)
    np.testing.assert_array_equal(open_images(written).data, IMAGES)


def test_a_file_without_a_note_is_known_by_its_images(written: Path) -> None:
    """As earlier versions left it, or copied without what lies beside it."""
    content = bytearray(written.read_bytes())
    content[content.index(IMAGES.tobytes())] ^= 1
    written.write_bytes(content)
    with pytest.raises(BrokenCacheError, match="its bytes are not those that were written"):
        open_images(written)


def test_bytes_are_read_once_as_long_as_nobody_touches_them(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_images(written)
    monkeypatch.setattr("disent_runner.machine.digests.file_sha256", lambda path: pytest.fail("read again"))
    open_images(written)


def test_images_made_anew_have_a_note_of_their_own(written: Path) -> None:
    open_images(written)
    write_cache(written, attributes=ATTRIBUTES, new=NewImages(SHAPE, [IMAGES[::-1]]))
    np.testing.assert_array_equal(open_images(written).data, IMAGES[::-1])
