import numpy as np
import pytest

from disent_runner.figures.symbol_inputs import imagined, named_symbols
from disent_runner.representations.requirements import NotApplicable
from tests.figures.rooms import inputs_of, without_symbols
from tests.metrics.rooms import NARROW, codes_of, decode, taught


def test_symbols_have_the_names_of_the_data_set() -> None:
    symbols = named_symbols("mine", inputs_of())
    names = ("red a", "green a", "blue", "black", "red b", "green b", "white", "hat", "$cap$")
    assert symbols.vocabulary.names == (*names, "green b, synonym 1", "red a, synonym 2")
    assert symbols.infer is taught().infer
    with pytest.raises(NotApplicable, match=r"^mine needs a model that was taught symbols"):
        named_symbols("mine", without_symbols())


def test_images_are_of_codes_drawn_from_each_posterior(rng) -> None:
    mean = codes_of(np.array([[3, 0, 1], [1, 2, 0]])).astype(np.float32)
    images = imagined(inputs_of(), mean, np.full(mean.shape, NARROW, np.float32), count=5, rng=rng)
    np.testing.assert_array_equal(images, np.repeat(decode(mean)[:, None], 5, axis=1))
    wide = imagined(inputs_of(), 0 * mean, 0 * mean, count=50, rng=rng)
    assert len(np.unique(wide.reshape(100, -1), axis=0)) > 15
