"""ICF on the grid, without a Trainer."""

from functools import partial
from typing import Any

import pytest
import torch
from torch.nn import functional

from disent_runner.assembly import build
from disent_runner.datasets.transitions import as_floats
from disent_runner.models.base import AbstractModel
from disent_runner.stages.fit import fit


def test_the_loss_is_that_of_the_paper(untrained):
    """Written out for each state, feature and action."""
    model, batch = untrained(
        "model=icf",
        "model.warmup=null",
        "model.lambda_selectivity=0.7",
        "model.lambda_entropy=0.01",
        "dataset.batch_size=3",
    )
    before, after = map(as_floats, batch.source.transitions(0))
    with torch.no_grad():
        first, _ = model.encode(before)
        policies = model.policies_of(model.head(model.trunk(before)))
        total = entropy = 0.0
        for row in range(3):
            for action in range(4):
                change = model.encode(after[row, action][None])[0][0] - first[row]
                moved = change.clamp_min(0) + 1e-3
                shares = moved / moved.sum() if change.abs().sum() >= 1e-4 else torch.full((4,), 0.25)
                total += float((policies[row, :, action] * shares.log()).sum()) / 3
            entropy -= float((policies[row] * policies[row].log()).sum()) / 3
        decoded = model.decoder(model.head(model.trunk(before))).sigmoid()
        expected = functional.mse_loss(decoded, before) - 0.7 * total - 0.01 * entropy
    found = model.update(batch)
    assert float(found["score"]) == pytest.approx(total, rel=1e-4)
    assert float(found["loss"]) == pytest.approx(float(expected), rel=1e-4)


def test_the_authors_take_the_mean_over_features_of_one_action(untrained):
    model, batch = untrained("model=icf_author", "dataset.batch_size=3")
    before, after = map(as_floats, batch.source.transitions(0))
    torch.manual_seed(5)
    actions = torch.randint(4, (3,))
    with torch.no_grad():
        maps = model.trunk(before)
        policies = model.policies_of(model.head(maps))
        change = model.encode(after[torch.arange(3), actions])[0] - model.encode(before)[0]
        shares = change / (1e-4 + change.clamp_min(0).sum(1, keepdim=True))
        score = (policies[torch.arange(3), :, actions] * shares).mean(1).mean()
        expected = 0.1 * functional.mse_loss(model.decoder(maps).sigmoid(), before) - score
    torch.manual_seed(5)
    found = model.update(batch)
    assert float(found["loss"]) == pytest.approx(float(expected), rel=1e-4)
    assert model.encode(before)[0].abs().max() < 1


@pytest.mark.parametrize("estimator", ["exact", "uniform", "reinforce"])
def test_every_estimator_trains_every_parameter(estimator, untrained):
    model, batch = untrained("model=icf", f"model.estimator={estimator}", "model.warmup=null")
    before = {name: value.clone() for name, value in model.named_parameters()}
    assert torch.isfinite(model.update(batch)["loss"])
    assert not [name for name, value in model.named_parameters() if torch.equal(value, before[name])]
    assert bool(model.baseline.any()) == (estimator == "reinforce")


@pytest.mark.parametrize(
    "typed",
    [
        ["model=icf", "model.estimator=reinforce"],
        ["model=icf_author"],
        ["model=icf_continuous", "model.estimator=sampled"],
    ],
)
def test_a_resumed_run_equals_the_undisturbed_one(typed, composed, tmp_path):
    def trained(folder: str, *steps: int) -> AbstractModel:
        model: Any = None
        for count in steps:
            config = composed(*typed, f"trainer.max_steps={count}")
            data = build.build_data(config)
            model = build.build_model(config, data.training.info)
            fit(model, data, folder=tmp_path / folder, seed=0, accelerator="cpu", precision="32-true")
        return model

    for one, other in zip(
        trained("whole", 6).state_dict().values(), trained("parts", 2, 6).state_dict().values(), strict=True
    ):
        assert torch.equal(one, other)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (
            ["dataset=dsprites"],
            "model=icf learns from the environment's own images, 1x12x12, and those of dsprites are",
        ),
        (["dataset.image_size=16"], "model=icf learns from the environment's own images, 1x12x12, and those of obs"),
        (
            ["environment=gymnasium", "environment.id=MiniGrid-Empty-5x5-v0"],
            "model=icf asks what each action would lead to, and this environment is no simulator",
        ),
    ],
)
def test_what_it_cannot_learn_from_is_refused_in_one_line(typed, said, composed):
    config = composed("model=icf", *typed)
    with pytest.raises(ValueError, match=f"^{said}"):
        build.build_model(config, build.build_data(config).dataset.info)


def test_a_code_has_no_image(untrained):
    model, _ = untrained("model=icf")
    with pytest.raises(ValueError, match="this model decodes what lies below its features"):
        model.decode(torch.zeros(1, 4))


def test_forms_and_estimators_are_held_against_what_there_is(untrained):
    with pytest.raises(ValueError, match=r"^model\.form=log: expected author or abs_log"):
        untrained("model=icf", "model.form=log")
    model, _ = untrained("model=icf")
    make = partial(type(model), environment=None, latent_dim=2, directed=True, init=None, optimizer=torch.optim.SGD)
    with pytest.raises(ValueError, match=r"^model\.estimator must be exact, uniform, reinforce, got 'one'"):
        make(
            info=None,
            form="author",
            estimator="one",
            lambda_reconstruction=1.0,
            lambda_selectivity=1.0,
            lambda_entropy=0.0,
        )
