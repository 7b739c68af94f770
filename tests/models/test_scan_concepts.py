"""SCAN's loss against torch.distributions; its vision stays, and is asked once."""

import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from disent_runner.models.abstract_concepts import symbols_in
from disent_runner.models.dae import DAE
from disent_runner.models.frozen import Frozen
from disent_runner.models.scan_concepts import ScanConcepts
from disent_runner.networks.initialization import he_uniform

SETTINGS = {"beta": 2.0, "lambda_": 10.0, "kl": "forward"}


@pytest.fixture
def taught(teach, vision):
    return lambda **settings: teach(ScanConcepts, **{"vision": vision, **SETTINGS, **settings})


@pytest.mark.parametrize("kl", ["forward", "reverse"])
def test_loss_terms(kl, taught, vision) -> None:
    model, batch = taught(kl=kl)
    symbols = symbols_in(batch())
    torch.manual_seed(1)
    terms = model.loss_terms(batch())
    mean, logvar = model.encode_symbols(symbols)
    torch.manual_seed(1)
    codes = mean + (logvar / 2).exp() * torch.randn(mean.shape)
    nll = -Bernoulli(logits=model.symbol_decoder(codes)).log_prob(symbols).sum(1)
    torch.testing.assert_close(terms["symbols"], nll)
    concept = Normal(mean, (logvar / 2).exp())
    torch.testing.assert_close(terms["kl"], kl_divergence(concept, Normal(0.0, 1.0)).sum(1))
    image_mean, image_logvar = vision.encode(batch().images)
    image = Normal(image_mean, (image_logvar / 2).exp())
    pair = (image, concept) if kl == "forward" else (concept, image)
    torch.testing.assert_close(terms["grounding"], kl_divergence(*pair).sum(1))


def test_the_loss_weighs_them(taught) -> None:
    model, batch = taught()
    logged = model.update(batch())
    expected = logged["symbols"] + 2 * logged["kl"] + 10 * logged["grounding"]
    torch.testing.assert_close(logged["loss"], expected)


def test_the_vision_is_asked_once_and_never_changed(taught, vision) -> None:
    model, batch = taught()
    before = {name: value.clone() for name, value in vision.model.state_dict().items()}
    asked = []
    vision.model.encoder.register_forward_pre_hook(lambda _, images: asked.append(len(images[0])))
    model.train()
    for step in range(10):
        model.update(batch(step))
    assert sum(asked) == len(model.train_rows.unique())
    assert not vision.model.training
    assert all(torch.equal(before[name], value) for name, value in vision.model.state_dict().items())


def test_images_are_coded_and_made_by_the_vision(taught, vision, rooms) -> None:
    model, _ = taught()
    images = rooms.gather(torch.arange(3))
    torch.testing.assert_close(model.encode(images), vision.encode(images))
    torch.testing.assert_close(model.decode(torch.ones(2, 3)), vision.decode(torch.ones(2, 3)))
    assert model.latent_dim == 3


def test_a_vision_of_point_codes_is_refused(taught, rooms) -> None:
    settings = {"latent_dim": 3, "activation": "tanh", "pixel_masking": 0.0, "init": he_uniform}
    dae = DAE(info=rooms.info, optimizer=torch.optim.SGD, **settings)
    message = (
        r"model\.vision must be a model with posteriors q\(z\|x\), such as betavae_dae, got one of point codes, DAE"
    )
    with pytest.raises(ValueError, match=message):
        taught(vision=Frozen(dae, rooms.info))


def test_a_vision_that_sees_by_another_is_refused_with_the_folder_of_that_one(taught, vision, rooms) -> None:
    concepts, _ = taught()
    message = r"^model\.vision must be .* itself, ScanConcepts sees by a run below it, of VAE; take that one"
    with pytest.raises(ValueError, match=f"{message}$"):
        taught(vision=Frozen(concepts, rooms.info))
    concepts.parents = {"vision": (None, "eyes/seed=0")}
    with pytest.raises(ValueError, match=f"{message}, vision.run=eyes/seed=0$"):
        taught(vision=Frozen(concepts, rooms.info))


def test_another_divergence_is_refused(taught) -> None:
    with pytest.raises(ValueError, match=r"model\.kl must be forward or reverse, got 'both'"):
        taught(kl="both")


@pytest.mark.slow
def test_a_concept_that_is_learned_narrows_what_its_images_share(taught, vision) -> None:
    """With a vision whose latents are the wall, the floor and noise, {wall 0} is narrow in the first of them alone."""
    with torch.no_grad():
        model, batch = taught(factors=["wall"], num_concepts=3, images_per_concept=20, synonyms=0)
    model.optimizer_of["model"] = torch.optim.Adam(model.parameters(), lr=1e-2)

    def codes(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        wall, floor = images[:, :, 0, 15].argmax(1), images[:, :, 15, 0].argmax(1)
        noise = torch.randn(len(images), generator=torch.Generator().manual_seed(0))
        return torch.stack([wall - 1.0, floor - 1.0, noise], 1), torch.full((len(images), 3), -4.0)

    vision.model.encode = codes
    for step in range(500):
        model.update(batch(step))
    mean, logvar = model.encode_symbols(torch.eye(3))
    deviation = (logvar / 2).exp()
    assert (mean[:, 0] - torch.tensor([-1.0, 0.0, 1.0])).abs().max() < 0.1
    assert (deviation[:, 0] < 0.3).all()
    assert (deviation[:, 1:] > 0.6).all()
    assert (model.describe(mean).argmax(1) == torch.arange(3)).all()
