import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.metrics.pairwise import paired_cosine_distances

from disent_runner.metrics.verification import area_under_roc, cosines, verification
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import NotApplicable
from tests.metrics.parts import FACTORS, faces


def test_identity_is_told_by_its_part(rng) -> None:
    """h agrees for all pairs of one identity and no other; whether m agrees has little to do with identity."""
    scores = verification(faces(), rng=rng, num_pairs=20_000)
    assert scores["verification_h_factor_0"] == 1
    assert 0.45 < scores["verification_m_factor_0"] < 0.5  # two images of one face are never of one pose
    assert scores["verification_m_factor_1"] == pytest.approx(0.5 + 0.5 * 3 / 11, abs=0.02)  # of 11 others 3 are equal
    assert len(scores) == 6


def test_cosines_and_area_are_those_of_scikit_learn(rng) -> None:
    first, second = rng.standard_normal((2, 300, 5))
    np.testing.assert_allclose(cosines(first, second), 1 - paired_cosine_distances(first, second), atol=1e-12)
    assert cosines(np.zeros((1, 2)), np.ones((1, 2))) == [0]
    scores, is_positive = rng.integers(6, size=300) / 6, rng.random(300) < 0.3  # with ties
    assert area_under_roc(scores, is_positive) == pytest.approx(roc_auc_score(is_positive, scores))


def test_what_has_no_pairs_is_left_out(rng) -> None:
    factors = np.column_stack([np.arange(4), [0, 0, 0, 0], [0, 0, 1, 1]])
    rep = Representation(np.eye(4), factors, (4, 1, 2), parts={"m": 2, "h": 2})
    assert verification(rep, rng=rng, num_pairs=100).keys() == {"verification_m_factor_2", "verification_h_factor_2"}
    with pytest.raises(NotApplicable, match="verification needs a factor that some pairs of images share"):
        verification(Representation(np.eye(4), factors[:, :1], (4,), parts={"m": 2, "h": 2}), rng=rng, num_pairs=9)
    with pytest.raises(NotApplicable, match="verification needs codes of several parts"):
        verification(Representation(np.eye(60), FACTORS, (4, 5, 3)), rng=rng)
