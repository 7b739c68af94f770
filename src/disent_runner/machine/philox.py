"""Random numbers by where they are wanted: each is a function of a seed and of counters, whatever was drawn before.

Philox4x32 with ten rounds (Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3").
"""

import numpy as np

_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (np.uint64(0x9E3779B9), np.uint64(0xBB67AE85))
_ROUNDS = 10
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)


def random_words(seed: np.ndarray, *counters: np.ndarray, count: int) -> np.ndarray:
    """(N, count) uint32, uniform, for N seeds below 2**64 and up to three counters below 2**32, (N,) each."""
    places = [np.broadcast_to(counter, seed.shape).astype(np.uint64)[:, None] for counter in counters]
    places += [np.zeros((len(seed), 1), np.uint64)] * (3 - len(counters))
    blocks = np.arange(-(-count // 4), dtype=np.uint64)[None]
    key = seed.astype(np.uint64)[:, None]
    words = philox((blocks, *places), (key & _LOW, key >> _HALF))
    return np.stack(words, axis=-1).reshape(len(seed), -1)[:, :count].astype(np.uint32)


def philox(counter: tuple[np.ndarray, ...], key: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, ...]:
    """Four 32-bit words, in uint64, of a counter of four and a key of two, in uint64 as well; any shapes that go
    together.
    """
    first, second, third, fourth = counter
    left, right = key
    for _ in range(_ROUNDS):
        one, two = _MULTIPLIERS[0] * first, _MULTIPLIERS[1] * third
        first, second, third, fourth = (
            (two >> _HALF) ^ second ^ left,
            two & _LOW,
            (one >> _HALF) ^ fourth ^ right,
            one & _LOW,
        )
        left, right = (left + _WEYL[0]) & _LOW, (right + _WEYL[1]) & _LOW
    return first, second, third, fourth


def below(size: int, words: np.ndarray) -> np.ndarray:
    """Words as whole numbers from 0 to size - 1, in int64; no value is more likely than another by more than 2**-32."""
    return ((words.astype(np.uint64) * np.uint64(size)) >> _HALF).astype(np.int64)
