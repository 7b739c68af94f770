import numpy as np
import pytest

from disent_runner.figures.specificity import specificity
from disent_runner.representations.requirements import NotApplicable
from tests.figures.rooms import inputs_of, row_labels, without_symbols
from tests.metrics.rooms import NARROW


def test_latents_are_labelled_by_their_factor(rng) -> None:
    (figure,) = specificity(inputs_of(), rng=rng, num_bins=20, num_latents=10).values()
    assert row_labels(figure) == ["z0 (a)", "z1 (b)", "z2 (c)", "z3"]
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["a", "b", "c"]
    shown = np.asarray(figure.axes[0].get_images()[0].get_array())
    np.testing.assert_allclose(shown, (1 - np.exp(NARROW / 2)) * np.eye(4, 3), rtol=1e-6)


def test_no_more_latents_than_asked_for(rng) -> None:
    (figure,) = specificity(inputs_of(), rng=rng, num_bins=20, num_latents=2).values()
    assert row_labels(figure) == ["z0 (a)", "z1 (b)"]


def test_what_lacks_symbols_is_left_out(rng) -> None:
    with pytest.raises(NotApplicable, match=r"^specificity needs a model that was taught symbols"):
        specificity(without_symbols(), rng=rng, num_bins=20, num_latents=2)
