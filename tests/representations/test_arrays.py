"""Codes and factors of other people."""

import numpy as np
import pandas as pd
import pytest
import torch

from disent_runner.representations.arrays import read_table, represent

CODES = np.linspace(0, 1, 12).reshape(6, 2)


def values(factor):
    return represent(CODES, factor).representation.factors[:, 0].tolist()


@pytest.mark.parametrize(
    ("factor", "expected"),
    [
        ([3, 3, 7, 7, 9, 9], [0, 0, 1, 1, 2, 2]),
        ([-30, 0, 30, 0, -30, 30], [0, 1, 2, 1, 0, 2]),
        ([-1, 0, 1, 2, 0, -1], [-1, 0, 1, 2, 0, -1]),
        ([0.5, 0.25, np.nan, 0.5, 0.25, 0.5], [1, 0, -1, 1, 0, 1]),
        ([True, False, True, True, False, False], [1, 0, 1, 1, 0, 0]),
        (["cat", "dog", "", "ant", "cat", "dog"], [1, 2, -1, 0, 1, 2]),
        (np.array([0, 1, 2, 0, 1, 2], np.uint8), [0, 1, 2, 0, 1, 2]),
    ],
)
def test_labels_become_ranks_and_missing_ones_unknown(factor, expected):
    assert values(factor) == expected


def test_real_numbers_are_binned_as_said():
    factor = np.random.default_rng(0).random(1_000)
    factor[7] = np.nan
    table = represent(np.zeros((1_000, 2)), factor, factor_names=["angle"])
    known = np.delete(factor, 7)
    edges = np.linspace(known.min(), known.max(), 21)
    expected = np.digitize(factor, edges[1:-1])
    expected[7] = -1
    np.testing.assert_array_equal(table.representation.factors[:, 0], expected)
    assert table.binned == {"angle": 20}
    assert table.representation.factor_sizes == (20,)
    assert represent(np.zeros((1_000, 2)), factor, factor_names=["angle"], discrete=["angle"]).binned == {}


@pytest.mark.parametrize("factors", [np.arange(12).reshape(6, 2), np.arange(6), np.array([list("abcdef")] * 2).T])
def test_masked_labels_are_missing(factors):
    masked = np.ma.array(factors, mask=np.zeros(factors.shape, bool))
    masked[2] = np.ma.masked
    rows = represent(CODES, masked).representation.factors
    assert (rows == -1).all(axis=1).tolist() == [False, False, True, False, False, False]
    table = represent(CODES, masked)
    assert table.remarks[0] == "factor_0: 1 of 6 labels are missing"


def test_columns_of_a_frame_have_missing_labels_of_every_type():
    frame = pd.DataFrame(
        {
            "whole": pd.array([2, None, 0, 1, 2, 0], dtype="Int64"),
            "name": pd.Categorical(["a", None, "b", "a", "b", "b"]),
            "real": [0.5, None, 0.25, 0.5, 0.5, 0.25],
            "text": pd.array(["a", pd.NA, "b", "a", "b", "b"], dtype="string"),
            "switch": pd.array([True, None, False, True, True, True], dtype="boolean"),
        }
    )
    rep = represent(CODES, frame).representation
    assert rep.factors.tolist() == [
        [2, 0, 1, 0, 1],
        [-1, -1, -1, -1, -1],
        [0, 1, 0, 1, 0],
        [1, 0, 1, 0, 1],
        [2, 1, 1, 1, 1],
        [0, 1, 0, 1, 1],
    ]
    assert represent(
        CODES, [[1, None], [0, "a"], [2, "b"], [1, ""], [1, "a"], [-1, "a"]]
    ).representation.factors.tolist() == [
        [1, -1],
        [0, 0],
        [2, 1],
        [1, -1],
        [1, 0],
        [-1, 0],
    ]


