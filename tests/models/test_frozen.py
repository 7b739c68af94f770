"""What stands on a frozen model can ask it and take gradients through it, and cannot change it."""

import pytest
import torch

from disent_runner.models.frozen import Frozen
from disent_runner.models.vae import VAE


@pytest.fixture
def frozen(make, dataset) -> Frozen:
    return Frozen(make(VAE), dataset.info)


@pytest.fixture
def holder(make, frozen):
    model = make(VAE)
    model.vision = frozen
    return model


def test_it_is_no_part_of_who_holds_it(holder, make) -> None:
    plain = make(VAE)
    assert holder.state_dict().keys() == plain.state_dict().keys()
    assert len(list(holder.modules())) == len(list(plain.modules()))
    assert len(list(holder.parameters())) == len(list(plain.parameters()))


def test_training_and_converting_its_holder_leave_it(holder, frozen) -> None:
    holder.train().requires_grad_(True).double()
    assert not any(module.training for module in frozen.model.modules())
    assert not any(parameter.requires_grad for parameter in frozen.model.parameters())
    assert all(parameter.dtype == torch.float32 for parameter in frozen.model.parameters())


def test_it_says_what_its_model_says_without_gradient(frozen, batch) -> None:
    images = batch.images.requires_grad_()
    mean, logvar = frozen.encode(images)
    expected = frozen.model.encode(images)
    torch.testing.assert_close((mean, logvar), expected)
    pictures = frozen.decode(mean)
    torch.testing.assert_close(pictures, frozen.model.decode(mean))
    assert not any(values.requires_grad for values in (mean, logvar, pictures))
    assert expected[0].requires_grad  # through it, not into it


def test_it_knows_its_data_its_size_and_its_step(frozen, dataset) -> None:
    frozen.model.step = 7
    assert (frozen.info, frozen.latent_dim, frozen.step) == (dataset.info, 3, 7)


def test_it_moves_where_it_is_asked_to(frozen) -> None:
    assert frozen.on("cpu") is frozen
    assert frozen.on("meta").model.device == torch.device("meta")
    assert all(parameter.is_meta for parameter in frozen.model.parameters())
