"""Names that others gave are shown as they are, whatever is in them."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from disent_runner.datasets.info import DatasetInfo
from disent_runner.figures.factor_scatter import factor_scatter
from disent_runner.figures.grid import labelled_grid
from disent_runner.figures.kl_by_factor import kl_by_factor
from disent_runner.figures.labels import as_label
from disent_runner.figures.mutual_information import mutual_information
from disent_runner.runs.figures import picture_files
from disent_runner.stages.draw import draw, encoded
from tests.figures.conftest import paint

NAMES = ("$\\frac{", "a$x$\n|\x1b[31m<b>" + "x" * 5000)


@pytest.fixture
def named(inputs):
    rep = replace(inputs.representation, factor_names=NAMES)
    log = {"step": np.arange(3.0), "kl": np.arange(3.0), **{f"kl_{name}": np.arange(3.0) for name in NAMES}}
    info = DatasetInfo(NAMES[0], (1, 2, 2), dict(zip(NAMES, (4, 5), strict=True)), 20, NAMES[1])
    return replace(inputs, representation=rep, train_log=log, info=info)


@pytest.mark.parametrize(
    "figure",
    [
        lambda inputs, rng: factor_scatter(inputs, rng=rng, num_latents=1, num_images=10)["factor_scatter"],
        lambda inputs, rng: mutual_information(inputs, rng=rng, num_bins=2, num_latents=2)["mutual_information"],
        lambda inputs, rng: kl_by_factor(inputs, rng=rng)["kl_by_factor"],
        lambda inputs, rng: labelled_grid(np.zeros((1, 1, 1, 2, 2)), row_labels=NAMES[1:], title=NAMES[0] + NAMES[1]),
    ],
    ids=["factor_scatter", "mutual_information", "kl_by_factor", "labelled_grid"],
)
def test_a_figure_of_any_names_can_be_drawn(named, rng, figure):
    drawn = figure(named, rng)
    ending, content = encoded(drawn)
    assert (ending, content[:4]) == (".png", b"\x89PNG")
    assert max(drawn.get_size_inches()) < 20


def test_a_label_shows_its_dollars():
    text: Any = Figure().text(0, 0, as_label("$\\frac{$ of \x1b"))
    assert text._preprocess_math(text.get_text()) == ("$\\frac{$ of \\x1b", False)


def test_pictures_lie_in_the_folder_whatever_they_are_called(inputs, tmp_path):
    pictures = {name: labelled_grid(paint(np.zeros((1, 3)))[None], row_labels=[""]) for name in ("../../x", "", *NAMES)}
    folder = tmp_path / "a" / "run"
    draw(
        lambda: inputs.representation,
        inputs.info,
        {"mine": lambda inputs, rng: pictures},
        folder=folder,
        step=1,
        seed=0,
    )
    assert len(picture_files(folder)) == 4
    assert set(tmp_path.rglob("*.png")) == set(picture_files(folder))
