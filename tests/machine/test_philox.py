"""Philox4x32-10 against the known answers that its authors publish with Random123 (kat_vectors)."""

import numpy as np
import pytest

from disent_runner.machine.philox import below, philox, random_words


def answer(counter: list[int], key: list[int]) -> list[int]:
    words, (left, right) = np.array(counter, np.uint64)[:, None], np.array(key, np.uint64)[:, None]
    return [int(word[0]) for word in philox(tuple(words), (left, right))]


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            [0xA4093822, 0x299F31D0],
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ],
)
def test_known_answers(counter, key, expected):
    assert answer(counter, key) == expected


def test_words_are_those_of_the_counters_and_both_halves_of_the_seed():
    seed = np.array([0x299F31D0A4093822], np.uint64)
    places = [0x85A308D3, 0x13198A2E, 0x03707344]
    words = random_words(seed, *(np.array([place]) for place in places), count=6)
    first, second = (answer([block, *places], [0xA4093822, 0x299F31D0]) for block in (0, 1))
    assert words.tolist() == [[*first, *second[:2]]]


def test_a_row_does_not_depend_on_the_others():
    seeds, index = np.arange(5), np.arange(5)[::-1]
    whole = random_words(seeds, index, count=3)
    alone = [random_words(seeds[row : row + 1], index[row : row + 1], count=3)[0] for row in range(5)]
    np.testing.assert_array_equal(whole, alone)
    assert len(np.unique(whole)) == whole.size


def test_below_reaches_both_ends():
    assert below(7, np.array([0, 2**32 - 1, 2**31], np.uint32)).tolist() == [0, 6, 3]
