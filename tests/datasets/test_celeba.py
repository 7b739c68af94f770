"""Small files in the layout of the official ones: a zip of JPEGs, a table of attributes, a list of parts."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from disent_runner.datasets import celeba
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.images.transform import Transform
from disent_runner.datasets.load import load

NUM_IMAGES = 9
NAMES = [f"{index + 1:06d}.jpg" for index in range(NUM_IMAGES)]
COLUMNS = ["5_o_Clock_Shadow", "Male", "Smiling", "Young"]
LABELS = np.random.default_rng(1).integers(0, 2, size=(NUM_IMAGES, len(COLUMNS)))
PARTS = np.array([0, 0, 0, 0, 0, 1, 1, 2, 2])
COLOURS = np.random.default_rng(2).integers(0, 256, size=(NUM_IMAGES, 3), dtype=np.uint8)


def jpeg(colour: np.ndarray, height: int = 22, width: int = 18) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.broadcast_to(colour, (height, width, 3)).astype(np.uint8)).save(file, "JPEG", quality=98)
    return file.getvalue()


IMAGES = {name: jpeg(colour) for name, colour in zip(NAMES, COLOURS, strict=True)}


def attributes(labels: np.ndarray = LABELS) -> str:
    rows = [
        f"{name} " + " ".join(f"{2 * value - 1:2d}" for value in row) for name, row in zip(NAMES, labels, strict=True)
    ]
    return "\n".join([str(NUM_IMAGES), " ".join(COLUMNS) + " ", *rows, ""])


def parts(values: np.ndarray = PARTS) -> str:
    return "".join(f"{name} {value}\n" for name, value in zip(NAMES, values, strict=True))


def write_zip(folder: Path, images: dict[str, bytes] = IMAGES, nested: str = "img_align_celeba/") -> None:
    with zipfile.ZipFile(folder / "img_align_celeba.zip", "w") as archive:
        archive.mkdir("img_align_celeba")
        for name, content in images.items():
            archive.writestr(f"{nested}{name}", content)


def write_folder(folder: Path, images: dict[str, bytes] = IMAGES, nested: str = "") -> None:
    for name, content in images.items():
        path = folder / "img_align_celeba" / nested / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    write_zip(tmp_path)
    (tmp_path / "list_attr_celeba.txt").write_text(attributes())
    (tmp_path / "list_eval_partition.txt").write_text(parts())
    return tmp_path


def load_faces(folder: Path, **settings: Any) -> Dataset:
    return load(celeba.card(**settings), data_dir=folder, check_hash=False)


def colours_of(dataset: Dataset) -> np.ndarray:
    images = dataset.gather(torch.arange(len(dataset.space))).mul(255).round().numpy()
    assert np.ptp(images, axis=(2, 3)).max() <= 1
    return images[:, :, 0, 0]


def test_images_and_attributes(data_dir: Path) -> None:
    dataset = load_faces(data_dir)
    assert (dataset.info.name, dataset.info.source, dataset.info.image_shape) == ("celeba", "unchecked", (3, 22, 18))
    assert list(dataset.info.factors.items()) == [(name, 2) for name in COLUMNS]
    np.testing.assert_array_equal(dataset.space.factors(np.arange(NUM_IMAGES)), LABELS)
    assert np.abs(colours_of(dataset) - COLOURS).max() <= 3


@pytest.mark.parametrize("nested", ["", "img_align_celeba"])
def test_an_unpacked_folder(nested: str, data_dir: Path) -> None:
    (data_dir / "img_align_celeba.zip").unlink()
    write_folder(data_dir, nested=nested)
    assert np.abs(colours_of(load_faces(data_dir)) - COLOURS).max() <= 3


def test_a_zip_in_another_order_and_with_other_files(data_dir: Path) -> None:
    extras = {"._000001.jpg": b"Mac OS X", "readme.txt": b"", "999999.jpg": jpeg(COLOURS[0])}
    write_zip(data_dir, {**extras, **dict(reversed(IMAGES.items()))}, nested="celeba/")
    assert np.abs(colours_of(load_faces(data_dir)) - COLOURS).max() <= 3


@pytest.mark.parametrize("part", ["train", "valid", "test"])
def test_parts(part: str, data_dir: Path) -> None:
    of_part = np.isin(PARTS, ["train", "valid", "test"].index(part))
    dataset = load_faces(data_dir, part=part)
    np.testing.assert_array_equal(dataset.space.factors(np.arange(of_part.sum())), LABELS[of_part])
    assert np.abs(colours_of(dataset) - COLOURS[of_part]).max() <= 3


def test_all_needs_no_parts(data_dir: Path) -> None:
    (data_dir / "list_eval_partition.txt").unlink()
    assert len(load_faces(data_dir).space) == NUM_IMAGES
    with pytest.raises(FileNotFoundError, match=r"put list_eval_partition.txt .*there"):
        load_faces(data_dir, part="train")


def test_some_attributes(data_dir: Path) -> None:
    dataset = load_faces(data_dir, attributes=["Young", "Male"])
    assert list(dataset.info.factors) == ["Young", "Male"]
    np.testing.assert_array_equal(dataset.space.factors(np.arange(NUM_IMAGES)), LABELS[:, [3, 1]])


def test_settings_do_not_share_a_file(data_dir: Path) -> None:
    settings = [{}, {"part": "train"}, {"attributes": ["Male"]}, {"attributes": ["Young"]}, {"attributes": []}]
    settings.append({"part": "train", "attributes": ["Male"]})
    for _ in range(2):
        seen = [
            (len(data.space), list(data.info.factors)) for data in (load_faces(data_dir, **one) for one in settings)
        ]
        assert seen == [(9, COLUMNS), (5, COLUMNS), (9, ["Male"]), (9, ["Young"]), (9, []), (5, ["Male"])]
    assert len(list(data_dir.glob("celeba*.h5"))) == len(settings)


def test_the_setting_of_the_field(data_dir: Path) -> None:
    dataset = load(celeba.card(), data_dir=data_dir, transform=Transform(crop=16, image_size=4), check_hash=False)
    assert dataset.info.image_shape == (3, 4, 4)
    assert np.abs(colours_of(dataset) - COLOURS).max() <= 3


def test_hashes_are_checked(data_dir: Path) -> None:
    with pytest.raises(ValueError, match=r"img_align_celeba.zip \(\d+ bytes\) has md5 \w+, expected 00d2c5bc"):
        load(celeba.card(), data_dir=data_dir)


@pytest.mark.parametrize("part", ["all", "train", "valid", "test"])
def test_published_facts(part: str) -> None:
    card = celeba.card(part=part)
    assert card.num_images == {"all": 202_599, "train": 162_770, "valid": 19_867, "test": 19_962}[part]
    assert len(card.factors) == 40
    assert set(card.factors.values()) == {2}
    assert {"5_o_Clock_Shadow", "Bags_Under_Eyes", "Young"} < set(card.factors)


@pytest.mark.parametrize("settings", [{"part": "training"}, {"attributes": "Male"}, {"attributes": ["Male", "Male"]}])
def test_settings_that_are_wrong(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"dataset.(part|attributes) must be .*, got"):
        celeba.card(**settings)


def test_an_attribute_that_is_not_there(data_dir: Path) -> None:
    expected = rf"{data_dir}/list_attr_celeba.txt has no attribute 'smile', the closest is 'Smiling'; see its second"
    with pytest.raises(ValueError, match=expected):
        load_faces(data_dir, attributes=["Male", "smile"])


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda text: "", "lists 0 images and has '' for their number"),
        (lambda text: "<html>quota exceeded</html>\n", "lists 0 images and has '<html>quota exceeded"),
        (lambda text: text[:-30], "lists 8 images and has '9' for their number"),
        (lambda text: text.replace("9\n5_o", "10\n5_o"), "lists 9 images and has '10' for their number"),
        (lambda text: text.replace("Smiling ", ""), "has 4 values of -1 to 1 for each image, .* its 3 attributes"),
        (lambda text: text.replace("-1\n", "0\n"), "has 4 values .* expected -1 or 1"),
        (lambda text: text.replace("-1\n", "yes\n"), "is no table of names and numbers .*yes"),
        (lambda text: text.replace(" -1\n", "\n", 1), "is no table of names and numbers .*columns"),
        (lambda text: text.replace("-1\n", "-1 # 1\n"), "is no table of names and numbers"),
        (lambda text: text.rpartition("000009.jpg")[0] + "000009.jpg\n", "is no table of names and numbers"),
    ],
)
def test_damaged_attributes(damage: Callable[[str], str], reason: str, data_dir: Path) -> None:
    path = data_dir / "list_attr_celeba.txt"
    assert damage(attributes()) != attributes()
    path.write_text(damage(attributes()))
    with pytest.raises(ValueError, match=f"{path} {reason}") as error:
        load_faces(data_dir)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty; download it again"),
        (parts(PARTS + 1), "has other values than 0, 1 or 2"),
        (parts().replace(" 0", " 0 0"), "is no table of names and numbers|has other values"),
        (parts()[:-26], "lacks 2 images, the first is 000008.jpg"),
        (parts(np.zeros(9, int)), r"has no image for valid \(a 1\)"),
    ],
)
def test_damaged_parts(text: str, reason: str, data_dir: Path) -> None:
    path = data_dir / "list_eval_partition.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"{path} ({reason})"):
        load_faces(data_dir, part="valid")


def test_missing_images(data_dir: Path) -> None:
    write_zip(data_dir, {name: IMAGES[name] for name in NAMES[:6]})
    expected = rf"{data_dir}/img_align_celeba.zip lacks 3 of the 9 images of .*attr_celeba.txt, the first is 000007.jpg"
    with pytest.raises(ValueError, match=expected):
        load_faces(data_dir)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (jpeg(COLOURS[4], 20, 18), "is 20x18, expected 22x18"),
        (IMAGES[NAMES[4]][:-200], "is no readable .*[Tt]runcated"),
    ],
)
def test_a_damaged_image(content: bytes, reason: str, data_dir: Path) -> None:
    write_zip(data_dir, {**IMAGES, NAMES[4]: content})
    with pytest.raises(ValueError, match=rf"000005.jpg in {data_dir}/img_align_celeba.zip {reason}"):
        load_faces(data_dir)


def test_a_half_downloaded_zip(data_dir: Path) -> None:
    path = data_dir / "img_align_celeba.zip"
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(ValueError, match=rf"{path}.* cannot be read \(File is not a zip file\); download it again"):
        load_faces(data_dir)


def as_csv(table: str, head: str) -> str:
    return "\n".join([head, *(",".join(row.split()) for row in table.splitlines())])


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_tables_with_commas(mark: str, data_dir: Path) -> None:
    whole, part = load_faces(data_dir), load_faces(data_dir, part="valid")
    labels = "\n".join(attributes().splitlines()[2:])
    for name, table in (
        ("list_attr_celeba", as_csv(labels, ",".join(["image_id", *COLUMNS]))),
        ("list_eval_partition", as_csv(parts(), "image_id,partition")),
    ):
        (data_dir / f"{name}.txt").unlink()
        (data_dir / f"{name}.csv").write_text(mark + table, encoding="utf-8")
    for asked, expected in (({}, whole), ({"part": "valid"}, part)):
        dataset = load_faces(data_dir, **asked)
        assert dict(dataset.info.factors) == dict(expected.info.factors)
        assert (dataset.content_hash, dataset.labels_hash) == (expected.content_hash, expected.labels_hash)
