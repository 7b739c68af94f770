import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle

from disent_runner.figures.img2sym import img2sym, most_probable
from disent_runner.representations.requirements import NotApplicable
from tests.figures.rooms import inputs_of, without_symbols
from tests.metrics.rooms import VOCABULARY, taught


def test_what_is_said_and_true_is_green_and_in_order(rng) -> None:
    """The model is certain of the three values of an image, by the last symbol for each."""
    (figure,) = img2sym(inputs_of(), rng=rng, num_images=4, num_symbols=5).values()
    assert len(figure.axes) == 8
    for place in range(4):
        image, bars = figure.axes[2 * place : 2 * place + 2]
        assert np.asarray(image.get_images()[0].get_array()).shape[:2] == (12, 12)
        assert [bar.get_width() for bar in bars.patches if isinstance(bar, Rectangle)] == [1, 1, 1, 0, 0]
        colours = [bar.get_facecolor() for bar in bars.patches]
        assert colours[:3] == [to_rgba("tab:green")] * 3


def test_what_is_not_shown_is_red(rng) -> None:
    """Everything is said, in the order of symbols; three of the first nine are true."""
    symbols = taught(describe=lambda codes: np.tile(np.linspace(1, 0.5, len(VOCABULARY)), (len(codes), 1)))
    (figure,) = img2sym(inputs_of(symbols), rng=rng, num_images=1, num_symbols=9).values()
    bars = figure.axes[1]
    assert [label.get_text() for label in bars.get_yticklabels()][2:4] == ["blue", "black"]
    assert sum(bar.get_facecolor() == to_rgba("tab:green") for bar in bars.patches) == 3
    assert sum(bar.get_facecolor() == to_rgba("tab:red") for bar in bars.patches) == 6


def test_the_most_probable_first() -> None:
    assert most_probable(np.array([0.1, 0.7, 0.7, 0.9]), 3).tolist() == [3, 1, 2]
    assert most_probable(np.array([0.1]), 3).tolist() == [0]


def test_what_lacks_something_is_left_out(rng) -> None:
    with pytest.raises(NotApplicable, match=r"^img2sym needs a model that was taught symbols"):
        img2sym(without_symbols(), rng=rng, num_images=1, num_symbols=1)
    with pytest.raises(ValueError, match=r"^img2sym needs num_images >= 1, got 0"):
        img2sym(inputs_of(), rng=rng, num_images=0, num_symbols=1)
