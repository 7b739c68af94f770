import pytest

from disent_runner.metrics.target_return import target_return
from disent_runner.representations.requirements import NotApplicable
from tests.metrics.players import RETURNS, agent


@pytest.mark.parametrize("target", [None, {"hue": 1}])
def test_it_is_the_return_where_nothing_was_learned(target, rng):
    values = target_return(agent(), rng=rng, target=target)
    assert values["target_return"] == 2
    assert values["target_return_random"] == 0
    assert values["target_return_length"] == 5
    assert values["target_return_low"] < 2 < values["target_return_high"]


def test_without_a_target_it_is_left_out_with_what_to_type(rng):
    home = {key: returns for key, returns in RETURNS.items() if key[0] == "source"}
    with pytest.raises(NotApplicable, match=r"'metric\.target_return\.target=\{…\}'$"):
        target_return(agent(home), rng=rng)
