import io
import zlib
from typing import Any

import numpy as np
import pytest
import scipy.io

from disent_runner.datasets.readers.matlab_stream import DOUBLE, TEXT_BYTES, byte_arrays

X = np.random.default_rng(0).integers(0, 256, size=(5, 4, 3, 7), dtype=np.uint8)
Y = np.arange(7, dtype=np.uint8)[:, None]


def saved(*, compressed: bool = True, **variables: Any) -> bytes:
    file = io.BytesIO()
    scipy.io.savemat(file, variables, do_compression=compressed)
    return file.getvalue()


def everything(content: bytes) -> dict[str, np.ndarray]:
    return {
        array.name: np.frombuffer(array.read(int(np.prod(array.shape))), np.uint8).reshape(array.shape, order="F")
        for array in byte_arrays(io.BytesIO(content))
    }


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("long_name", ["y", "a_name_of_more_than_8_letters"])
def test_arrays_of_bytes(compressed: bool, long_name: str) -> None:
    found = everything(saved(compressed=compressed, X=X, **{long_name: Y}, z=Y[:3]))
    assert list(found) == ["X", long_name, "z"]
    for name, expected in {"X": X, long_name: Y, "z": Y[:3]}.items():
        np.testing.assert_array_equal(found[name], expected)


@pytest.mark.parametrize("compressed", [True, False])
def test_other_variables_are_passed_over(compressed: bool) -> None:
    content = saved(compressed=compressed, a=np.arange(5.0), b="text", c={"d": X}, X=X, e=np.arange(3, dtype=np.int16))
    assert list(everything(content)) == ["X"]


def test_doubles_that_are_stored_as_bytes() -> None:
    content = bytearray(saved(compressed=False, y=Y))
    assert content[TEXT_BYTES + 16] == 9
    content[TEXT_BYTES + 16] = DOUBLE
    np.testing.assert_array_equal(everything(bytes(content))["y"], Y)


def test_an_array_that_is_not_read_is_not_unpacked() -> None:
    content = bytearray(saved(X=np.random.default_rng(0).integers(0, 256, 10**6, dtype=np.uint8), y=Y))
    content[TEXT_BYTES + 300_000 : TEXT_BYTES + 300_100] = bytes(100)
    assert [array.shape for array in byte_arrays(io.BytesIO(bytes(content)))] == [(1, 10**6), (7, 1)]
    with pytest.raises(zlib.error):
        everything(bytes(content))


def test_values_come_piece_by_piece() -> None:
    (array,) = byte_arrays(io.BytesIO(saved(X=np.zeros((1000, 1000), np.uint8))))
    assert [array.read(count) for count in (0, 1, 600_000)] == [b"", b"\0", bytes(600_000)]
    assert array.read(399_999) == bytes(399_999)
    with pytest.raises(EOFError):
        array.read(1)


def test_the_other_byte_order() -> None:
    def words(*values: int) -> bytes:
        return np.array(values, ">u4").tobytes()

    variable = words(6, 8, 9, 0, 5, 8, 2, 3, 1 << 16 | 1) + b"X\0\0\0" + words(2, 6) + bytes([1, 2, 3, 4, 5, 6, 0, 0])
    content = bytes(124) + b"\1\0MI" + words(14, len(variable)) + variable
    np.testing.assert_array_equal(everything(content)["X"], [[1, 3, 5], [2, 4, 6]])


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"\x89HDF\r\n\x1a\n" + bytes(600), bytes(300)])
def test_other_files(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"it starts with .*, expected a MATLAB file of version 5"):
        everything(content)


def test_more_values_than_the_shape_says() -> None:
    content = bytearray(saved(compressed=False, y=Y))
    at = content.index(np.array([7, 1], np.int32).tobytes())
    content[at] = 6
    with pytest.raises(ValueError, match=r"y has 7 bytes for the shape \(6, 1\)"):
        everything(bytes(content))


@pytest.mark.parametrize("compressed", [True, False])
def test_a_damaged_file_gives_an_error_or_other_values(compressed: bool) -> None:
    rng = np.random.default_rng(0)
    whole = saved(compressed=compressed, X=X, y=Y)
    for _ in range(300):
        damaged = bytearray(whole)
        for at in rng.integers(TEXT_BYTES - 4, len(whole), size=rng.integers(1, 5)):
            damaged[at] = rng.integers(256)
        del damaged[rng.integers(TEXT_BYTES, 2 * len(whole)) :]
        try:
            everything(bytes(damaged))
        except (ValueError, EOFError, zlib.error):
            continue
