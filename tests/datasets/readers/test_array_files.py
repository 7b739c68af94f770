import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from disent_runner.datasets.readers.array_files import StoredArray, hdf5_array, npz_array

ROWS = np.random.default_rng(0).integers(0, 256, size=(2100, 5, 7), dtype=np.uint8)  # no whole number of blocks
DAMAGED = (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile, zlib.error)
"""Those that `load` explains are among them."""

Opened = Callable[[Path, str], StoredArray]
KINDS = pytest.mark.parametrize("opened", [npz_array, hdf5_array], ids=["npz", "hdf5"])


def written(folder: Path, opened: Opened, **chunks: tuple[int, ...]) -> Path:
    if opened is npz_array:
        path = folder / "rows.npz"
        np.savez_compressed(path, rows=ROWS, other=np.zeros(3))
        return path
    path = folder / "rows.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("rows", data=ROWS, compression="gzip", **{"chunks": (800, 2, 4), **chunks})
    return path


@KINDS
def test_blocks_are_the_rows_in_order(opened: Opened, tmp_path: Path) -> None:
    array = opened(written(tmp_path, opened), "rows")
    assert (array.shape, array.dtype) == (ROWS.shape, np.uint8)
    for _ in range(2):
        blocks = list(array.blocks())
        np.testing.assert_array_equal(np.concatenate(blocks), ROWS)
        assert max(map(len, blocks)) <= 1024


def test_large_chunks_come_in_small_blocks(tmp_path: Path) -> None:
    array = hdf5_array(written(tmp_path, hdf5_array, chunks=(2000, 1, 1)), "rows")
    assert [len(block) for block in array.blocks()] == [1024, 976, 100]


@KINDS
def test_layout(opened: Opened, tmp_path: Path) -> None:
    array = opened(written(tmp_path, opened), "rows")
    array.check((2100, 5, 7))
    array.check((None, 5, 7), np.uint8)
    for shape, dtype in (((2100, 5, 8), np.uint8), ((2100, 35), np.uint8), ((None, 5, 7), np.int8)):
        with pytest.raises(
            ValueError, match=r"rows\.\w+: rows is uint8 of shape \(2100, 5, 7\), expected u?int8 of sha"
        ):
            array.check(shape, dtype)
    with pytest.raises(ValueError, match=r"expected uint8 of shape \(any, 5\)"):
        array.check((None, 5))


@KINDS
@pytest.mark.parametrize("keep", [0.0, 0.5, 0.99])
def test_a_truncated_file(opened: Opened, keep: float, tmp_path: Path) -> None:
    path = written(tmp_path, opened)
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content))])
    with pytest.raises(DAMAGED):
        list(opened(path, "rows").blocks())


@KINDS
def test_a_damaged_byte_of_the_rows(opened: Opened, tmp_path: Path) -> None:
    path = written(tmp_path, opened)
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 255
    path.write_bytes(damaged)
    with pytest.raises(DAMAGED):
        list(opened(path, "rows").blocks())


def with_member(path: Path, content: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("rows.npy", content)
    return path


def test_a_member_shorter_or_longer_than_its_header_says(tmp_path: Path) -> None:
    np.save(tmp_path / "rows.npy", ROWS)
    content = (tmp_path / "rows.npy").read_bytes()
    with pytest.raises(EOFError, match="rows ends within row 2098"):
        list(npz_array(with_member(tmp_path / "short.npz", content[:-60]), "rows").blocks())
    with pytest.raises(ValueError, match=r"long.npz: rows goes on after its 2100 rows"):
        list(npz_array(with_member(tmp_path / "long.npz", content + b"0"), "rows").blocks())


class Bomb:
    def __reduce__(self):
        return pytest.fail, ("it was unpickled",)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [(np.asfortranarray(ROWS), "Fortran order"), (np.array([Bomb()], dtype=object), "as pickled objects")],
    ids=["Fortran", "pickled"],
)
def test_members_that_are_not_read(rows: np.ndarray, reason: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "rows.npz", rows=rows)
    with pytest.raises(ValueError, match=rf"rows.npz: rows cannot be read \(it is stored .*{reason}.*\); download"):
        npz_array(tmp_path / "rows.npz", "rows")


@pytest.mark.parametrize(
    "content", [b"", b"\x93NUMPY\x01\x00", b"\x93NUMPY\x03\x00" + bytes(200), b"\x93NUMPY\x01\x00\x09\x00{'a': (1,\n"]
)
def test_no_header(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"rows.npz: rows cannot be read \(.+\); download it again$"):
        npz_array(with_member(tmp_path / "rows.npz", content), "rows")


def test_an_encrypted_member(tmp_path: Path) -> None:
    path = with_member(tmp_path / "rows.npz", b"secret")
    content = path.read_bytes()
    local, central = content.index(b"PK\x03\x04") + 6, content.index(b"PK\x01\x02") + 8
    path.write_bytes(bytes(byte | (at in (local, central)) for at, byte in enumerate(content)))
    with pytest.raises(ValueError, match=r"rows.npz: rows cannot be read \(.*encrypted"):
        npz_array(path, "rows")


@KINDS
def test_no_such_array(opened: Opened, tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="images"):
        opened(written(tmp_path, opened), "images")


@pytest.mark.parametrize("content", ["a group", h5py.Empty("u1")])
def test_an_hdf5_file_with_something_else_of_that_name(content: object, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        file["rows/below" if content == "a group" else "rows"] = content
    with pytest.raises(ValueError, match=r"rows.h5: rows is <HDF5 .*, expected a data set"):
        hdf5_array(tmp_path / "rows.h5", "rows")
