"""The denoising auto-encoder: its noise by enumeration, its loss written out, its layers, its quality."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from disent_runner.datasets.batches import UniformBatches
from disent_runner.models.dae import DAE, FEATURE_LAYERS, Quality, random_rectangles
from disent_runner.networks.initialization import he_uniform

SETTINGS = {"latent_dim": 20, "activation": "tanh", "pixel_masking": 0.0, "init": he_uniform}


@pytest.fixture
def dae(dataset):
    def build(**settings) -> DAE:
        torch.manual_seed(0)
        adam = partial(torch.optim.Adam, lr=3e-3)
        model = DAE(info=dataset.info, optimizer=adam, **{**SETTINGS, **settings})
        model.configure_optimizers()
        return model

    return build


def test_each_image_loses_one_rectangle_between_uniform_corners() -> None:
    """How often a pixel is masked, in 40,000 images, beside all pairs of corners; within five standard errors."""
    images = torch.zeros(1, 1, 5, 4).expand(40_000, 3, 5, 4)
    masks = random_rectangles(images, torch.Generator().manual_seed(0))
    assert masks.shape == (40_000, 1, 5, 4)

    def chances(length: int) -> torch.Tensor:
        pairs = [(a, b) for a in range(length + 1) for b in range(length + 1)]
        return torch.tensor([sum(min(p) <= place < max(p) for p in pairs) / len(pairs) for place in range(length)])

    expected = chances(5)[:, None] * chances(4)
    error = (expected * (1 - expected) / 40_000).sqrt()
    assert ((masks.float().mean(0)[0] - expected).abs() < 5 * error).all()
    rows, columns = masks.any(3), masks.any(2)
    assert torch.equal(masks, rows[:, :, :, None] & columns[:, :, None])  # all of its rows and columns
    for lines in (rows, columns):
        starts = (lines[..., 1:] & ~lines[..., :-1]).sum(-1) + lines[..., 0]
        assert starts.max() == 1  # in one piece


def test_pixels_may_be_masked_beside_it(dae) -> None:
    images = torch.zeros(2_000, 3, 8, 8)
    bare, more = dae(), dae(pixel_masking=0.25)
    masks = [model.noise(images, torch.Generator().manual_seed(1)) for model in (bare, more)]
    assert (masks[1] >= masks[0]).all()
    share = masks[1][~masks[0]].float().mean()
    assert share == pytest.approx(0.25, abs=5 * (0.25 * 0.75 / (~masks[0]).sum().item()) ** 0.5)


def test_the_loss_is_the_squared_error_to_the_clean_image(dae, batch) -> None:
    model = dae()
    torch.manual_seed(4)
    mask = random_rectangles(batch.images)
    masked = torch.where(mask, torch.zeros(()), batch.images)
    made = model.decode(model.encode(masked)[0])
    torch.manual_seed(4)
    logged = model.update(batch)
    expected = (made - batch.images).square().flatten(1).sum(1).mean()
    torch.testing.assert_close(logged["loss"], expected.detach())
    torch.testing.assert_close(logged["masked_input"], (batch.images * mask).square().flatten(1).sum(1).mean())


def test_features_are_its_layers_without_noise(dae, batch) -> None:
    model = dae().eval()
    images = batch.images
    bottleneck, hidden, output = (model.features(images, layer) for layer in FEATURE_LAYERS)
    torch.testing.assert_close(bottleneck, torch.tanh(model.encoder(images)))
    torch.testing.assert_close(
        model.decoder.to_image(torch.nn.functional.elu(hidden.view(12, 32, 8, 8))).flatten(1), output
    )
    torch.testing.assert_close(torch.sigmoid(output).view_as(images), model.decode(model.encode(images)[0]))
    state = torch.get_rng_state()
    assert torch.equal(model.features(images, "output"), output)
    assert torch.equal(torch.get_rng_state(), state)
    with pytest.raises(ValueError, match="a layer must be bottleneck, decoder_hidden, output, got 'last'"):
        model.features(images, "last")


@pytest.mark.parametrize(
    ("activation", "function"), [("tanh", torch.tanh), ("relu", torch.relu), ("none", lambda x: x)]
)
def test_codes_are_points(activation, function, dae, batch) -> None:
    model = dae(activation=activation)
    codes, logvar = model.encode(batch.images)
    assert logvar is None
    torch.testing.assert_close(codes, function(model.encoder(batch.images)))


def test_quality_of_an_untrained_and_of_a_trained_one(dae, batch, dataset) -> None:
    model = dae()
    before = model.quality(dataset, np.random.default_rng(0))
    pixels = dataset.gather(torch.arange(64)).flatten(1)
    assert before.mean_image == pytest.approx((pixels - pixels.mean(0)).square().sum(1).mean().item(), rel=1e-5)
    assert not before.is_passed
    source = UniformBatches(num_images=64, batch_size=32, seed=0)
    for step in range(60):
        model.update(replace(batch, step=step, source=source))
    after = model.quality(dataset, np.random.default_rng(0))
    assert after.masked == before.masked
    assert after.denoised < before.denoised / 5
    assert model.quality(dataset, np.random.default_rng(0)) == after


def test_what_passes() -> None:
    assert Quality(denoised=1.0, masked=1.1, mean_image=2.1).is_passed
    assert not Quality(denoised=1.0, masked=0.9, mean_image=2.1).is_passed
    assert not Quality(denoised=1.0, masked=1.1, mean_image=1.9).is_passed


def test_other_settings_are_refused(dae) -> None:
    with pytest.raises(ValueError, match=r"model.activation must be tanh, relu, none, got 'elu'"):
        dae(activation="elu")
    with pytest.raises(ValueError, match=r"model.pixel_masking must be at least 0 and below 1, got 1"):
        dae(pixel_masking=1)
