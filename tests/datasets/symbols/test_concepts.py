import itertools
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.images.image_store import ByteImages
from disent_runner.datasets.info import DatasetInfo
from disent_runner.datasets.labels.factor_space import FactorSpace
from disent_runner.datasets.labels.label_table import LabelTable
from disent_runner.datasets.splits import by_combination
from disent_runner.datasets.symbols import concepts as concepts_module
from disent_runner.datasets.symbols.concepts import (
    ANY,
    FACTORS,
    MOST_COUNTED,
    Scenes,
    all_concepts,
    are_orthogonal,
    conjunction,
    draw_concepts,
    ignore,
    in_common,
    is_superordinate,
    num_concepts,
    order,
    scenes,
    scenes_shown,
)
from disent_runner.rendering.lab import LAB8_SIZES, LAB_SIZES

ROOMS = FactorSpace({"wall": 4, "floor": 4, "object": 4, "identity": 3, "yaw": 5})
LABELS = ROOMS.factors(np.arange(len(ROOMS)))
SHAPE = (4, 4, 4, 3)

rows = st.lists(st.tuples(*(st.integers(ANY, size - 1) for size in SHAPE)), min_size=1, max_size=20)


@pytest.fixture(scope="module")
def rooms() -> Scenes:
    return scenes(ROOMS, count=20, seed=3)


def as_set(concept: np.ndarray) -> set[tuple[int, int]]:
    return {(factor, value) for factor, value in enumerate(concept.tolist()) if value != ANY}


def as_row(concept: set[tuple[int, int]]) -> list[int]:
    return [dict(concept).get(factor, ANY) for factor in range(len(SHAPE))]


def images_of(concept: np.ndarray, images: np.ndarray) -> np.ndarray:
    named = concept != ANY
    return images[(LABELS[images][:, :4][:, named] == concept[named]).all(axis=1)]


def test_numbers_of_concepts_of_scan() -> None:
    numbers = num_concepts([LAB_SIZES[name] for name in FACTORS])
    assert numbers == (51, 912, 6400, 12288)
    assert sum(numbers) == 19_651 == 17**3 * 4 - 1
    assert num_concepts([LAB8_SIZES[name] for name in FACTORS]) == (15, 84, 208, 192)


@settings(deadline=None)
@given(rows, rows)
def test_operators_are_those_of_sets(first_rows: list, second_rows: list) -> None:
    for pair in zip(first_rows, second_rows, strict=False):
        first, second = (np.array([row]) for row in pair)
        one, other = as_set(first[0]), as_set(second[0])
        assert order(first).tolist() == [len(one)]
        assert is_superordinate(first, second).tolist() == [one < other]
        orthogonal = {factor for factor, _ in one}.isdisjoint({factor for factor, _ in other})
        assert are_orthogonal(first, second).tolist() == [orthogonal]
        for operator, takes, result in (
            (conjunction, orthogonal, one | other),
            (in_common, bool(one & other), one & other),
            (ignore, other < one, one - other),
        ):
            if takes:
                assert operator(first, second).tolist() == [as_row(result)]
            else:
                with pytest.raises(ValueError, match="needs"):
                    operator(first, second)


def test_the_examples_of_the_slides() -> None:
    # of size, form and colour: small 0, round 1, red 2
    small, round_, round_red, small_round = np.array([[[0, ANY, ANY]], [[ANY, 1, ANY]], [[ANY, 1, 2]], [[0, 1, ANY]]])
    np.testing.assert_array_equal(conjunction(small, round_), small_round)
    np.testing.assert_array_equal(in_common(small_round, round_red), round_)
    np.testing.assert_array_equal(ignore(small_round, round_), small)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("space", [ROOMS, FactorSpace(LAB8_SIZES), LabelTable(ROOMS.sizes, LABELS[::7])])
def test_what_is_held_out_is_what_the_split_holds_out(space: FactorSpace | LabelTable, seed: int) -> None:
    made = scenes(space, count=20, seed=seed)
    mask = by_combination(space, factors=["wall", "floor", "object", "identity"], count=20, seed=seed)
    np.testing.assert_array_equal(made.held_out[made.combinations], mask)
    labels = space.factors(np.flatnonzero(mask))[:, :4]
    assert len(made.held_out_concepts) == 20
    np.testing.assert_array_equal(made.held_out_concepts, np.unique(labels, axis=0))


def test_examples_are_counted(rooms: Scenes) -> None:
    trained = np.flatnonzero(~rooms.held_out[rooms.combinations])
    assert rooms.num_examples.shape == (5, 5, 5, 4)
    for concept in itertools.product(*(range(ANY, size) for size in SHAPE)):
        assert rooms.num_examples[concept] == len(images_of(np.array(concept), trained))
    assert not rooms.are_shown(rooms.held_out_concepts).any()


def test_all_concepts_but_those_held_out(rooms: Scenes) -> None:
    everything = {row for row in itertools.product(*(range(ANY, size) for size in SHAPE)) if set(row) != {ANY}}
    held_out = {tuple(row) for row in rooms.held_out_concepts.tolist()}
    found = [tuple(row) for row in all_concepts(rooms).tolist()]
    assert len(found) == len(set(found))
    assert set(found) == everything - held_out  # 20 of 192 leave every trigram an image


