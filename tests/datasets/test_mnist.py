from pathlib import Path

import numpy as np
import pytest
import torch

from disent_runner.datasets.load import load
from disent_runner.datasets.mnist import card
from tests.datasets.readers.idx_files import write_set


@pytest.mark.parametrize("ending", [".gz", ""])
def test_images_and_digits_of_every_part(ending: str, tmp_path: Path) -> None:
    images, digits = write_set(tmp_path / "mnist", ending=ending)
    for part, kept in (("all", slice(8)), ("train", slice(5)), ("test", slice(5, 8))):
        dataset = load(card(part=part), data_dir=tmp_path, check_hash=False)
        info, indices = dataset.info, np.arange(len(dataset))
        np.testing.assert_array_equal(dataset.gather(torch.from_numpy(indices))[:, 0] * 255, images[kept])
        np.testing.assert_array_equal(dataset.space.factors(indices)[:, 0], digits[kept])
        assert (info.name, info.source, dict(info.factors)) == ("mnist", "unchecked", {"digit": 10})


def test_a_part_needs_its_own_files_only(tmp_path: Path) -> None:
    write_set(tmp_path / "mnist", ending=".gz")
    (tmp_path / "mnist" / "train-labels-idx1-ubyte.gz").unlink()
    assert len(load(card(part="test"), data_dir=tmp_path, check_hash=False)) == 3
    with pytest.raises(FileNotFoundError) as caught:
        load(card(), data_dir=tmp_path)
    message = str(caught.value)
    assert message.startswith(
        f"no file of MNIST in {tmp_path / 'mnist'}; put train-labels-idx1-ubyte.gz or train-images"
    )
    assert message.endswith("t10k-labels-idx1-ubyte there, or run `disent-data prepare mnist`")


@pytest.mark.parametrize("ending", [".gz", ""])
def test_other_files_of_those_names_are_told_by_their_hash(ending: str, tmp_path: Path) -> None:
    write_set(tmp_path / "mnist", ending=ending)
    with pytest.raises(
        ValueError, match=rf"train-images-idx3-ubyte{ending} \(\d+ bytes\) has (md5|sha256) \w+, expected"
    ):
        load(card(), data_dir=tmp_path)


def test_files_outside_of_the_subfolder_may_be_those_of_another_set(tmp_path: Path) -> None:
    write_set(tmp_path, ending=".gz")
    with pytest.raises(FileNotFoundError, match="no file of MNIST"):
        load(card(), data_dir=tmp_path, check_hash=False)


def test_a_cut_file(tmp_path: Path) -> None:
    write_set(tmp_path / "mnist", ending=".gz")
    path = tmp_path / "mnist" / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match=r"t10k-images-idx3-ubyte.gz.* cannot be read \(.+\); download it again"):
        load(card(part="test"), data_dir=tmp_path, check_hash=False)


@pytest.mark.parametrize("ending", [".gz", ""])
@pytest.mark.parametrize("called", ["{dotted}", "{name}/{name}", "{dotted}/{dotted}"])
def test_names_of_mirrors(called: str, ending: str, tmp_path: Path) -> None:
    _, digits = write_set(tmp_path / "mnist", ending=ending)
    files = list((tmp_path / "mnist").iterdir())
    contents = {path.name: path.read_bytes() for path in files}
    for path in files:
        path.unlink()
    for name, content in contents.items():
        mirrored = tmp_path / "mnist" / called.format(name=name, dotted=name.replace("-idx", ".idx"))
        mirrored.parent.mkdir(exist_ok=True)
        mirrored.write_bytes(content)
    dataset = load(card(), data_dir=tmp_path, check_hash=False)
    np.testing.assert_array_equal(dataset.space.factors(np.arange(len(dataset)))[:, 0], digits)


def test_a_folder_of_a_file_s_name_beside_it_is_passed_over(tmp_path: Path) -> None:
    write_set(tmp_path / "mnist", ending="")
    for path in list((tmp_path / "mnist").iterdir()):
        path.rename(path.with_name(path.name.replace("-idx", ".idx")))
        path.mkdir()
    assert len(load(card(), data_dir=tmp_path, check_hash=False)) == 8
