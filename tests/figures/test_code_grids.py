from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from disent_runner.figures.code_grids import code_grids, codes_in
from disent_runner.representations.requirements import NotApplicable

SETTINGS: dict[str, Any] = {"limit": 2.0, "num_steps": 5, "num_rows": 4, "max_codes": None}
CODES, NOISE = 6, 2  # of three values, of two, and a continuous one


@pytest.fixture
def seen() -> list[np.ndarray]:
    """Codes and noise of every picture, (images, codes + noise)."""
    return []


@pytest.fixture
def generator(inputs, seen):
    def render(codes, noise):
        seen.append(np.hstack([codes, noise]))
        return np.full((len(codes), 1, 2, 2), 0.5)

    rep = replace(inputs.representation, codes=np.zeros((20, CODES)), logvar=None, categorical=(3, 2))
    prior = lambda count, rng: rng.standard_normal((count, CODES))  # noqa: E731
    autoencoder = replace(inputs.autoencoder, prior=prior, render=render, noise_dim=NOISE)
    return replace(inputs, representation=rep, autoencoder=autoencoder)


def test_a_column_has_a_value_and_a_row_all_else(generator, seen, rng):
    pictures = code_grids(generator, rng=rng, **SETTINGS)
    assert list(pictures) == ["code_grid_c1", "code_grid_c2", "code_grid_c3"]
    shown = [images.reshape(4, -1, CODES + NOISE) for images in seen]
    moved = [slice(0, 3), slice(3, 5), slice(5, 6)]
    values = [np.eye(3), np.eye(2), np.array([[-2.0], [-1.0], [0.0], [1.0], [2.0]])]
    rest = []
    for images, place, expected in zip(shown, moved, values, strict=True):
        np.testing.assert_array_equal(images[:, :, place], np.tile(expected, (4, 1, 1)))
        others = np.delete(images, np.arange(CODES + NOISE)[place], axis=2)
        np.testing.assert_array_equal(others, np.broadcast_to(others[:, :1], others.shape))
        assert len(np.unique(others[:, 0], axis=0)) == 4
        rest.append(images[:, 0])
    np.testing.assert_array_equal(rest[0][:, 5:], rest[1][:, 5:])  # the same draws in every picture
    np.testing.assert_array_equal(rest[0][:, CODES:], rest[2][:, CODES:])


def test_columns_are_labelled_by_value_and_the_code_is_named(generator, rng):
    pictures = code_grids(generator, rng=rng, **SETTINGS)
    axes = [figure.axes[0] for figure in pictures.values()]
    labels = [[label.get_text() for label in each.get_xticklabels()] for each in axes]
    assert labels == [["0", "1", "2"], ["0", "1"], ["-2.0", "-1.0", "0.0", "1.0", "2.0"]]
    assert [each.get_xlabel() for each in axes] == [
        "toy (test): categorical code c1",
        "toy (test): categorical code c2",
        "toy (test): continuous code c3",
    ]


@pytest.mark.parametrize(("max_codes", "drawn"), [(1, 1), (2, 2), (9, 3), (None, 3)])
def test_the_first_codes_are_drawn(max_codes, drawn, generator, rng):
    assert len(code_grids(generator, rng=rng, **{**SETTINGS, "max_codes": max_codes})) == drawn


def test_codes_of_one_kind_only():
    (only,) = codes_in(4, categorical=[4], limit=1.0, num_steps=3)
    assert (only.kind, only.place) == ("categorical", slice(0, 4))
    both = list(codes_in(2, categorical=[], limit=1.0, num_steps=3))
    assert [(code.kind, code.place) for code in both] == [("continuous", slice(0, 1)), ("continuous", slice(1, 2))]


@pytest.mark.parametrize("with_decoder", [True, False])
def test_a_model_without_noise_has_none(with_decoder, inputs, rng):
    without = inputs if with_decoder else replace(inputs, autoencoder=None)
    with pytest.raises(NotApplicable, match="decodes its codes with noise, which this one does not"):
        code_grids(without, rng=rng, **SETTINGS)
