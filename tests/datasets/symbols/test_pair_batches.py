from collections import Counter

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from disent_runner.datasets.batches import STEPS_PER_CHUNK, UniformBatches
from disent_runner.datasets.labels.factor_space import FactorSpace
from disent_runner.datasets.symbols.concepts import Concepts, Scenes, draw_concepts, scenes
from disent_runner.datasets.symbols.pair_batches import RecombinationBatches, SymbolBatches
from disent_runner.datasets.symbols.recombinations import OPERATORS
from disent_runner.datasets.symbols.vocabulary import Vocabulary, draw_vocabulary

SPACE = FactorSpace({"wall": 4, "floor": 4, "object": 4, "identity": 3, "yaw": 5})
LABELS = SPACE.factors(np.arange(len(SPACE)))[:, :4]
SEEDS = [0, 1, 2]


@pytest.fixture(scope="module")
def rooms() -> Scenes:
    return scenes(SPACE, count=60, seed=3)


def vocabulary(rooms: Scenes) -> Vocabulary:
    return draw_vocabulary(rooms.sizes, synonyms=4, seed=1)


def pairs(rooms: Scenes, *, seed: int = 0, batch_size: int = 16) -> SymbolBatches:
    concepts = draw_concepts(rooms, count=20, seed=0)
    return SymbolBatches(
        vocabulary=vocabulary(rooms),
        concepts=concepts,
        rows=rooms.draw_images(concepts, count=4, seed=0),
        batch_size=batch_size,
        seed=seed,
        images=UniformBatches(num_images=len(SPACE), batch_size=batch_size, seed=seed),
    )


def recombined(rooms: Scenes, *, seed: int = 0, batch_size: int = 10) -> RecombinationBatches:
    return RecombinationBatches(vocabulary=vocabulary(rooms), scenes=rooms, batch_size=batch_size, seed=seed)


def are_shown(concepts: Concepts, rows: np.ndarray) -> bool:
    return bool(((concepts == -1) | (concepts == LABELS[rows])).all())


@pytest.mark.parametrize("seed", SEEDS)
def test_every_pair_once_in_an_epoch(rooms: Scenes, seed: int) -> None:
    batches, words = pairs(rooms, seed=seed), vocabulary(rooms)
    seen = Counter()
    for step in range(10):  # two epochs of 80 pairs
        draw = batches.draw(step)
        assert draw.symbols is not None
        assert draw.symbols.shape == (16, len(words))
        concepts = words.decode(draw.symbols.numpy())
        assert are_shown(concepts, draw.rows.numpy())
        assert not rooms.held_out[rooms.combinations[draw.rows]].any()
        assert not draw.is_sample
        seen.update((tuple(concept), row) for concept, row in zip(concepts.tolist(), draw.rows.tolist(), strict=True))
    expected = draw_concepts(rooms, count=20, seed=0)
    drawn = rooms.draw_images(expected, count=4, seed=0)
    assert seen == {
        (tuple(concept), row): 2
        for concept, rows in zip(expected.tolist(), drawn.tolist(), strict=True)
        for row in rows
    }


def test_synonyms_are_drawn_evenly(rooms: Scenes) -> None:
    batches, words = pairs(rooms), vocabulary(rooms)
    draws = [batches.draw(step).symbols for step in range(500)]
    symbols = torch.cat([drawn for drawn in draws if drawn is not None]).numpy()
    assert len(symbols) == 500 * 16
    for synonym, meant in enumerate(words.synonyms, start=words.num_values):
        assert chisquare(symbols[:, [meant, synonym]].sum(axis=0)).pvalue > 1e-4


def test_images_alone_are_those_of_the_other_source(rooms: Scenes) -> None:
    images = UniformBatches(num_images=len(SPACE), batch_size=16, seed=0)
    draw = pairs(rooms).draw(7, stream=2)
    assert draw.symbols is None
    assert draw.rows.tolist() == images.draw(7, stream=2).rows.tolist()


@pytest.mark.parametrize("make", [pairs, recombined])
def test_draws_are_functions_of_seed_and_step(rooms: Scenes, make) -> None:
    batches = make(rooms)
    for step in (300, 3, 0, 255, 256):  # in any order
        one, again = batches.draw(step), make(rooms).draw(step)
        assert one.rows.tolist() == again.rows.tolist()
        assert torch.equal(one.symbols, again.symbols)
        for other in (make(rooms, seed=1).draw(step), batches.draw(step + 1)):
            assert one.rows.tolist() != other.rows.tolist()
            assert not torch.equal(one.symbols, other.symbols)


def test_more_pairs_than_there_are(rooms: Scenes) -> None:
    pairs(rooms, batch_size=80)
    with pytest.raises(ValueError, match=r"batch_size is 81, but there are 80 pairs .* set dataset.batch_size=80$"):
        pairs(rooms, batch_size=81)
    with pytest.raises(ValueError, match=r"batch_size must be at least 1, got 0"):
        pairs(rooms, batch_size=0)


@pytest.mark.parametrize("seed", SEEDS)
def test_images_show_what_the_operator_makes_and_nothing_held_out(rooms: Scenes, seed: int) -> None:
    batches, words = recombined(rooms, seed=seed), vocabulary(rooms)
    steps = [0, 1, 2, STEPS_PER_CHUNK - 1, STEPS_PER_CHUNK, 5000]
    for draw in (batches.draw(step, stream) for step in steps for stream in (0, 1)):
        assert draw.symbols is not None
        assert draw.operators is not None
        assert draw.symbols.shape == (10, 2, len(words))
        assert sorted(np.bincount(draw.operators, minlength=3)) == [3, 3, 4]
        for number, operator in enumerate(OPERATORS):
            mine = draw.operators.numpy() == number
            first, second = (words.decode(draw.symbols[mine, place].numpy()) for place in (0, 1))
            result = operator.combine(first, second)  # ValueError where it does not take them
            assert are_shown(result, draw.rows.numpy()[mine])
            for concepts in (first, second, result):
                assert rooms.are_shown(concepts).all()
        assert not rooms.held_out[rooms.combinations[draw.rows]].any()
        assert not draw.is_sample


def test_streams_of_recombinations_differ(rooms: Scenes) -> None:
    batches = recombined(rooms)
    assert batches.draw(4).rows.tolist() != batches.draw(4, stream=1).rows.tolist()


def test_one_factor_is_too_few_for_operators() -> None:
    made = scenes(SPACE, factors=["wall"], count=1, seed=0)
    with pytest.raises(ValueError, match="operators need concepts of at least two factors, got wall"):
        recombined(made)
    with pytest.raises(ValueError, match="batch_size must be at least 1, got 0"):
        recombined(made, batch_size=0)
