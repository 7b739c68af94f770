from dataclasses import replace

import numpy as np
import pytest

from disent_runner.datasets.symbols.vocabulary import Vocabulary
from disent_runner.metrics.img2sym import accuracy_by_factor, extra_symbols, img2sym
from disent_runner.representations.requirements import NotApplicable
from tests.metrics.rooms import VOCABULARY, representation, taught, values_of


def test_a_model_that_says_what_there_is_also_by_synonyms(rng) -> None:
    assert img2sym(representation(taught()), rng=rng) == {
        "img2sym": 1.0,
        "img2sym_factor_1": 1.0,
        "img2sym_factor_2": 1.0,
        "img2sym_factor_3": 1.0,
        "img2sym_chance": pytest.approx((1 / 4 + 1 / 3 + 1 / 2) / 3),
        "img2sym_extra": 0.0,
    }


def test_a_model_that_says_everything_of_every_image(rng) -> None:
    """The first value wins of equal ones; of 9 values 6 are not the image's."""
    scores = img2sym(representation(taught(describe=lambda codes: np.ones((len(codes), len(VOCABULARY))))), rng=rng)
    assert scores["img2sym"] == pytest.approx(scores["img2sym_chance"])
    assert scores["img2sym_extra"] == 6.0


def test_a_model_that_says_nothing_has_said_nothing_wrong(rng) -> None:
    symbols = taught(describe=lambda codes: np.zeros((len(codes), len(VOCABULARY))))
    assert img2sym(representation(symbols), rng=rng)["img2sym_extra"] == 0.0


def test_codes_are_samples_of_the_posteriors() -> None:
    """Where those are the prior, what is said is chance; without posteriors the codes themselves are described."""
    rep = representation(taught(), copies=200)
    wide = img2sym(replace(rep, codes=0 * rep.codes, logvar=np.zeros_like(rep.codes)), rng=np.random.default_rng(0))
    chance = np.array([1 / 4, 1 / 3, 1 / 2])
    spread = 5 * np.sqrt(chance * (1 - chance) / 4800)
    assert (np.abs([wide[f"img2sym_factor_{k}"] for k in (1, 2, 3)] - chance) < spread).all()
    points = img2sym(replace(rep, logvar=None), rng=np.random.default_rng(0))
    assert points["img2sym"] == 1.0


def test_by_hand() -> None:
    vocabulary = Vocabulary({"wall": 3, "hat": 2}, synonyms=(1,))
    said = np.array([[0.1, 0.2, 0.6, 0.9, 0.6, 0.7], [0.9, 0.1, 0.0, 0.4, 0.3, 0.0]])
    labels = np.array([[1, 0], [0, 1]])
    np.testing.assert_array_equal(accuracy_by_factor(vocabulary, said, labels), [1.0, 0.5])
    assert extra_symbols(vocabulary, said, labels) == (2 + 0) / 2


def test_images_without_labels_are_left_out(rng) -> None:
    rep = representation(taught())
    factors = rep.factors.copy()
    factors[:470, 1] = -1
    factors[:, 0] = -1  # concepts are not about it
    assert img2sym(replace(rep, factors=factors), rng=rng)["img2sym"] == 1.0
    with pytest.raises(NotApplicable, match=r"^img2sym needs images whose factors are all known, got none"):
        img2sym(replace(rep, factors=np.full_like(factors, -1)), rng=rng)


def test_what_lacks_symbols_is_skipped(rng) -> None:
    with pytest.raises(NotApplicable, match=r"^img2sym needs a model that was taught symbols"):
        img2sym(representation(None), rng=rng)
    with pytest.raises(ValueError, match=r"^img2sym needs num_images >= 1, got 0"):
        img2sym(representation(taught()), rng=rng, num_images=0)


def test_described_are_the_images_own_codes(rng) -> None:
    rep = representation(taught())
    np.testing.assert_array_equal(values_of(rep.codes), rep.factors[:, 1:])
