from functools import partial

import pytest

from disent_runner.representations.numbers import Number, numbers_of, parts_of, returns

ACCURACY = Number("accuracy", "higher", per_factor=True, sizes="train_sizes")
TOTAL = Number("total", unit="nats", per_factor=True)


@returns(ACCURACY, TOTAL)
def metric(rep, *, rng, train_sizes=()):
    return {}


def test_numbers_are_found_with_settings_and_without():
    assert numbers_of(metric) == numbers_of(partial(metric, train_sizes=[5])) == (ACCURACY, TOTAL)
    assert numbers_of(lambda rep, *, rng: {}) == ()


@pytest.mark.parametrize(
    ("key", "name", "factor", "number"),
    [
        ("total", "total", None, TOTAL),
        ("total_factor_2", "total", 2, TOTAL),
        ("accuracy_100", "accuracy_100", None, ACCURACY),
        ("accuracy_100_factor_0", "accuracy_100", 0, ACCURACY),
    ],
)
def test_a_key_is_a_number_of_all_or_of_one_factor(key, name, factor, number):
    assert parts_of(partial(metric, train_sizes=[10, 100]), [key], 3) == {key: (name, factor, number)}


@pytest.mark.parametrize("key", ["total_factor_3", "accuracy", "accuracy_20", "own", "total_2"])
def test_a_key_that_is_not_declared_is_a_defect(key):
    with pytest.raises(ValueError, match=f"it returned {key}, which it does not declare; a defect of the metric"):
        parts_of(partial(metric, train_sizes=[10, 100]), ["total", key], 3)


def test_a_metric_that_declares_nothing_may_return_anything():
    parts = parts_of(lambda rep, *, rng: {}, ["own"], 3)
    assert parts == {"own": ("own", None, Number("own"))}