@pytest.mark.parametrize("seed", [0, 1])
def test_drawn_concepts_are_different_and_shown(rooms: Scenes, seed: int) -> None:
    concepts = draw_concepts(rooms, count=40, seed=seed)
    assert concepts.shape == (40, 4)
    assert len(np.unique(concepts, axis=0)) == 40
    assert rooms.are_shown(concepts).all()
    np.testing.assert_array_equal(concepts, draw_concepts(rooms, count=40, seed=seed))
    assert (concepts != draw_concepts(rooms, count=40, seed=seed + 1)).any()


@pytest.mark.parametrize("most", [MOST_COUNTED, 0])
def test_orders_then_factors_then_values_are_uniform(rooms: Scenes, most: int, monkeypatch) -> None:
    monkeypatch.setattr(concepts_module, "MOST_COUNTED", most)
    first = np.concatenate([draw_concepts(rooms, count=1, seed=seed) for seed in range(500)])
    for observed, shares in (
        (np.bincount(order(first))[1:], [1 / 4] * 4),
        ((first[order(first) == 1] != ANY).sum(axis=0), [1 / 4] * 4),
        (np.bincount(first[first[:, 3] != ANY][:, 3]), [1 / 3] * 3),
    ):
        expected = np.array(shares) * observed.sum()
        assert ((observed - expected) ** 2 / expected).sum() < 20  # chi-square of 3 degrees, 1 in 5000


def test_all_concepts_may_be_drawn(rooms: Scenes) -> None:
    number = len(all_concepts(rooms))
    assert len(np.unique(draw_concepts(rooms, count=number, seed=0), axis=0)) == number
    for count in (0, number + 1):
        with pytest.raises(ValueError, match=rf"number of concepts must be 1 to {number}, got {count}"):
            draw_concepts(rooms, count=count, seed=0)


def test_drawn_images_show_their_concept_and_nothing_held_out(rooms: Scenes) -> None:
    concepts = draw_concepts(rooms, count=60, seed=0)
    images = rooms.draw_images(concepts, count=5, seed=1)
    assert images.shape == (60, 5)
    for concept, drawn in zip(concepts, images, strict=True):
        assert len(set(drawn.tolist())) == 5
        assert len(images_of(concept, drawn)) == 5
    assert not rooms.held_out[rooms.combinations[images]].any()
    np.testing.assert_array_equal(images, rooms.draw_images(concepts, count=5, seed=1))
    assert (images != rooms.draw_images(concepts, count=5, seed=2)).any()


def test_every_image_of_a_concept_may_be_drawn(rooms: Scenes) -> None:
    trained = np.flatnonzero(~rooms.held_out[rooms.combinations])
    for concept in draw_concepts(rooms, count=20, seed=0):
        expected = images_of(concept, trained)
        (drawn,) = rooms.draw_images(concept[None], count=len(expected), seed=0)
        np.testing.assert_array_equal(np.sort(drawn), expected)


def test_one_image_of_each_concept_is_any_of_its_images(rooms: Scenes) -> None:
    concepts = draw_concepts(rooms, count=100, seed=0)
    trained = np.flatnonzero(~rooms.held_out[rooms.combinations])
    drawn = rooms.draw_image(concepts, np.random.default_rng(0))
    for concept, image in zip(concepts, drawn, strict=True):
        assert image in images_of(concept, trained)
    bigram = concepts[order(concepts) == 2][0]
    images = images_of(bigram, trained)
    drawn = rooms.draw_image(np.tile(bigram, (20 * len(images), 1)), np.random.default_rng(0))
    assert chisquare([(drawn == image).sum() for image in images]).pvalue > 1e-4
    assert len(drawn) == 20 * len(images)
    with pytest.raises(ValueError, match=r"^no image to train on shows the concept \{'wall': .*\}$"):
        rooms.draw_image(rooms.held_out_concepts, np.random.default_rng(0))


@pytest.mark.parametrize("seed", [0, 1])
def test_scenes_of_what_a_split_left(seed: int) -> None:
    held_out = by_combination(ROOMS, factors=["wall", "floor", "object", "identity"], count=20, seed=seed)
    training = Dataset(
        info=DatasetInfo("rooms", (1, 2, 2), ROOMS.sizes, len(ROOMS), "rendered"),
        space=ROOMS,
        images=ByteImages(np.zeros((len(ROOMS), 1, 2, 2), np.uint8)),
        content_hash="",
    ).take(np.flatnonzero(~held_out))
    made, expected = scenes_shown(training.space), scenes(ROOMS, count=20, seed=seed)
    assert made.sizes == expected.sizes
    np.testing.assert_array_equal(made.held_out, expected.held_out)
    np.testing.assert_array_equal(made.num_examples, expected.num_examples)
    concepts = draw_concepts(made, count=30, seed=0)
    labels = training.space.factors(made.draw_images(concepts, count=3, seed=0).reshape(-1))[:, :4]
    assert ((labels == np.repeat(concepts, 3, axis=0)) | (np.repeat(concepts, 3, axis=0) == ANY)).all()
    with pytest.raises(ValueError, match=r"model\.factors names 'colour'"):
        scenes_shown(training.space, ["wall", "colour"])


