import pytest

from disent_runner.metrics.transfer_ratio import transfer_ratio
from disent_runner.representations.requirements import NotApplicable
from tests.metrics.players import RETURNS, agent


def test_it_is_the_share_of_the_gain_over_chance_that_is_kept(rng):
    values = transfer_ratio(agent(), rng=rng)
    assert values["transfer_ratio"] == pytest.approx((2 - 0) / (3 - 0.5))
    assert values["transfer_ratio_low"] < 0.8 < values["transfer_ratio_high"]


def test_what_keeps_all_and_nothing(rng):
    source, chance = (2.0, 4.0), (0.0, 1.0)
    home = {("source", "own"): source, ("source", "random"): chance, ("target", "random"): chance}
    assert transfer_ratio(agent({**home, ("target", "own"): source}), rng=rng)["transfer_ratio"] == 1
    assert transfer_ratio(agent({**home, ("target", "own"): chance}), rng=rng)["transfer_ratio"] == 0


@pytest.mark.parametrize("own", [(0.0, 1.0), (0.1, 1.1), (-1.0, 0.0)])
def test_an_agent_no_better_than_chance_has_none(own, rng):
    with pytest.raises(NotApplicable, match="better than chance in its source by 2 standard errors, got"):
        transfer_ratio(agent({**RETURNS, ("source", "own"): own}), rng=rng)


def test_constant_returns_have_no_error_to_be_better_by(rng):
    constant = dict.fromkeys(RETURNS, (1.0,))
    with pytest.raises(NotApplicable, match=r"got 0\.000 ± 0\.000"):
        transfer_ratio(agent(constant), rng=rng)
