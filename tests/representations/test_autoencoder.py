from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch.autograd.functional import jacobian

from disent_runner.assembly import build
from disent_runner.machine.threads import map_in_threads
from disent_runner.models.base import AbstractModel
from disent_runner.representations import autoencoder as decoding
from disent_runner.representations.autoencoder import autoencoder_of

# torch's own, when it loads forward differentiation
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script.* is deprecated:DeprecationWarning")
INDICES = np.array([3, 5, 8, 13, 21, 34])
ROUNDING = 3e-5  # of the continuous Bernoulli's mean in single precision, differentiated


every_likelihood = pytest.mark.parametrize("trained", ["bernoulli", "gaussian", "continuous_bernoulli"], indirect=True)


@pytest.fixture
def trained(request, composed):
    likelihood = getattr(request, "param", "bernoulli")
    config = composed("model=betavae", f"likelihood={likelihood}", "model.latent_dim=4")
    data = build.build_data(config).dataset
    torch.manual_seed(0)
    return build.build_model(config, data.info).eval(), data


@pytest.fixture
def codes(rng):
    return rng.standard_normal((len(INDICES), 4))


class Identity(AbstractModel):
    def update(self, batch):
        raise NotImplementedError

    def encode(self, images):
        raise NotImplementedError

    def decode(self, codes):
        return codes[:, None, None]

    def new_optimizers(self):
        return {}


class Noisy(Identity):
    noise_dim = 3

    def render(self, codes, noise):
        return torch.cat([codes, noise], dim=1)[:, None, None]


def tensor(codes):
    return torch.from_numpy(codes).float()


def test_images_are_those_of_the_representation_s_rows(trained):
    model, data = trained
    rows = np.array([4, 0, 4])
    images = autoencoder_of(model, data, INDICES).images(rows)
    np.testing.assert_array_equal(images, data.gather(torch.from_numpy(INDICES[rows])))
    assert images.dtype == np.float32


def test_decoded_images_are_the_model_s(trained, codes):
    model, data = trained
    decoded = autoencoder_of(model, data, INDICES).decode(codes)
    np.testing.assert_allclose(decoded, model.decode(tensor(codes)).detach(), atol=1e-6)
    assert decoded.dtype == np.float32
    assert 0 <= decoded.min() < decoded.max() <= 1


@every_likelihood
def test_likelihoods_are_those_of_the_image_in_the_code_s_row(trained, codes):
    model, data = trained
    rows = np.array([5, 5, 0, 2, 1, 2])
    nll = autoencoder_of(model, data, INDICES).nll
    assert nll is not None
    images = data.gather(torch.from_numpy(INDICES[rows]))
    np.testing.assert_allclose(nll(codes, rows), model.nll(tensor(codes), images).detach(), rtol=1e-6)


@every_likelihood
def test_jacobians_are_those_of_reverse_mode(trained, codes):
    model, data = trained
    jacobians = autoencoder_of(model, data, INDICES).jacobian(codes)
    assert jacobians.shape == (6, 64 * 64, 4)
    pixels = torch.arange(0, 64 * 64, 97)
    for computed, code in zip(jacobians, tensor(codes), strict=True):
        expected = jacobian(lambda code: model.decode(code[None]).flatten()[pixels], code)
        np.testing.assert_allclose(computed[pixels], expected, atol=ROUNDING)


def test_batches_leave_no_seam(trained, codes, monkeypatch):
    model, data = trained
    rows = np.arange(len(INDICES))

    def everything():
        autoencoder = autoencoder_of(model, data, INDICES)
        assert autoencoder.nll is not None
        return [
            autoencoder.images(rows),
            autoencoder.decode(codes),
            autoencoder.jacobian(codes),
            autoencoder.nll(codes, rows),
        ]

    at_once = everything()
    monkeypatch.setattr(decoding, "_DECODED_AT_ONCE", 4)
    for whole, parts in zip(at_once, everything(), strict=True):
        np.testing.assert_allclose(parts, whole, atol=ROUNDING, rtol=1e-6)


@pytest.mark.parametrize("number", [128, 129, 300])
def test_nothing_is_lost_or_moved_where_batches_end(trained, rng, number):
    """At the real size of a batch; rows and codes are all different."""
    model, data = trained
    indices, rows = rng.permutation(len(data))[:number], rng.permutation(number)
    codes = rng.standard_normal((number, 4)).astype(np.float32)
    images = data.gather(torch.from_numpy(indices[rows]))
    exact, vae = autoencoder_of(Identity(), data, indices), autoencoder_of(model, data, indices)
    np.testing.assert_array_equal(exact.images(rows), images)
    np.testing.assert_array_equal(exact.decode(codes)[:, 0, 0], codes)
    np.testing.assert_array_equal(exact.jacobian(codes), np.broadcast_to(np.eye(4), (number, 4, 4)))
    assert vae.nll is not None
    np.testing.assert_allclose(vae.nll(codes, rows), model.nll(tensor(codes), images).detach(), rtol=1e-5)


def test_threads_do_not_disturb_each_other(trained, codes):
    """Forward differentiation is not safe in threads by itself: torch counts its nesting in a global variable."""
    model, data = trained
    autoencoder = autoencoder_of(model, data, INDICES)
    alone = autoencoder.jacobian(codes)
    with ThreadPoolExecutor(4) as pool:
        for result in pool.map(lambda _: autoencoder.jacobian(codes), range(12)):
            np.testing.assert_allclose(result, alone, atol=ROUNDING)
    for result in map_in_threads(lambda _: autoencoder.decode(codes), range(4)):
        np.testing.assert_allclose(result, autoencoder.decode(codes), atol=1e-6)


def test_the_model_is_in_evaluation_mode(trained):
    model, data = trained
    autoencoder_of(model.train(), data, INDICES)
    assert not model.training


def test_a_model_that_is_no_vae_has_no_likelihood(trained):
    _, data = trained
    autoencoder = autoencoder_of(Identity(), data, INDICES)
    assert autoencoder.nll is None
    codes = np.array([[0.5, 0.25]])
    np.testing.assert_array_equal(autoencoder.decode(codes), codes.reshape(1, 1, 1, 2))
    np.testing.assert_array_equal(autoencoder.jacobian(codes), np.eye(2)[None])


def test_codes_are_rendered_with_the_noise_of_their_row(trained, rng):
    codes, noise = (rng.standard_normal((300, width)).astype(np.float32) for width in (2, 3))
    noisy = autoencoder_of(Noisy(), trained[1], INDICES)
    assert noisy.render is not None
    assert noisy.noise_dim == 3
    np.testing.assert_array_equal(noisy.render(codes, noise)[:, 0, 0], np.hstack([codes, noise]))


def test_a_model_without_noise_renders_what_it_decodes(trained):
    autoencoder = autoencoder_of(Identity(), trained[1], INDICES)
    assert (autoencoder.render, autoencoder.noise_dim) == (None, 0)
    codes = torch.tensor([[0.5, 0.25]])
    assert torch.equal(Identity().render(codes, torch.empty(1, 0)), Identity().decode(codes))
