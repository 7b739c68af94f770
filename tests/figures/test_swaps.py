from dataclasses import replace

import numpy as np
import pytest

from disent_runner.figures.grid import tile
from disent_runner.figures.inputs import FigureInputs
from disent_runner.figures.swaps import BLANK, swaps
from disent_runner.representations.requirements import NotApplicable


def with_parts(inputs: FigureInputs) -> FigureInputs:
    """m the first two numbers of a code, h the last."""
    return replace(inputs, representation=replace(inputs.representation, parts={"m": 2, "h": 1}))


def test_the_part_is_of_the_left_image_and_all_else_of_the_top_one(inputs) -> None:
    found = swaps(with_parts(inputs), rng=np.random.default_rng(0), part="h", num_rows=2, num_columns=3)["swaps"]
    rows = np.random.default_rng(0).choice(20, size=5)
    codes = inputs.representation.codes
    expected = np.full((3, 4, 1, 2, 2), BLANK)
    expected[1:, 0], expected[0, 1:] = inputs.image(rows[:2]), inputs.image(rows[2:])
    for i, left in enumerate(rows[:2]):
        for j, top in enumerate(rows[2:]):
            expected[i + 1, j + 1] = inputs.decode(np.append(codes[top, :2], codes[left, 2])[None])[0]
    picture = np.asarray(found.axes[0].get_images()[0].get_array())
    np.testing.assert_array_equal(picture, tile(expected.astype(np.float32)))
    assert found.axes[0].get_xlabel() == "toy (test): h of the left image, all else of the top one"


def test_it_is_for_codes_of_parts(inputs, rng) -> None:
    settings = {"num_rows": 2, "num_columns": 2}
    with pytest.raises(NotApplicable, match="swaps needs codes of several parts"):
        swaps(inputs, rng=rng, part="h", **settings)
    with pytest.raises(ValueError, match="swaps needs parts of m, h, got e"):
        swaps(with_parts(inputs), rng=rng, part="e", **settings)
