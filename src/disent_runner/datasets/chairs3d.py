"""3D Chairs (Aubry et al. 2014): renderings of 1,393 chairs from 2 elevations and 31 azimuths, 600x600 colour on white.

`rendered_chairs.tar`, or the folder it unpacks to, holds `rendered_chairs/MODEL/renders/image_NNN_pPPP_tTTT_rRRR.png`:
elevation P and azimuth T, in whole degrees of 360·i/31. Models are in the order of their names. Views may be missing;
the factors are then an incomplete grid. `all_chair_names.mat`, which repeats the names, is not read.
"""

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from disent_runner.datasets.card import OFFICIAL, Card, Contents, Origin, PublishedFile
from disent_runner.datasets.labels.factor_space import FactorSpace
from disent_runner.datasets.readers.archives import Archive, open_archive
from disent_runner.datasets.readers.image_files import decoded_blocks, shape_of

HOMEPAGE = "https://www.di.ens.fr/willow/research/seeing3Dchairs"
TAR = PublishedFile("rendered_chairs.tar", url=f"{HOMEPAGE}/data/rendered_chairs.tar")
FOLDER = PublishedFile("rendered_chairs")

NUM_MODELS, NUM_AZIMUTHS = 1393, 31
ELEVATIONS = {20: 0, 30: 1}
AZIMUTHS = {360 * index // NUM_AZIMUTHS: index for index in range(NUM_AZIMUTHS)}

VIEW = re.compile(r"(?:.*/)?([^/]+)/renders/image_\d+_p(\d+)_t(\d+)_r\d+\.png")


def card() -> Card:
    sizes = _sizes(NUM_MODELS)
    return Card(
        name="chairs3d",
        title="3D Chairs",
        licence="none stated; cite Aubry et al. 2014",
        homepage=HOMEPAGE,
        factors=sizes,
        num_images=math.prod(sizes.values()),
        image_shape=(3, 600, 600),
        periods={"azimuth": NUM_AZIMUTHS},
        origins=tuple(Origin(OFFICIAL, _read, files=(file,)) for file in (TAR, FOLDER)),
    )


def _sizes(num_models: int) -> dict[str, int]:
    return {"model": num_models, "elevation": len(ELEVATIONS), "azimuth": NUM_AZIMUTHS}


def _read(paths: Sequence[Path]) -> Contents:
    with open_archive(paths[0]) as archive:
        views = _views(archive)
        cells = sorted(views)
        names = [views[cell] for cell in cells]
        shape = shape_of(archive, names[0], channels=3)
    sizes = _sizes(1 + cells[-1][0])
    rows = np.asarray(np.ravel_multi_index(np.array(cells).T, tuple(sizes.values())))
    is_whole = len(rows) == math.prod(sizes.values())
    return Contents(shape, FactorSpace(sizes, None if is_whole else rows), decoded_blocks(archive, names, shape))


def _views(archive: Archive) -> Mapping[tuple[int, int, int], str]:
    """(model, elevation, azimuth) -> file."""
    matches = [match for name in archive.names if (match := VIEW.fullmatch(name))]
    if not matches:
        raise ValueError(f"{archive.path} has no MODEL/renders/image_NNN_pPPP_tTTT_rRRR.png; it is not 3D Chairs")
    models = {name: index for index, name in enumerate(sorted({match[1] for match in matches}))}
    views: dict[tuple[int, int, int], str] = {}
    for match in matches:
        elevation, azimuth = int(match[2]), int(match[3])
        if elevation not in ELEVATIONS or azimuth not in AZIMUTHS:
            raise ValueError(
                f"{match[0]} in {archive.path} shows elevation {elevation} and azimuth {azimuth}; "
                f"expected elevation {' or '.join(map(str, ELEVATIONS))} and azimuth 360·i/{NUM_AZIMUTHS}"
            )
        view = models[match[1]], ELEVATIONS[elevation], AZIMUTHS[azimuth]
        if view in views:
            raise ValueError(f"{archive.path} has two images of one view, {views[view]} and {match[0]}; remove one")
        views[view] = match[0]
    return views
