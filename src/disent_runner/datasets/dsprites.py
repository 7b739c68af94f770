"""dSprites (Matthey et al. 2017): 737,280 binary images of 3 shapes in 6 scales, 40 orientations, 32 x 32 positions."""

import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.dsprites_files import OFFICIAL_FILES, OfficialFile
from disent_runner.datasets.factor_space import FactorSpace
from disent_runner.datasets.image_cache import open_or_write
from disent_runner.datasets.image_store import BitImages
from disent_runner.datasets.info import DatasetInfo
from disent_runner.rendering.sprites import IMAGE_BYTES, IMAGE_SIDE, SPRITE_SIZES, packed_blocks

RENDERED_SHA256 = "3a228f4037ef3d42a42588e0e01f1078aa2df13cfa17584e88c95ed9fb5672da"
"""Of the rendered images, one bit a pixel."""

logger = logging.getLogger("disent_runner")


def load_dsprites(*, data_dir: Path | str, source: str = "auto") -> Dataset:
    """The data set, from its official file or rendered; the images stay in a file mapped into memory.

    source: official, rendered, or auto: official where one of its files is in `data_dir` or `data_dir`/dsprites. Either
    is kept as one bit a pixel in `data_dir`, made on first use. The colour factor, of one value, is left out.

    ValueError for another source or an official file that is damaged, FileNotFoundError where it is missing, OSError
    where `data_dir` cannot be written.
    """
    loaders: dict[str, Callable[[Path], Dataset]] = {
        "official": load_official,
        "rendered": load_rendered,
        "auto": _load_either,
    }
    if source not in loaders:
        raise ValueError(f"dataset.source must be official, rendered or auto, got {source!r}")
    return loaders[source](Path(data_dir))


def load_rendered(data_dir: Path) -> Dataset:
    """The data set as rendered; `content_hash` is always RENDERED_SHA256."""
    return _load_packed(
        data_dir / "dsprites_rendered.h5",
        sizes=SPRITE_SIZES,
        attributes={"source": "rendered", "sha256": RENDERED_SHA256},
        blocks=packed_blocks(),
    )


def load_official(
    data_dir: Path, *, files: Iterable[OfficialFile] = OFFICIAL_FILES, sizes: Mapping[str, int] = SPRITE_SIZES
) -> Dataset:
    """The data set from the first of `files` that is there, converted again when the file changes."""
    found = next(_find_official(data_dir, files), None)
    if found is None:
        raise FileNotFoundError(
            f"no official dSprites file in {data_dir} or {data_dir / 'dsprites'}; put "
            f"{' or '.join(file.name for file in files)} there, or use dataset.source=rendered"
        )
    file, path = found
    attributes = {
        "source": "official",
        "source_file": file.name,
        "source_digest": file.digest,
        "source_bytes": path.stat().st_size,
        "source_mtime_ns": path.stat().st_mtime_ns,
    }
    blocks = file.checked_blocks(path, math.prod(sizes.values()))
    return _load_packed(data_dir / "dsprites_official.h5", sizes=sizes, attributes=attributes, blocks=blocks)


def _load_either(data_dir: Path) -> Dataset:
    if any(_find_official(data_dir, OFFICIAL_FILES)):
        return load_official(data_dir)
    logger.info("dsprites: no official file in %s, using rendered images", data_dir)
    return load_rendered(data_dir)


def _find_official(data_dir: Path, files: Iterable[OfficialFile]) -> Iterator[tuple[OfficialFile, Path]]:
    for file in files:
        for path in (data_dir / file.name, data_dir / "dsprites" / file.name):
            if path.is_file():
                yield file, path


def _load_packed(
    path: Path,
    *,
    sizes: Mapping[str, int],
    attributes: Mapping[str, object],
    blocks: Iterable[np.ndarray],
) -> Dataset:
    space = FactorSpace(dict(sizes))
    layout = {
        "image_shape": (1, IMAGE_SIDE, IMAGE_SIDE),
        "factor_names": list(sizes),
        "factor_sizes": list(sizes.values()),
    }
    cached = open_or_write(path, shape=(len(space), IMAGE_BYTES), attributes={**layout, **attributes}, blocks=blocks)
    images = BitImages(cached.data, height=IMAGE_SIDE, width=IMAGE_SIDE)
    info = DatasetInfo(
        name="dsprites",
        image_shape=images.image_shape,
        factors=space.sizes,
        num_images=len(space),
        source=str(attributes["source"]),
        periods={name: size - 1 for name, size in sizes.items() if name == "orientation"},  # 0 to 2π, both included
    )
    return Dataset(info=info, space=space, images=images, content_hash=cached.sha256)
