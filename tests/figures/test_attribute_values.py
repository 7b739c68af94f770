from dataclasses import replace

import numpy as np
import pytest

from disent_runner.figures.attribute_values import attribute_values
from disent_runner.representations.requirements import NotApplicable
from tests.figures.rooms import inputs_of, picture, row_labels, without_symbols
from tests.metrics.rooms import LATENTS, SIDE, taught

SETTINGS = {"attributes": None, "values": [-6, -3, 1, 2], "num_samples": 2}


def columns_of(figure) -> np.ndarray:
    """(row, column) -> its image."""
    shown = np.asarray(picture(figure))[..., 0]
    step = SIDE + 2
    starts = [range(0, size, step) for size in shown.shape]
    return np.array([[shown[top : top + SIDE, left : left + SIDE] for left in starts[1]] for top in starts[0]])


def test_a_row_for_each_factor_and_a_column_for_each_sample(rng) -> None:
    (figure,) = attribute_values(inputs_of(), rng=rng, **SETTINGS).values()
    assert row_labels(figure) == ["black", "white", r"\$cap\$"]
    heads = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert heads == ["-6", "", "-3", "", "1", "", "2", ""]
    assert columns_of(figure).shape[:2] == (3, 8)


def test_the_entry_is_the_value_and_nothing_else_is_said(rng) -> None:
    asked: list[np.ndarray] = []

    def infer(symbols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        asked.append(symbols)
        return np.zeros((len(symbols), LATENTS), np.float32), np.full((len(symbols), LATENTS), -30, np.float32)

    inputs = inputs_of(replace(taught(), infer=infer))
    (figure,) = attribute_values(inputs, rng=rng, **{**SETTINGS, "attributes": ["hat"]}).values()
    assert row_labels(figure) == ["hat"]
    assert [np.flatnonzero(symbols[0]).tolist() for symbols in asked] == [[7]] * 4
    assert [symbols[0, 7] for symbols in asked] == [-6, -3, 1, 2]


def test_columns_have_the_same_noise(rng) -> None:
    """So that what differs along a row is what the value does: of a concept that says nothing, nothing."""
    prior = replace(taught(), infer=lambda symbols: (np.zeros((len(symbols), LATENTS), np.float32),) * 2)
    (figure,) = attribute_values(inputs_of(prior), rng=rng, **SETTINGS).values()
    images = columns_of(figure).reshape(3, 4, 2, SIDE, SIDE)
    assert (images == images[:, :1]).all()


def test_mistakes(rng) -> None:
    with pytest.raises(NotApplicable, match=r"^attribute_values needs a model that was taught symbols"):
        attribute_values(without_symbols(), rng=rng, **SETTINGS)
    with pytest.raises(ValueError, match=r"is several; name one at a time"):
        attribute_values(inputs_of(), rng=rng, **{**SETTINGS, "attributes": ["hat, black"]})
    with pytest.raises(ValueError, match=r"'purpel'"):
        attribute_values(inputs_of(), rng=rng, **{**SETTINGS, "attributes": ["purpel"]})
