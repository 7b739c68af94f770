"""Answers by hand: on a line, on a circle, and where there is none."""

import numpy as np

from disent_runner.datasets.labels.nearness import distance, nearer, periods_of


def test_the_nearer_value_is_the_answer_and_a_tie_is_none():
    anchor, first, second = np.array([[0, 5, 2]]), np.array([[1, 0, 1]]), np.array([[3, 4, 3]])
    assert nearer(anchor, first, second, np.zeros(3, int)).tolist() == [[1, -1, 0]]


def test_distances_on_a_circle_are_the_shorter_way_round():
    values = np.arange(7)[:, None]
    steps = distance(values, np.zeros_like(values), np.array([6]))
    assert steps[:, 0].tolist() == [0, 1, 2, 3, 2, 1, 0]


def test_a_period_may_be_shorter_than_the_values():
    """A square's 40 orientations of which ten are a turn that shows."""
    steps = distance(np.array([[39], [25], [7]]), np.array([[0], [0], [0]]), np.array([10]))
    assert steps[:, 0].tolist() == [1, 5, 3]


def test_periods_are_in_the_order_of_the_factors():
    assert periods_of(["shape", "orientation"], {"orientation": 40}).tolist() == [0, 40]


def test_unsigned_values_do_not_wrap():
    assert distance(np.array([[0]], np.uint8), np.array([[3]], np.uint8), np.zeros(1, int)).tolist() == [[3]]
