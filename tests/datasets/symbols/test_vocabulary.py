import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disent_runner.datasets.symbols.concepts import ANY
from disent_runner.datasets.symbols.vocabulary import Vocabulary, draw_vocabulary

SIZES = {"wall": 3, "floor": 2, "identity": 3}
CONCEPTS = np.array([[2, ANY, 0], [ANY, 1, ANY], [0, 0, 2]])

rows = st.lists(st.tuples(*(st.integers(ANY, size - 1) for size in SIZES.values())), min_size=1, max_size=20)


def test_a_concept_is_k_hot() -> None:
    vocabulary = Vocabulary(SIZES)
    assert len(vocabulary) == 8
    encoded = vocabulary.encode(CONCEPTS)
    assert encoded.dtype == np.float32
    assert encoded.tolist() == [
        [0, 0, 1, 0, 0, 1, 0, 0],
        [0, 0, 0, 0, 1, 0, 0, 0],
        [1, 0, 0, 1, 0, 0, 0, 1],
    ]


@settings(deadline=None)
@given(rows, st.integers(0, 8), st.integers(0, 3))
def test_decoding_undoes_encoding(concepts: list, synonyms: int, seed: int) -> None:
    vocabulary = draw_vocabulary(SIZES, synonyms=synonyms, seed=seed)
    rng = np.random.default_rng(seed)
    for encoded in (vocabulary.encode(np.array(concepts)), vocabulary.encode(np.array(concepts), rng)):
        assert encoded.shape == (len(concepts), 8 + synonyms)
        np.testing.assert_array_equal(encoded.sum(axis=1), (np.array(concepts) != ANY).sum(axis=1))
        np.testing.assert_array_equal(vocabulary.decode(encoded), concepts)


def test_of_the_symbols_for_a_value_one_is_drawn() -> None:
    vocabulary = Vocabulary(SIZES, synonyms=(4, 0, 4))  # two for floor 1, one for wall 0
    concepts = np.tile([[0, 1, 2]], (3000, 1))
    counts = vocabulary.encode(concepts, np.random.default_rng(0)).mean(axis=0)
    expected = [1 / 2, 0, 0, 0, 1 / 3, 0, 0, 1, 1 / 3, 1 / 2, 1 / 3]
    np.testing.assert_allclose(counts, expected, atol=0.04)
    plain = vocabulary.encode(concepts[:1])
    assert plain.tolist() == [[1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0]]


def test_a_synonym_counts_as_what_it_means() -> None:
    vocabulary = Vocabulary(SIZES, synonyms=(4, 4))
    scores = np.array([[0.1, 0.7, 0.6, 0.0, 0.2, 0.4, 0.3, 0.1, 0.9, 0.3]])
    np.testing.assert_array_equal(vocabulary.without_synonyms(scores), [[0.1, 0.7, 0.6, 0.0, 0.9, 0.4, 0.3, 0.1]])
    assert vocabulary.decode(scores).tolist() == [[1, 1, ANY]]
    assert vocabulary.decode(scores, threshold=0.35).tolist() == [[1, 1, 0]]
    assert scores[0, 4] == 0.2  # the caller's scores are as they were


def test_names() -> None:
    names = Vocabulary({"wall": 2, "identity": 1}, synonyms=(2,)).names
    assert names == ("wall 0", "wall 1", "identity 0", "identity 0, synonym 1")


def test_synonyms_are_drawn_by_seed() -> None:
    drawn = draw_vocabulary(SIZES, synonyms=8, seed=0)
    assert sorted(drawn.synonyms) == list(range(8))
    assert draw_vocabulary(SIZES, synonyms=3, seed=0) == draw_vocabulary(SIZES, synonyms=3, seed=0)
    assert draw_vocabulary(SIZES, synonyms=3, seed=0) != draw_vocabulary(SIZES, synonyms=3, seed=1)
    assert draw_vocabulary(SIZES) == Vocabulary(SIZES)


@pytest.mark.parametrize("synonyms", [-1, 9])
def test_too_many_synonyms(synonyms: int) -> None:
    with pytest.raises(ValueError, match=f"number of synonyms must be 0 to 8, got {synonyms}"):
        draw_vocabulary(SIZES, synonyms=synonyms)
