import numpy as np
import pytest

from disent_runner.figures.concept_evolution import concept_evolution
from disent_runner.representations.requirements import NotApplicable
from tests.figures.rooms import inputs_of, picture, row_labels, without_symbols

SETTINGS = {"num_latents": 6, "num_sets": 3, "num_images": 5, "kl": "forward", "beta": 1.0, "lambda_": 10.0}


def test_latents_narrow_and_widen_over_the_sets(rng) -> None:
    figures = concept_evolution(inputs_of(), rng=rng, concept="green a", num_steps=300, **SETTINGS)
    (axes,) = figures["concept_evolution"].axes
    lines = {str(line.get_label()): np.asarray(line.get_ydata()) for line in axes.lines}
    named, other = lines["z0 (a)"], lines["z2 (c)"]
    assert len(named) == 3 * 301
    assert named[0] == 0
    assert named[-1] > 0.9
    assert other[300] > 0.9
    assert other[-1] < 0.9
    assert sum(line.get_linestyle() == "--" for line in axes.lines) == 2
    images = figures["concept_evolution_images"]
    assert row_labels(images) == ["after set 1", "after set 2", "after set 3", "set 1", "set 2", "set 3"]
    assert np.unique(picture(images)).size > 2


def test_without_a_word_the_first_value(rng) -> None:
    figures = concept_evolution(inputs_of(), rng=rng, concept=None, num_steps=1, **SETTINGS)
    assert figures["concept_evolution"].axes[0].get_title() == "red a"


def test_what_lacks_symbols_is_left_out(rng) -> None:
    with pytest.raises(NotApplicable, match=r"^concept_evolution needs a model that was taught symbols"):
        concept_evolution(without_symbols(), rng=rng, concept=None, num_steps=1, **SETTINGS)
