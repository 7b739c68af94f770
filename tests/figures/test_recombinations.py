import numpy as np
import pytest

from disent_runner.datasets.symbols.phrases import parse
from disent_runner.figures.grid import tile
from disent_runner.figures.recombinations import recombinations
from disent_runner.figures.symbol_inputs import named_symbols
from disent_runner.representations.requirements import NotApplicable
from tests.figures.rooms import inputs_of, picture, row_labels, without_symbols
from tests.metrics.rooms import decode, taught


def test_three_rows_of_each_pair_say_what_is_made_of_them(rng) -> None:
    inputs = inputs_of()
    vocabulary = named_symbols("mine", inputs).vocabulary
    figures = recombinations(inputs, rng=rng, num_pairs=2, num_samples=3)
    assert list(figures) == ["recombinations_and", "recombinations_in_common", "recombinations_ignore"]
    for figure in figures.values():
        labels = [label.replace("\\", "") for label in row_labels(figure)]
        assert len(labels) == 6
        for first, second, result in zip(labels[::3], labels[1::3], labels[2::3], strict=True):
            made = parse(f"{first} {second}", vocabulary).result
            np.testing.assert_array_equal(made, parse(result.removeprefix("= "), vocabulary).result)


def test_images_are_of_the_recombined_codes(rng) -> None:
    symbols = taught(recombine=lambda operators, mean1, logvar1, mean2, logvar2: (0 * mean1 + 3, 0 * logvar1 - 20))
    figure = recombinations(inputs_of(symbols), rng=rng, num_pairs=1, num_samples=6)["recombinations_and"]
    expected = tile(np.repeat(decode(np.full((1, 4), 3.0))[None], 6, axis=1))
    np.testing.assert_array_equal(picture(figure)[-len(expected) :], expected)


def test_what_lacks_operators_is_left_out(rng) -> None:
    with pytest.raises(NotApplicable, match=r"^recombinations needs a model with operators"):
        recombinations(inputs_of(taught(recombine=None)), rng=rng, num_pairs=1, num_samples=1)
    with pytest.raises(NotApplicable, match=r"^recombinations needs a model that was taught symbols"):
        recombinations(without_symbols(), rng=rng, num_pairs=1, num_samples=1)
