"""What is written, read again as others read it: NumPy, h5py, our own readers."""

import math
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from disent_runner.assembly.dataset_choice import Choice, choose
from disent_runner.data_folder import exporting
from disent_runner.data_folder.exporting import export
from disent_runner.datasets import custom, dsprites
from disent_runner.datasets.card import Card, Contents, PublishedFile, rendered
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.images.transform import Transform
from disent_runner.datasets.labels.label_table import LabelTable
from disent_runner.datasets.layout import Labels, Layout
from disent_runner.datasets.load import load
from disent_runner.rendering.sprites import SPRITE_SIZES, render_sprites
from tests.data_folder import cards
from tests.data_folder.cards import choice

ENDINGS = pytest.mark.parametrize("ending", [".npz", ".h5"])


def read(path: Path) -> dict[str, np.ndarray]:
    """All arrays of a file, by name."""
    if path.suffix == ".npz":
        with np.load(path) as file:
            return {name: file[name] for name in file if name != "metadata"}
    found = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.update({name: item[()]} if isinstance(item, h5py.Dataset) else {}))
    return found


def both(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """All images as bytes and all factors."""
    images = (dataset.gather(torch.arange(len(dataset))) * 255).round().byte().numpy()
    return images, dataset.space.factors(np.arange(len(dataset)))


def same(one: Dataset, other: Dataset) -> bool:
    return one.info.factors == other.info.factors and all(map(np.array_equal, both(one), both(other)))


@ENDINGS
def test_images_and_factors_in_the_plain_layout(ending: str, tmp_path: Path):
    dataset = export(choice(cards.card(), tmp_path), tmp_path / f"out{ending}")
    assert dataset.info.num_images == 12
    arrays = read(tmp_path / f"out{ending}")
    assert list(arrays) == (["images", "factors", "factor_names"] if ending == ".npz" else sorted(arrays))
    np.testing.assert_array_equal(arrays["images"], (255 - cards.pixels()).transpose(0, 2, 3, 1))
    np.testing.assert_array_equal(arrays["factors"], np.indices((3, 4)).reshape(2, -1).T)
    assert arrays["factors"].dtype == np.int64
    names = [name.decode() if isinstance(name, bytes) else name for name in arrays["factor_names"].tolist()]
    assert names == ["shape", "size"]


@pytest.mark.slow
@ENDINGS
def test_the_plain_layout_comes_back_through_custom(ending: str, tmp_path: Path):
    asked = choose("blob", ["dataset.subset={pos_x: 4, pos_y: 8}"], data_dir=tmp_path)
    written = export(asked, tmp_path / f"out{ending}")
    again = load(custom.card(path=str(tmp_path / f"out{ending}")), data_dir=tmp_path)
    assert len(again) == 32
    assert same(written, again)


@ENDINGS
def test_unknown_labels_and_images_without_labels_come_back(ending: str, tmp_path: Path):
    table = LabelTable({"a": 2, "b": 3}, np.array([[0, -1], [1, 2], [-1, 0], [1, 1]]))
    for name, factors in {"labels": table, "none": LabelTable({}, np.zeros((4, 0), int))}.items():
        contents = Contents((3, 8, 16), factors, (cards.pixels()[:4],))
        card = Card(name, name, "none", "none", origins=(rendered(lambda contents=contents: contents),))
        written = export(choice(card, tmp_path), tmp_path / f"{name}{ending}")
        assert same(written, load(custom.card(path=str(tmp_path / f"{name}{ending}")), data_dir=tmp_path))


def test_transformed_images(tmp_path: Path):
    asked = choice(cards.card(), tmp_path, transform=Transform(crop=8, grey=True, image_size=4))
    written = export(asked, tmp_path / "out.npz")
    assert read(tmp_path / "out.npz")["images"].shape == (12, 4, 4)
    assert same(written, load(custom.card(path=str(tmp_path / "out.npz")), data_dir=tmp_path))


@ENDINGS
def test_many_blocks_are_the_same_as_one(ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(exporting, "_BYTES_AT_ONCE", 3 * 8 * 16 * 5)
    export(choice(cards.card(), tmp_path), tmp_path / f"out{ending}")
    images = read(tmp_path / f"out{ending}")["images"]
    np.testing.assert_array_equal(images, (255 - cards.pixels()).transpose(0, 2, 3, 1))


def test_the_same_images_are_the_same_npz(tmp_path: Path):
    for name in ("one", "two"):
        export(choice(cards.card(), tmp_path), tmp_path / f"{name}.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


SUBSET = {"scale": 2, "orientation": 4, "pos_x": 2, "pos_y": 4}
SUBSET_SIZES = {"shape": 3, **SUBSET}
KEPT = {"shape": [0, 1, 2], "scale": [0, 3], "orientation": [0, 10, 20, 30], "pos_x": [0, 16], "pos_y": [0, 8, 16, 24]}


@pytest.fixture
def sprites(data_dir: Path) -> Choice:
    return choice(dsprites.card(), data_dir, "rendered", subset=SUBSET)


def kept_sprites() -> np.ndarray:
    """Value indices in the whole data set of each image of the subset."""
    return np.stack([axis.reshape(-1) for axis in np.meshgrid(*KEPT.values(), indexing="ij")], axis=1)


def test_dsprites_as_disentanglement_lib_reads_it(sprites: Choice, tmp_path: Path):
    export(sprites, tmp_path / "sprites.npz")
    with np.load(tmp_path / "sprites.npz", allow_pickle=True, encoding="latin1") as file:
        assert set(file) == {"metadata", "imgs", "latents_classes", "latents_values"}
        metadata = file["metadata"][()]
        assert file["metadata"].shape == ()
        images, classes, values = file["imgs"], file["latents_classes"], file["latents_values"]
    np.testing.assert_array_equal(metadata["latents_sizes"], [1, 3, 2, 4, 2, 4])
    assert metadata["latents_names"] == ("color", "shape", "scale", "orientation", "posX", "posY")
    assert set(metadata) == {
        "date",
        "description",
        "version",
        "latents_names",
        "latents_possible_values",
        "latents_sizes",
        "author",
        "title",
    }
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images, render_sprites(kept_sprites()))
    bases = np.append(metadata["latents_sizes"][::-1].cumprod()[::-1][1:], 1)  # as the official notebook indexes
    np.testing.assert_array_equal(classes @ bases, np.arange(len(images)))
    assert classes.dtype == np.int64
    scale, orientation = 0.5 + 0.1 * kept_sprites()[:, 1], 2 * math.pi * kept_sprites()[:, 2] / 39
    expected = [np.ones(len(images)), kept_sprites()[:, 0] + 1, scale, orientation, *(kept_sprites()[:, 3:].T / 31)]
    np.testing.assert_allclose(values, np.stack(expected, axis=1), rtol=1e-15, atol=0)
    for name, column in zip(metadata["latents_names"], values.T, strict=True):
        np.testing.assert_array_equal(metadata["latents_possible_values"][name], np.unique(column))


def test_the_metadata_opens_without_numpy_2(sprites: Choice, tmp_path: Path):
    """`numpy._core` is a name that NumPy 1.x, with which disentanglement_lib runs, does not know."""
    export(sprites, tmp_path / "sprites.npz")
    content = zipfile.ZipFile(tmp_path / "sprites.npz").read("metadata.npy")
    assert b"numpy.core.multiarray" in content
    assert b"numpy._core" not in content
    assert content[content.index(b"\n") + 1 :][:2] == b"\x80\x02"  # the protocol that Python 2 has too


@pytest.mark.parametrize("ending", [".npz", ".hdf5"])
def test_dsprites_comes_back_through_its_own_reader(ending: str, sprites: Choice, tmp_path: Path):
    written = export(sprites, tmp_path / f"sprites{ending}")
    file = PublishedFile(f"sprites{ending}")
    given = {"npz": file} if ending == ".npz" else {"hdf5": file}
    again = load(dsprites.card(sizes=SUBSET_SIZES, **given), data_dir=tmp_path)
    assert again.info.source == "official"
    assert same(written, again)


def test_dsprites_in_groups_of_hdf5(sprites: Choice, tmp_path: Path):
    for ending in (".npz", ".h5"):
        export(sprites, tmp_path / f"sprites{ending}")
    npz, hdf5 = read(tmp_path / "sprites.npz"), read(tmp_path / "sprites.h5")
    assert {name.replace("/", "_") for name in hdf5} == set(npz)
    for name, array in hdf5.items():
        np.testing.assert_array_equal(array, npz[name.replace("/", "_")])


def test_all_values_of_dsprites():
    index = np.arange(math.prod(SPRITE_SIZES.values()))[:: 32 * 32 * 7]
    factors = np.stack(np.unravel_index(index, tuple(SPRITE_SIZES.values())), axis=1)
    layout = dsprites.card().layout
    assert layout is not None
    beside = layout.beside(Labels(sizes=SPRITE_SIZES, classes=factors, originals=factors, source="rendered"))
    assert set(beside["latents/values"][:, 2]) == {0.5, 0.6, 0.7, 0.8, 0.9, 1.0}
    assert beside["latents/values"][:, 3].max() <= 2 * math.pi


def test_transformed_images_are_in_no_published_layout(tmp_path: Path):
    layout = Layout("imgs", lambda labels: {}, white=1)
    export(choice(cards.card(layout=layout), tmp_path, transform=Transform(crop=8)), tmp_path / "out.npz")
    images = read(tmp_path / "out.npz")["images"]
    np.testing.assert_array_equal(images, (255 - cards.pixels())[..., 4:12].transpose(0, 2, 3, 1))


def test_a_layout_with_labels(tmp_path: Path):
    """As the file of 3D Shapes is: the channels last, and the values themselves."""
    tables = {"shape": np.arange(3), "size": np.linspace(0.75, 1.25, 4)}
    layout = Layout("images", lambda labels: {"labels": labels.values(tables)})
    export(choice(cards.card(layout=layout), tmp_path, subset={"size": 2}), tmp_path / "out.h5")
    arrays = read(tmp_path / "out.h5")
    assert list(arrays) == ["images", "labels"]
    assert arrays["images"].shape == (6, 8, 16, 3)
    assert arrays["labels"].dtype == np.float64
    np.testing.assert_allclose(arrays["labels"][:, 1], [0.75, 0.75 + 1 / 3] * 3)


def test_another_kind_of_file(tmp_path: Path):
    with pytest.raises(ValueError, match=r"out.zip must end in .npz, .h5, .hdf5"):
        export(choice(cards.card(), tmp_path), tmp_path / "out.zip")
    assert list(tmp_path.iterdir()) == []  # said before anything is made


def test_a_file_that_is_there_stays(tmp_path: Path):
    (tmp_path / "out.npz").write_text("mine")
    with pytest.raises(FileExistsError, match=r"out.npz is already there; remove it or choose another name"):
        export(choice(cards.card(), tmp_path), tmp_path / "out.npz")
    assert (tmp_path / "out.npz").read_text() == "mine"


@ENDINGS
def test_nothing_is_left_of_an_export_that_fails(ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def broken(dataset: Dataset, white: int):
        yield from list(blocks(dataset, white))[:1]
        raise OSError(28, "No space left on device")

    blocks = exporting.blocks
    monkeypatch.setattr(exporting, "_BYTES_AT_ONCE", 1000)
    monkeypatch.setattr(exporting, "blocks", broken)
    out = tmp_path / "out"
    with pytest.raises(OSError, match=rf"cannot write {out}/x{ending}: No space left on device; make room there or"):
        export(choice(cards.card(), tmp_path), out / f"x{ending}")
    assert list(out.iterdir()) == []


def test_a_missing_file_is_no_reason_to_download(tmp_path: Path):
    file = PublishedFile("images.bin", url="http://127.0.0.1:1/images.bin")
    with pytest.raises(FileNotFoundError, match="disent-data prepare twelve"):
        export(choice(cards.card(file, is_rendered=False), tmp_path), tmp_path / "out.npz")
