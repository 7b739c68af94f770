import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from disent_runner.datasets.readers import image_files
from disent_runner.datasets.readers.archives import open_archive
from disent_runner.datasets.readers.image_files import decoded_blocks, shape_of

COLOUR = np.random.default_rng(0).integers(0, 256, size=(7, 12, 10, 3), dtype=np.uint8)
GREY = COLOUR[..., 0]


def encoded(pixels: np.ndarray, kind: str = "PNG", **settings: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **settings)
    return file.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def header_only(width: int, height: int) -> bytes:
    """A PNG of that size, of hardly any bytes."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def blocks(folder: Path, *, channels: int) -> list[np.ndarray]:
    with open_archive(folder) as archive:
        shape = shape_of(archive, archive.names[0], channels=channels)
    return list(decoded_blocks(archive, archive.names, shape))


@pytest.mark.parametrize("kind", ["PNG", "PPM"])
@pytest.mark.parametrize("channels", [1, 3])
def test_images_in_the_order_of_their_names(kind: str, channels: int, tmp_path: Path) -> None:
    images = GREY if channels == 1 else COLOUR
    for index, pixels in enumerate(images):
        (tmp_path / f"{index}.image").write_bytes(encoded(pixels, kind))
    (block,) = blocks(tmp_path, channels=channels)
    assert block.dtype == np.uint8
    np.testing.assert_array_equal(block, images.reshape(7, 12, 10, channels).transpose(0, 3, 1, 2))


def test_jpeg(tmp_path: Path) -> None:
    smooth = np.tile(np.arange(0, 160, 16, dtype=np.uint8)[None, :, None], (12, 1, 3))
    (tmp_path / "a.jpg").write_bytes(encoded(smooth, "JPEG", quality=98))
    (block,) = blocks(tmp_path, channels=3)
    assert np.abs(block[0].transpose(1, 2, 0).astype(int) - smooth).max() < 6


def test_a_palette_and_grey_become_colour(tmp_path: Path) -> None:
    palette = Image.fromarray(GREY[0] // 64, "L").convert("P")
    palette.putpalette([value for colour in ((1, 2, 3), (4, 5, 6), (7, 8, 9), (10, 11, 12)) for value in colour])
    palette.save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(encoded(GREY[1]))
    (block,) = blocks(tmp_path, channels=3)
    np.testing.assert_array_equal(block[0], (GREY[0] // 64 * 3 + 1)[None] + np.arange(3, dtype=np.uint8)[:, None, None])
    np.testing.assert_array_equal(block[1], np.stack([GREY[1]] * 3))


def test_blocks_are_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for index, pixels in enumerate(COLOUR):
        (tmp_path / f"{index}.png").write_bytes(encoded(pixels))
    monkeypatch.setattr(image_files, "BYTES_PER_BLOCK", 3 * 360 + 1)
    made = blocks(tmp_path, channels=3)
    assert [len(block) for block in made] == [3, 3, 1]
    np.testing.assert_array_equal(np.concatenate(made), COLOUR.transpose(0, 3, 1, 2))
    monkeypatch.setattr(image_files, "BYTES_PER_BLOCK", 1)
    assert [len(block) for block in blocks(tmp_path, channels=3)] == [1] * 7


def test_no_image_at_all(tmp_path: Path) -> None:
    assert list(decoded_blocks(open_archive(tmp_path), [], (3, 12, 10))) == []


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (encoded(COLOUR[1, :11]), "b.png in FOLDER is 11x10, expected 12x10 as the first one; all must be equal"),
        (header_only(4000, 4000), "b.png in FOLDER is 4000x4000, expected 12x10"),
        (header_only(60_000, 60_000), "b.png in FOLDER is no readable .*decompression bomb"),
        (b"", "b.png in FOLDER is no readable JPEG, PNG or PGM .*; get it again"),
        (b"<html>not found</html>", "b.png in FOLDER is no readable"),
        (encoded(COLOUR[1])[:-60], "b.png in FOLDER is no readable .*truncated"),
        (encoded(COLOUR[1], "JPEG")[:-60], "b.png in FOLDER is no readable .*truncated"),
        (encoded(COLOUR[1], "PPM")[:-60], "b.png in FOLDER is no readable"),
        (encoded(COLOUR[1], "BMP"), "b.png in FOLDER is no readable"),
        (encoded(np.dstack([COLOUR[1], GREY[1]])), "b.png in FOLDER is transparent in places; save it on a background"),
        (encoded(GREY[1].astype(np.uint16)), "b.png in FOLDER has pixels of I;16, expected L or P or RGB"),
    ],
)
def test_files_that_are_not_like_the_first(second: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(COLOUR[0]))
    (tmp_path / "b.png").write_bytes(second)
    with pytest.raises(ValueError, match=reason.replace("FOLDER", str(tmp_path))) as error:
        blocks(tmp_path, channels=3)
    assert "\n" not in str(error.value)


def test_colour_is_not_made_grey_unasked(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encoded(COLOUR[0]))
    with pytest.raises(ValueError, match=rf"a.png in {tmp_path} has pixels of RGB, expected 1 or L"):
        blocks(tmp_path, channels=1)


def test_a_first_image_that_is_absurd(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(header_only(10, 5000))
    with pytest.raises(ValueError, match=rf"a.png in {tmp_path} is 5000x10, more than 4096 pixels of a side"):
        blocks(tmp_path, channels=3)


def test_a_file_too_large_for_an_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.png").write_bytes(encoded(COLOUR[0]))
    monkeypatch.setattr(image_files, "MAX_FILE_BYTES", 100)
    with pytest.raises(ValueError, match=rf"a.png in {tmp_path} is larger than the 100 bytes expected"):
        blocks(tmp_path, channels=3)
