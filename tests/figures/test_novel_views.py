"""In the fixture latent 1 is the value of `factor_0` and latent 2 that of `factor_1`, but for scale and place."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from disent_runner.figures.grid import tile
from disent_runner.figures.inputs import FigureInputs
from disent_runner.figures.novel_views import BLANK, MISSING, novel_views, rows_of_views
from disent_runner.representations.requirements import NotApplicable

SETTINGS: dict[str, Any] = {"factor": "factor_0", "latent": None, "num_images": 3, "num_views": 4}


def drawn(inputs: FigureInputs, **settings: Any) -> tuple[Figure, np.ndarray]:
    """The figure and its picture, from the generator of seed 0."""
    (figure,) = novel_views(inputs, rng=np.random.default_rng(0), **{**SETTINGS, **settings}).values()
    return figure, np.asarray(figure.axes[0].get_images()[0].get_array())


def starts(count: int, of: int = 20) -> np.ndarray:
    return np.random.default_rng(0).choice(of, size=count, replace=False)


def test_a_latent_that_is_the_factor_makes_the_true_views(inputs):
    """The grid is complete, row = 5 a + b, and the decoder paints codes exactly."""
    rows = np.stack([[start, *(5 * np.arange(4) + start % 5)] for start in starts(3)])
    views = inputs.image(rows.reshape(-1)).reshape(3, 5, 1, 2, 2)
    figure, picture = drawn(inputs)
    np.testing.assert_array_equal(picture, tile(np.repeat(views, 2, axis=0)))
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["start", "0", "1", "2", "3"]
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == [label for start in starts(3) for label in (f"factor_0 {start // 5}", "z1 moved")]
    assert figure.axes[0].get_xlabel() == "toy (test): factor_0 by z1, rank correlation 1.00"


def test_the_picture_is_named_by_the_factor_and_its_values_are_evenly_spaced(inputs, rng):
    (name,) = novel_views(inputs, rng=rng, **{**SETTINGS, "factor": "factor_1", "num_views": 3})
    assert name == "novel_views_factor_1"
    figure, _ = drawn(inputs, factor="factor_1", num_views=3)
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["start", "0", "2", "4"]
    figure, _ = drawn(inputs, factor="factor_1", num_views=99)
    assert len(figure.axes[0].get_xticklabels()) == 1 + 5


def test_another_latent_moves_on_request_through_its_mean_of_each_value(inputs):
    """Latent 2 has the same mean for every value of factor_0, that of the middle of factor_1: 0."""
    codes = inputs.representation.codes[starts(3)]
    moved = np.repeat(codes[:, None], 5, axis=1)
    moved[:, 1:, 2] = 0
    figure, picture = drawn(inputs, latent=2)
    expected = inputs.decode(moved.reshape(-1, 3)).reshape(3, 5, 1, 2, 2)
    np.testing.assert_array_equal(picture[4:6], tile(expected[:1])[:2])
    assert figure.axes[0].get_xlabel().endswith("by z2, rank correlation 0.00")
    with pytest.raises(ValueError, match=r"figure\.novel_views\.latent must be 0 to 2, or null, got 3"):
        drawn(inputs, latent=3)


def test_views_that_were_not_evaluated_are_grey(inputs):
    """Of the grid only the images with a = b, and one with a = 3, b = 0."""
    kept = np.array([0, 6, 12, 18, 15])
    rep = inputs.representation
    rep = replace(rep, codes=rep.codes[kept], factors=rep.factors[kept], logvar=None)
    there = replace(inputs, representation=rep, autoencoder=replace(inputs.autoencoder, images=_only(inputs, kept)))
    (start,) = starts(1, of=5)
    expected = np.full((5, 1, 2, 2), BLANK)
    expected[0] = inputs.image(kept[[start]])[0]
    same_b = rep.factors[:, 1] == rep.factors[start, 1]
    expected[1 + rep.factors[same_b, 0]] = inputs.image(kept[same_b])
    _, picture = drawn(there, num_images=1)
    np.testing.assert_array_equal(picture[:2], tile(expected[None]))


def _only(inputs: FigureInputs, kept: np.ndarray) -> Any:
    return lambda rows: inputs.image(kept[rows])


def test_images_with_an_unknown_factor_are_left_out_and_the_others_keep_theirs(inputs):
    rep = inputs.representation
    factors = rep.factors.copy()
    factors[:5] = -1
    figure, picture = drawn(replace(inputs, representation=replace(rep, factors=factors)), num_images=2)
    begun = starts(2, of=15) + 5
    views = np.stack([[start, *(5 * np.arange(1, 4) + start % 5)] for start in begun])
    images = inputs.image(views.reshape(-1)).reshape(2, 4, 1, 2, 2)
    np.testing.assert_array_equal(picture, tile(np.repeat(images, 2, axis=0)))
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["start", "1", "2", "3"]


def test_views_are_found_by_all_other_factors():
    """Against a search of all pairs, on an incomplete grid with repeated images."""
    generator = np.random.default_rng(3)
    factors = generator.integers(0, 3, (30, 3))
    begun = np.arange(0, 30, 4)
    rows = rows_of_views(factors, begun, 1)
    assert rows.shape == (len(begun), 3)
    np.testing.assert_array_equal(rows[np.arange(len(begun)), factors[begun, 1]], begun)
    for (start, value), row in np.ndenumerate(rows):
        wanted = factors[begun[start]].copy()
        wanted[1] = value
        found = [index for index in range(30) if (factors[index] == wanted).all()]
        assert row in found if found else row == MISSING


@pytest.mark.parametrize(("setting", "value"), [("num_images", 0), ("num_views", 0)])
def test_nothing_to_draw_is_a_mistake(inputs, setting, value):
    with pytest.raises(ValueError, match=f"novel_views needs {setting} >= 1, got 0"):
        drawn(inputs, **{setting: value})


def test_what_it_lacks_is_said(inputs):
    with pytest.raises(NotApplicable, match="to be one of factor_0, factor_1, got azimuth"):
        drawn(inputs, factor="azimuth")
    with pytest.raises(NotApplicable, match="needs a decoder"):
        drawn(replace(inputs, autoencoder=None))
    one_value = replace(inputs.representation, factors=inputs.representation.factors * np.array([0, 1]))
    with pytest.raises(NotApplicable, match="novel_views needs two values of factor_0, got 1"):
        drawn(replace(inputs, representation=one_value))
    nameless = replace(inputs.representation, factors=np.zeros((20, 0), int), factor_sizes=(), factor_names=())
    with pytest.raises(NotApplicable, match="novel_views needs ground-truth factors"):
        drawn(replace(inputs, representation=nameless))
