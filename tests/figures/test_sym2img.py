import numpy as np
import pytest

from disent_runner.figures.grid import tile
from disent_runner.figures.sym2img import sym2img
from disent_runner.representations.requirements import NotApplicable
from tests.figures.rooms import inputs_of, picture, row_labels, without_symbols
from tests.metrics.rooms import codes_of, decode


def test_rows_are_taught_concepts_by_order(rng) -> None:
    (figure,) = sym2img(inputs_of(), rng=rng, num_concepts=1, num_samples=7).values()
    labels = row_labels(figure)
    assert labels[0] == "red a"
    assert labels[1] in ("green a, white", r"red b, \$cap\$")
    assert labels[2] == "blue, green b, hat"
    whole = decode(codes_of(np.array([[2, 1, 0]])))
    expected = tile(np.repeat(whole[None], 7, axis=1))
    np.testing.assert_array_equal(picture(figure)[-len(expected) :], expected)


def test_as_many_concepts_as_there_are(rng) -> None:
    (figure,) = sym2img(inputs_of(), rng=rng, num_concepts=9, num_samples=1).values()
    assert sorted(row_labels(figure)) == ["blue, green b, hat", "green a, white", "red a", r"red b, \$cap\$"]


def test_what_lacks_something_is_left_out(rng) -> None:
    with pytest.raises(NotApplicable, match=r"^sym2img needs a model that was taught symbols"):
        sym2img(without_symbols(), rng=rng, num_concepts=1, num_samples=1)
    with pytest.raises(NotApplicable, match="needs a decoder"):
        sym2img(inputs_of(autoencoder=None), rng=rng, num_concepts=1, num_samples=1)
    with pytest.raises(ValueError, match=r"^sym2img needs num_samples >= 1, got 0"):
        sym2img(inputs_of(), rng=rng, num_concepts=1, num_samples=0)
