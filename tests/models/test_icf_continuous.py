"""Continuous ICF on the grid, without a Trainer."""

import pytest
import torch
from torch.nn import functional

from disent_runner.datasets.transitions import as_floats
from disent_runner.models.icf_continuous import NUM_NOISE

FEW = ("dataset.batch_size=3", "model.num_factors=4", "model.latent_dim=5", "model.lambda_value=0.5")


@pytest.mark.parametrize("estimator", ["exact", "sampled"])
def test_the_loss_is_that_of_the_authors(estimator, untrained):
    """Written out for each state, action and factor, as in their main.py."""
    model, batch = untrained("model=icf_continuous", f"model.estimator={estimator}", "model.epsilon=0.3", *FEW)
    before, after = map(as_floats, batch.source.transitions(0))
    torch.manual_seed(5)
    noise = torch.randn(3, 4, NUM_NOISE)
    with torch.no_grad():
        codes = model.encode(torch.cat([before, after.flatten(0, 1)]))[0]
        codes, after_each = codes[:3], codes[3:].unflatten(0, (3, 4))
        factors = model.factors_of(codes, noise)
        log_policies, values = model.log_policies_of(codes, factors)
        policies = log_policies.exp()
        foreseen = model.transition(codes[:, None].expand(-1, 4, -1), factors).tanh()
        actions = torch.distributions.Categorical(0.7 * policies[:, 0] + 0.3 / 4).sample()
        total = {"score": 0.0, "value": 0.0, "transition": 0.0}
        for row in range(3):
            for action in range(4) if estimator == "exact" else [int(actions[row])]:
                then = after_each[row, action]
                moved = (factors[row] @ (then - codes[row])).abs()
                rewards = (1e-3 + moved / (1e-5 + moved).mean()).log()
                chances = policies[row, :, action]
                shares = chances / 4 if estimator == "exact" else chances / chances.sum()
                reinforced = (rewards - values[row]) * chances.log() if estimator == "sampled" else 0
                total["score"] += float((shares * (rewards + reinforced)).sum()) / 3
                total["value"] += float((shares * (values[row] - rewards) ** 2).sum()) / 3
                total["transition"] += float((shares[:, None] * (foreseen[row] - then) ** 2).sum()) / 3
        expected = 1e4 * functional.mse_loss(model.decode(codes), before)
        expected += 0.5 * total["value"] + 0.1 * total["transition"] - 20 * total["score"]
    torch.manual_seed(5)
    found = model.update(batch)
    assert float(found["value"]) == pytest.approx(total["value"], rel=1e-4)
    assert float(found["transition"]) == pytest.approx(total["transition"], rel=1e-4)
    assert float(found["loss"]) == pytest.approx(float(expected), rel=1e-4)


def test_factors_are_on_the_simplex_and_policies_sum_to_one(untrained):
    model, _ = untrained("model=icf_continuous", *FEW)
    before, after, policies = model.probe(6, seed=0)
    assert before.shape == (6, 8)
    assert after.shape == (6, 4, 8)
    torch.testing.assert_close(policies.sum(2), torch.ones(6, 8))
    factors = model.factors_of(torch.zeros(2, 5), torch.randn(2, 4, NUM_NOISE))
    assert (factors > 0).all()
    torch.testing.assert_close(factors.sum(2), torch.ones(2, 4))
