"""disBM, without a Trainer."""

from typing import Any

import numpy as np
import pytest
import torch

from disent_runner.assembly import build
from disent_runner.losses.three_way import Hidden, ThreeWay, contrast, energy, evidence_of, logits_m, mean_field
from disent_runner.models.base import AbstractModel
from disent_runner.stages.fit import fit

SMALL = (
    "model=disbm",
    "dataset.image_size=16",
    "dataset.batch_size=16",
    "model.pose_units=6",
    "model.identity_units=5",
)
VARIANTS = ("naive", "clamped", "manifold")


@pytest.mark.parametrize("visible", ["gaussian", "binary"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_step_is_the_gradient_of_the_energies_of_images_and_chains(variant: str, visible: str, untrained) -> None:
    """By autograd, states taken as they are; of m that poses pull, by autograd through its last update."""
    model, batch = untrained(
        *SMALL, f"model.variant={variant}", f"model.visible={visible}", "model.lambda_manifold=0.3", "model.margin=1.5"
    )
    model.optimizer_of["model"].step = lambda: None
    is_gaussian = visible == "gaussian"
    theta = ThreeWay(*(parameter.detach().clone().requires_grad_() for parameter in model.machine))
    images = [batch.images] if variant == "naive" else [batch.images, batch.partner_images]
    v = torch.stack([model.visible_of(each) for each in images], dim=1)
    with torch.no_grad():
        hidden = mean_field(theta, evidence_of(theta, v), num_sweeps=model.num_sweeps)
    model.update(batch)
    chains = Hidden(model.chain_m, model.chain_h)
    with torch.no_grad():
        logits = theta.bias_v + chains.m @ theta.pairs_m.T + (chains.h @ theta.pairs_h.T)[:, None]
        product = (chains.m @ theta.factors_m) * (chains.h @ theta.factors_h)[:, None]
        logits += product @ theta.factors_v.T
        mean = logits if is_gaussian else logits.sigmoid()
    loss = energy(theta, v, hidden, is_gaussian=is_gaussian).mean()
    loss = (loss - energy(theta, mean, chains, is_gaussian=is_gaussian).mean()) / len(images)
    if variant == "manifold":
        m = logits_m(theta, evidence_of(theta, v[:, :1]), hidden.h).sigmoid()[:, 0]
        labels = torch.from_numpy(batch.dataset.space.factors(batch.draw.rows.numpy())[:, 1:])
        loss = loss + 0.3 * contrast(m, labels.float(), margin=1.5)
    loss.backward()
    for found, expected in zip(model.machine, theta, strict=True):
        torch.testing.assert_close(found.grad, expected.grad, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_moves_every_parameter_and_keeps_columns_alike(variant: str, untrained) -> None:
    model, batch = untrained(*SMALL, f"model.variant={variant}", "model.num_chains=4")
    before = {name: value.clone() for name, value in model.state_dict().items()}
    logged = model.update(batch)
    assert torch.isfinite(logged["loss"])
    assert ("manifold" in logged) == (variant == "manifold")
    left = {name for name, value in model.state_dict().items() if torch.equal(value, before[name])}
    assert left == {"pixel_mean", "pixel_deviation"}
    norms = model.factors_h.norm(dim=0)
    torch.testing.assert_close(norms, norms.mean().expand_as(norms))
    assert model.chain_v.shape[:2] == (4, 1 if variant == "naive" else 2)


def test_momentum_is_small_in_the_first_steps(untrained) -> None:
    model, batch = untrained(*SMALL, "model.calm_steps=1", "model.calm_momentum=0.25")
    (first, *_) = model.optimizer_of["model"].param_groups
    model.update(batch)
    assert first["momentum"] == 0.25
    object.__setattr__(batch, "step", 1)
    model.update(batch)
    assert first["momentum"] == 0.9


def test_biases_do_not_decay(untrained) -> None:
    model, _ = untrained(*SMALL)
    decays = {
        id(parameter): group["weight_decay"]
        for group in model.optimizer_of["model"].param_groups
        for parameter in group["params"]
    }
    assert {name for name, parameter in model.named_parameters() if decays[id(parameter)] == 0} == {
        "bias_v",
        "bias_m",
        "bias_h",
    }


@pytest.mark.parametrize("visible", ["gaussian", "binary"])
def test_pixels_start_from_their_own_mean(visible: str, composed) -> None:
    """An image of no unit is the mean image; standardised pixels have it subtracted, bits it as their odds."""
    config = composed(*SMALL, f"model.visible={visible}")
    data = build.build_data(config)
    model: Any = build.build_model(config, data.training.info)
    model.learn(data.training, np.random.default_rng(0))
    mean = data.training.gather(torch.arange(len(data.training))).mean(0)
    with torch.no_grad():
        drawn = model.decode(torch.zeros(1, model.latent_dim))[0]
    torch.testing.assert_close(drawn, mean if visible == "gaussian" else mean.clamp(0.05, 0.95), atol=1e-5, rtol=0)


def test_codes_are_m_then_h_and_nll_is_that_of_their_image(untrained) -> None:
    model, batch = untrained(*SMALL)
    images = batch.images
    with torch.no_grad():
        codes, logvar = model.encode(images)
        v = model.visible_of(images)[:, None].expand(-1, 2, -1)
        hidden = mean_field(model.machine, evidence_of(model.machine, v), num_sweeps=model.num_sweeps)
        nll = model.nll(codes, images)
    assert logvar is None
    assert model.parts == {"m": 6, "h": 5}
    torch.testing.assert_close(codes, torch.cat([hidden.m[:, 0], hidden.h], dim=1))
    assert nll.shape == (len(images),)
    samples = model.sample_codes(20, np.random.default_rng(0))
    assert set(np.unique(samples)) == {0.0, 1.0}


def test_what_diverges_is_said_and_nothing_is_drawn_from_it(untrained) -> None:
    model, batch = untrained(*SMALL)
    model.factors_v.data.fill_(1e30)
    assert not torch.isfinite(model.update(batch)["loss"])


@pytest.mark.parametrize("variant", ["naive", "manifold"])
def test_a_resumed_run_equals_the_undisturbed_one(variant: str, composed, tmp_path) -> None:
    """Chains, momentum and random states included."""

    def trained(folder: str, *steps: int) -> AbstractModel:
        model: Any = None
        for count in steps:
            config = composed(*SMALL, f"model.variant={variant}", f"trainer.max_steps={count}", "model.calm_steps=3")
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
        (["model.identity=[face]"], r"model\.identity names 'face'; the factors of dsprites are shape, scale,"),
        (["model.pose=[shape]"], r"model\.identity and model\.pose both name 'shape'; a factor is of one of them"),
        (
            ["model.variant=manifold", "model.identity=[shape,scale,orientation,pos_x,pos_y]"],
            r"model\.variant=manifold needs a factor of pose beside shape, scale",
        ),
        (["dataset=svhn"], r"model\.variant=clamped needs ground-truth factors"),
    ],
)
def test_factors_that_there_are_not_are_refused_in_one_line(typed, said, composed) -> None:
    import dataclasses

    config = composed("model=disbm", *[line for line in typed if not line.startswith("dataset")])
    info = build.build_data(config).dataset.info
    if typed == ["dataset=svhn"]:
        info = dataclasses.replace(info, factors={})
    with pytest.raises(ValueError, match=f"^{said}"):
        build.build_model(config, info)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["dataset.subset={scale: 1, orientation: 1, pos_x: 1, pos_y: 1}"], "3 of 3 images have the shape of no other"),
    ],
)
def test_pairs_that_cannot_be_made_are_refused_in_one_line(typed, said, composed) -> None:
    config = composed("model=disbm", "dataset.batch_size=2", *typed)
    data = build.build_data(config)
    model = build.build_model(config, data.dataset.info)
    with pytest.raises(ValueError, match=f"^{said}"):
        data.source_for(model)


def test_choices_are_held_against_what_there_is(composed) -> None:
    with pytest.raises(ValueError, match=r"^model\.variant=tied: expected naive, clamped or manifold"):
        composed("model=disbm", "model.variant=tied")
