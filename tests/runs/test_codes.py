import numpy as np
import pytest

from disent_runner.runs.codes import FILE, read_codes, read_posteriors, write_codes

ORIGIN = {"step": 3, "data_hash": "a1", "num_images": 40}


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    codes = {name: rng.normal(size=(40, 3)).astype(np.float32) for name in ("mean", "logvar")}
    write_codes(tmp_path, ORIGIN, codes, {"index": np.arange(40) * 2, "factors": np.zeros((40, 2), np.int8)})
    return tmp_path


def test_codes_come_back_all_or_some(folder):
    codes = read_codes(folder, ORIGIN)
    assert codes is not None
    some = read_posteriors(folder, lambda count: np.array([0, 7, count - 1]))
    np.testing.assert_array_equal(some.mean, codes["mean"][[0, 7, 39]])
    np.testing.assert_array_equal(some.images, [0, 14, 78])
    assert read_codes(folder, {**ORIGIN, "step": 4}) is None


def test_no_changed_byte_changes_a_code(folder):
    """Whatever bit of the file flips: codes are the same, or there are none."""
    path, good = folder / FILE, read_codes(folder, ORIGIN)
    assert good is not None
    content = path.read_bytes()
    numbers = content.index(good["mean"].tobytes())
    noticed = 0
    for place in [*range(numbers, numbers + 480, 7), *np.random.default_rng(0).integers(len(content), size=60)]:
        flipped = bytearray(content)
        flipped[place] ^= 1 << int(place) % 8
        path.write_bytes(flipped)
        codes = read_codes(folder, ORIGIN)
        noticed += codes is None
        if codes is not None:
            np.testing.assert_array_equal(codes["mean"], good["mean"])
            np.testing.assert_array_equal(codes["logvar"], good["logvar"])
    assert noticed >= 69  # all those in the means


def test_a_damaged_row_is_said_where_it_is_read_and_not_elsewhere(folder):
    path, good = folder / FILE, read_codes(folder, ORIGIN)
    assert good is not None
    content = bytearray(path.read_bytes())
    content[content.index(good["logvar"].tobytes()) + 12 * 5] ^= 4
    path.write_bytes(content)
    with pytest.raises(OSError, match="row 5 is not as it was written"):
        read_posteriors(folder, lambda count: np.arange(count))
    assert read_posteriors(folder, lambda count: np.array([4, 6])).num_images == 40
