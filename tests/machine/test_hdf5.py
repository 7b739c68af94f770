from pathlib import Path

import h5py
import numpy as np
import pytest

from disent_runner.datasets.custom import card
from disent_runner.datasets.load import load
from disent_runner.machine.hdf5 import own_dataset

GREY = np.arange(6 * 16 * 20).reshape(6, 16, 20).astype(np.uint8)


def test_what_lies_in_the_file_is_given_by_its_path(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["group/images"] = GREY
        np.testing.assert_array_equal(own_dataset(file, "group/images"), GREY)
        with pytest.raises(KeyError, match="no labels"):
            own_dataset(file, "labels")
        with pytest.raises(ValueError, match="expected a data set"):
            own_dataset(file, "group")


def _link(file: h5py.File, other: Path) -> None:
    file["images"] = h5py.ExternalLink(str(other), "/images")


def _soft_link(file: h5py.File, other: Path) -> None:
    file["pixels"], file["images"] = GREY, h5py.SoftLink("/pixels")


def _elsewhere(file: h5py.File, other: Path) -> None:
    file.create_dataset("images", (6, 4, 4), np.uint8, external=[(str(other), 0, 96)])


def _virtual(file: h5py.File, other: Path) -> None:
    layout = h5py.VirtualLayout((6, 16, 20), np.uint8)
    layout[:] = h5py.VirtualSource(str(other), "images", (6, 16, 20))
    file.create_virtual_dataset("images", layout)


def _grown(file: h5py.File, other: Path) -> None:
    file.create_dataset("images", (10**6, 64, 64), np.uint8, chunks=(1, 64, 64), compression="gzip")


def _labels_elsewhere(file: h5py.File, other: Path) -> None:
    file["images"], file["factors"] = GREY, h5py.ExternalLink(str(other), "/factors")


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (_link, "images is a link"),
        (_soft_link, "images is a link"),
        (_elsewhere, "images takes its values from other files"),
        (_virtual, "images takes its values from other files"),
        (_grown, "images would be 4.1 GB of 0 bytes, more than any data become"),
        (_labels_elsewhere, "factors is a link"),
    ],
)
def test_a_file_that_is_sent_shows_what_is_in_it_and_no_other_file(tmp_path, write, reason):
    other = tmp_path / "other.h5"
    with h5py.File(other, "w") as file:
        file["images"], file["factors/secret"] = GREY, np.arange(6)
    with h5py.File(tmp_path / "mine.h5", "w") as file:
        write(file, other)
    with pytest.raises(ValueError, match=f"mine.h5: {reason}"):
        load(card(path=str(tmp_path / "mine.h5")), data_dir=tmp_path / "data")