def test_no_factors_are_no_factors():
    assert represent(CODES).representation.factors.shape == (6, 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"codes": CODES * np.nan}, "codes hold 12 values that are NaN or infinite"),
        ({"codes": CODES[0]}, r"codes must be \(N, D\)"),
        ({"codes": np.ma.array(CODES, mask=CODES > 0.8)}, "codes hold 3 masked values; leave out their rows"),
        ({"factors": np.arange(6) * 1j}, "factor_0: its labels are complex128, expected real numbers or text"),
        ({"codes": CODES + 1j}, "codes must be real numbers, got complex128"),
        (
            {"factors": np.zeros(5, int)},
            r"factors must be \(N, K\) or \(N,\) with the 6 rows of codes, got shape \(5,\)",
        ),
        (
            {"factors": np.zeros((6, 2), int), "factor_names": ["a"]},
            r"factor_names must be 2 different names, got \[a\]",
        ),
        ({"factors": np.zeros((6, 2), int), "factor_names": ["a", "a"]}, r"2 different names, got \[a, a\]"),
        ({"factors": np.zeros((6, 2), int), "factor_names": ["a", ""]}, r"2 different names, got \[a, \]"),
        ({"factors": np.zeros(6, int), "factor_names": "a\0b"}, r"text without characters of code 0, got \[a\\x00b\]"),
        ({"factors": np.zeros(6, int), "factor_names": [b"\xff"]}, r"text without characters of code 0"),
        ({"logvar": np.zeros((6, 3))}, r"logvar must have the shape of codes \(6, 2\), got \(6, 3\)"),
        ({"codes": CODES[:0], "factors": np.zeros((0, 1), int)}, r"codes must be \(N, D\), got shape \(0, 2\)"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        represent(**{"codes": CODES, **arguments})


def test_a_file_holds_codes_and_what_else_is_known(tmp_path):
    path = tmp_path / "codes.npz"
    np.savez(path, codes=CODES, factors=np.arange(12).reshape(6, 2), logvar=-CODES, factor_names=["hue", "size"])
    rep = read_table(path).representation
    assert rep.factor_names == ("hue", "size")
    assert rep.factor_sizes == (6, 6)
    np.testing.assert_array_equal(rep.logvar, -CODES)
    np.savez(path, codes=CODES.astype(int), others=np.arange(6))
    table = read_table(path)
    assert table.representation.codes.dtype == np.float64
    assert table.remarks == ("not read: others; arrays that are: codes, factors, logvar, factor_names",)


def test_a_file_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "codes.npz"
    with pytest.raises(FileNotFoundError, match=r"codes.npz: no such file"):
        read_table(path)
    np.savez(path, codes=np.array([{"a": 1}, None], dtype=object))
    with pytest.raises(ValueError, match=r"must be an npz file of plain arrays, .*: one of them is of Python objects$"):
        read_table(path)
    np.savez(path, w=CODES)
    with pytest.raises(ValueError, match=r"must hold an array `codes` \(N, D\), got w"):
        read_table(path)
    np.save(tmp_path / "codes.npy", CODES)
    with pytest.raises(
        ValueError, match=r"codes.npy is an npy file of one array, expected an npz file of plain arrays"
    ):
        read_table(tmp_path / "codes.npy")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"PK, but no archive", "a text file"),
        (b"0.1,0.2\n", "a text file"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"\x80\x04N.", "a pickle"),
        (b"", "empty"),
        (b"\xff\0", "a file of another format"),
    ],
)
def test_what_is_no_npz_is_told_by_what_it_is(content, kind, tmp_path):
    path = tmp_path / "codes.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"codes\.npz is {kind}, expected an npz file of plain arrays, as np\.savez"):
        read_table(path)


def test_frames_name_their_factors_and_tensors_are_arrays():
    frame = pd.DataFrame({"shape": ["square", "heart"] * 4, "size": np.arange(8) % 4})
    codes = torch.arange(16.0, requires_grad=True).reshape(8, 2)
    rep = represent(codes, frame).representation
    assert rep.factor_names == ("shape", "size")
    assert rep.factor_sizes == (2, 4)
    np.testing.assert_array_equal(rep.codes, np.arange(16.0).reshape(8, 2))
    np.testing.assert_array_equal(represent(codes.bfloat16(), frame).representation.codes, rep.codes)
    assert represent(frame[["size"]] * 1.0, frame["size"]).representation.factor_names == ("size",)
    assert represent(codes, torch.arange(8)).representation.factor_names == ("factor_0",)
    assert represent(codes, frame, factor_names=["a", "b"]).representation.factor_names == ("a", "b")


@pytest.mark.parametrize("given", [np.array([b"hue", b"size"]), np.array(["hue", "size"]), ("hue", b"size")])
def test_names_are_text_whatever_they_were_read_from(given):
    factors = np.arange(12).reshape(6, 2)
    assert represent(CODES, factors, factor_names=given).representation.factor_names == ("hue", "size")


def test_one_name_is_the_name_of_one_factor(tmp_path):
    np.savez(tmp_path / "codes.npz", codes=CODES, factors=np.arange(6), factor_names="shape")
    assert read_table(tmp_path / "codes.npz").representation.factor_names == ("shape",)


def test_arrays_under_other_names(tmp_path):
    codes = np.arange(12.0).reshape(6, 2)
    factors = np.array([0, 1, 2, 0, 1, 2])
    np.savez(tmp_path / "a.npz", latents=codes, labels=factors, y=np.arange(3), log_var=-codes, other=codes)
    table = read_table(tmp_path / "a.npz")
    np.testing.assert_array_equal(table.representation.codes, codes)
    np.testing.assert_array_equal(table.representation.factors[:, 0], factors)
    np.testing.assert_array_equal(table.representation.logvar, -codes)
    assert table.remarks == (
        "codes are those called `latents`",
        "factors are those called `labels`",
        "logvar are those called `log_var`",
        "not read: y, other; arrays that are: codes, factors, logvar, factor_names",
    )
    np.savez(tmp_path / "b.npz", codes=codes, labels=factors, y=factors)
    table = read_table(tmp_path / "b.npz")
    assert table.representation.factors.shape == (6, 0)
    assert table.remarks[0] == "factors could be labels or y; rename the one that is meant to `factors`"