def test_scenes_of_images_without_labels() -> None:
    labels = np.array([[0, 1], [1, -1], [1, 1]])
    training = Dataset(
        info=DatasetInfo("pairs", (1, 2, 2), {"a": 2, "b": 2}, 3, "rendered"),
        space=LabelTable({"a": 2, "b": 2}, labels),
        images=ByteImages(np.zeros((3, 1, 2, 2), np.uint8)),
        content_hash="",
    )
    assert scenes_shown(training.space, ["a"]).held_out.tolist() == [False, False]
    with pytest.raises(ValueError, match=r"^1 images have no label of a and b"):
        scenes_shown(training.space, ["a", "b"])


def test_too_few_images(rooms: Scenes) -> None:
    concept = all_concepts(rooms)[-1:]
    asked = rooms.described(concept[0])
    number = rooms.num_examples[tuple(concept[0])]
    with pytest.raises(ValueError, match=rf"^{number} images to train on show the concept {asked}, 10000 are needed"):
        rooms.draw_images(concept, count=10_000, seed=0)


def test_concepts_without_an_image_left_are_none() -> None:
    space = FactorSpace({"a": 2, "b": 2})
    for seed in range(5):
        made = scenes(space, factors=["a", "b"], count=3, seed=seed)
        ((a, b),) = space.factors(np.flatnonzero(~made.held_out))
        assert {tuple(row) for row in all_concepts(made).tolist()} == {(a, ANY), (ANY, b), (a, b)}
        assert len(draw_concepts(made, count=3, seed=0)) == 3


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.integers(2, 4), min_size=2, max_size=3),
    st.data(),
)
def test_any_factors_complete_or_not(sizes: list[int], data: st.DataObject) -> None:
    names: Mapping[str, int] = {f"f{number}": size for number, size in enumerate(sizes)}
    number = int(np.prod(sizes))
    kept = data.draw(st.sets(st.integers(0, number - 1), min_size=3))
    space = FactorSpace(names, np.array(sorted(kept)))
    made = scenes(space, factors=list(names)[::-1], count=data.draw(st.integers(1, len(space) - 1)), seed=0)
    concepts = draw_concepts(made, count=len(all_concepts(made)), seed=0)
    labels = space.factors(np.arange(len(space)))[:, ::-1]
    images = made.draw_images(concepts, count=1, seed=0)[:, 0]
    assert ((labels[images] == concepts) | (concepts == ANY)).all()
    assert not made.held_out[made.combinations[images]].any()


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"factors": ["wall", "colour"], "count": 1}, "names 'colour'"),
        ({"count": 192}, "hold out 192 of the 192 combinations"),
    ],
)
def test_impossible_scenes(settings_: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        scenes(ROOMS, seed=0, **settings_)


def test_concepts_of_few_images_are_not_drawn_where_more_are_needed(rooms: Scenes) -> None:
    """Five rooms show each combination, and 20 of these are held out; what names fewer factors has more."""
    drawn = draw_concepts(rooms, count=100, seed=0, num_images=6)
    assert (order(drawn) < 4).all()
    with pytest.raises(ValueError, match=r"the number of concepts with 900 images to train on must be 1 to 0, got 100"):
        draw_concepts(rooms, count=100, seed=0, num_images=900)


def test_images_that_are_searched_are_those_that_are_counted(rooms: Scenes, monkeypatch) -> None:
    concepts = draw_concepts(rooms, count=60, seed=0)
    expected = rooms.draw_images(concepts, count=5, seed=1)
    monkeypatch.setattr(concepts_module, "MOST_COUNTED", 0)
    np.testing.assert_array_equal(rooms.draw_images(concepts, count=5, seed=1), expected)
    with pytest.raises(ValueError, match=r"^\d+ images to train on show the concept .*, 900 are needed"):
        rooms.draw_images(concepts, count=900, seed=1)


def test_concepts_of_many_attributes() -> None:
    """Eighteen that are absent or present, as of CelebA, have 387 million concepts, more than are counted."""
    labels = np.random.default_rng(0).integers(2, size=(2_000, 18))
    space = LabelTable({f"attribute{k}": 2 for k in range(18)}, labels)
    faces = scenes_shown(space, tuple(space.sizes))
    assert not faces.is_counted
    concepts = draw_concepts(faces, count=133, seed=0, num_images=10)
    assert len(np.unique(concepts, axis=0)) == 133
    np.testing.assert_array_equal(concepts, draw_concepts(faces, count=133, seed=0, num_images=10))
    for concept, rows in zip(concepts, faces.draw_images(concepts, count=10, seed=0), strict=True):
        named = concept != ANY
        assert len(set(rows.tolist())) == 10
        assert (labels[rows][:, named] == concept[named]).all()
    with pytest.raises(ValueError, match=r"draws found 0 concepts with 2001 images to train on, 2 are needed"):
        draw_concepts(faces, count=2, seed=0, num_images=2_001)
