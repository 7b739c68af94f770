import numpy as np
import pytest

from disent_runner.metrics.part_accuracy import accuracy, part_accuracy
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import NotApplicable
from tests.metrics.parts import FACTORS, faces


def repeated(rep: Representation, times: int = 6) -> Representation:
    codes, factors = np.tile(rep.codes, (times, 1)), np.tile(FACTORS, (times, 1))
    return Representation(codes, factors, rep.factor_sizes, factor_names=rep.factor_names, parts=rep.parts)


def test_each_part_tells_its_own_factors_and_no_others(rng) -> None:
    """What it does not tell of, it says by chance: a fifth of azimuths, a third of elevations, a quarter of faces."""
    scores = part_accuracy(repeated(faces()), rng=rng)
    assert [scores[f"part_accuracy_m_factor_{k}"] for k in (1, 2)] == [1, 1]
    assert scores["part_accuracy_h_factor_0"] == 1
    for key, chance in (("m_factor_0", 1 / 4), ("h_factor_1", 1 / 5), ("h_factor_2", 1 / 3)):
        assert scores[f"part_accuracy_{key}"] == pytest.approx(chance, abs=0.2)
    for end in ("", "_factor_0", "_factor_1", "_factor_2"):
        gap = scores[f"part_accuracy_m{end}"] - scores[f"part_accuracy_h{end}"]
        assert scores[f"part_accuracy_gap{end}"] == pytest.approx(gap)
    means = [scores[f"part_accuracy_m_factor_{k}"] for k in range(3)]
    assert scores["part_accuracy_m"] == pytest.approx(np.mean(means))


def test_a_dead_part_and_one_label_are_no_mistakes() -> None:
    labels = np.array([0, 1, 1, 1])
    assert accuracy(np.zeros((4, 2)), labels, np.zeros((2, 2)), np.array([1, 0])) == 0.5
    assert accuracy(np.zeros((4, 2)), np.zeros(4, int), np.ones((2, 2)), np.array([0, 3])) == 0.5


def test_codes_of_one_whole_have_no_parts(rng) -> None:
    with pytest.raises(NotApplicable, match=r"^part_accuracy needs codes of several parts, such as m and h of disbm"):
        part_accuracy(Representation(np.eye(60), FACTORS, (4, 5, 3)), rng=rng)
    with pytest.raises(ValueError, match=r"^part_accuracy needs parts of m, h, got e"):
        part_accuracy(faces(), rng=rng, parts=["e"])
    with pytest.raises(ValueError, match=r"^parts {'m': 3} are not the 60 numbers of a code"):
        Representation(np.eye(60), FACTORS, (4, 5, 3), parts={"m": 3})
