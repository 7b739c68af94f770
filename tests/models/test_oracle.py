from dataclasses import replace

import numpy as np
import pytest
import torch

from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.labels.factor_space import FactorSpace
from disent_runner.datasets.labels.label_table import LabelTable
from disent_runner.metrics.group_equivariance import group_equivariance
from disent_runner.models.oracle import Oracle
from disent_runner.representations.representation import Representation


def test_codes_are_the_factors_from_zero_to_one(dataset) -> None:
    model = Oracle(info=dataset.info, code="values")
    codes, logvar = model.represent(dataset, torch.tensor([0, 63, 9]))
    assert logvar is None
    np.testing.assert_allclose(codes, [[0, 0], [1, 1], [1 / 7, 1 / 7]], rtol=1e-6)


def test_images_alone_do_not_tell_and_nothing_is_decoded(dataset) -> None:
    model = Oracle(info=dataset.info, code="values")
    assert not model.has_decoder
    with pytest.raises(ValueError, match="encodes the factors"):
        model.encode(dataset.gather(torch.arange(2)))
    with pytest.raises(ValueError, match="has no decoder"):
        model.decode(torch.zeros(1, 2))


def test_missing_factors_are_refused(dataset) -> None:
    with pytest.raises(ValueError, match="needs ground-truth factors, squares has none"):
        Oracle(info=replace(dataset.info, factors={}), code="values")
    labels = np.where(np.arange(64)[:, None] == 5, -1, np.zeros((64, 2), int))
    some = replace(dataset, space=LabelTable(dataset.info.factors, labels))
    with pytest.raises(ValueError, match="needs every label"):
        Oracle(info=dataset.info, code="values").represent(some, torch.arange(10))


def rooms(dataset: Dataset, **periods: int) -> Dataset:
    """The same images as two hues of four values and a size of four."""
    space = FactorSpace({"floor": 4, "size": 4, "wall": 4})
    return replace(dataset, info=replace(dataset.info, factors=space.sizes, periods=periods), space=space)


def test_cyclic_factors_are_circles(dataset) -> None:
    data = rooms(dataset, floor=4, wall=4)
    model = Oracle(info=data.info, code="circles")
    assert model.latent_dim == 5
    codes, _ = model.represent(data, torch.tensor([0, 16 + 2 * 4 + 2, 3 * 16 + 3 * 4 + 1]))  # floor, size, wall
    expected = [[1, 0, 1, 0, 0], [0, 1, -1, 0, 2 / 3], [0, -1, 0, 1, 1]]
    np.testing.assert_allclose(codes, expected, atol=1e-6)


def test_a_period_may_be_less_than_the_number_of_values(dataset) -> None:
    """As of dSprites' orientation, whose last value is the first one again."""
    data = rooms(dataset, wall=3)
    codes, _ = Oracle(info=data.info, code="circles").represent(data, torch.arange(4))
    np.testing.assert_allclose(codes[3], codes[0], atol=1e-6)
    np.testing.assert_allclose(codes[1, :2], [-1 / 2, np.sqrt(3) / 2], atol=1e-6)


def test_sums_are_products_of_circles(dataset) -> None:
    data = rooms(dataset, floor=4, wall=4)
    circles, _ = Oracle(info=data.info, code="circles").represent(data, torch.arange(64))
    sums, _ = Oracle(info=data.info, code="sums").represent(data, torch.arange(64))
    floor, wall = circles[:, 0] + 1j * circles[:, 1], circles[:, 2] + 1j * circles[:, 3]
    mixed = np.stack([floor * wall, floor * wall.conj()], axis=1)
    expected = np.stack([np.real(mixed), np.imag(mixed)], axis=2).reshape(64, 4)
    np.testing.assert_allclose(sums[:, :4], expected, atol=1e-6)
    np.testing.assert_allclose(sums[:, 4], circles[:, 4])


@pytest.mark.parametrize(
    ("cyclic", "code", "equivariance", "independence"),
    [
        (("floor", "wall"), "circles", 1, 1),
        (("floor", "wall"), "sums", 1, 0),
        (
            ("floor", "size", "wall"),
            "sums",
            1,
            1 / 2,
        ),  # each plane is of two factors, each factor in two of three pairs
    ],
)
def test_its_codes_are_the_ends_of_group_equivariance(dataset, rng, cyclic, code, equivariance, independence) -> None:
    data = rooms(dataset, **dict.fromkeys(cyclic, 4))
    codes, _ = Oracle(info=data.info, code=code).represent(data, torch.arange(64))
    factors, names = data.space.factors(np.arange(64)), tuple(data.info.factors)
    rep = Representation(codes.numpy(), factors, (4, 4, 4), factor_names=names, periods=data.info.periods)
    scores = group_equivariance(rep, rng=rng)
    assert scores["group_equivariance"] == pytest.approx(equivariance, abs=1e-6)
    assert scores["group_independence"] == pytest.approx(independence, abs=1e-6)


@pytest.mark.parametrize(
    ("code", "periods", "message"),
    [
        (
            "circles",
            {},
            "circles needs at least 1 of the factors to be cyclic; of floor, size, wall of squares got none",
        ),
        ("sums", {"wall": 4}, "sums needs at least 2 of the factors to be cyclic; .* got wall; use model.code=values"),
        ("circle", {"wall": 4}, "model.code must be values, circles, sums, got 'circle'"),
    ],
)
def test_codes_that_the_factors_do_not_have_are_refused(dataset, code, periods, message) -> None:
    with pytest.raises(ValueError, match=message):
        Oracle(info=rooms(dataset, **periods).info, code=code)
