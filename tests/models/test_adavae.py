import pytest
import torch

from disent_runner.datasets.batches import Batch, UniformBatches
from disent_runner.losses.gaussian import kl_between_normals
from disent_runner.losses.shared_latents import AVERAGES, symmetric_kl
from disent_runner.models.adavae import AdaVAE


@pytest.fixture
def pairs(make, dataset):
    """A model, and a batch of pairs that differ in the column alone or the row alone."""

    def build(average: str, num_changed: int | None = None):
        model = make(AdaVAE, average=average, beta=2.0, num_changed=num_changed)
        plain = UniformBatches(num_images=64, batch_size=12, seed=0)
        source = model.batches(dataset, plain, batch_size=12, seed=0)
        return model, Batch(step=0, is_logged=True, source=source, dataset=dataset, device=torch.device("cpu"))

    return build


@pytest.mark.parametrize("average", AVERAGES)
def test_pairs_have_one_posterior_for_close_latents_and_their_own_for_others(average: str, pairs) -> None:
    model, batch = pairs(average)
    inference = model.infer(batch)
    first, second = model.encode(batch.images), model.encode(batch.partner_images)
    torch.testing.assert_close(inference.images, torch.cat([batch.images, batch.partner_images]))
    common, _ = AVERAGES[average](first, second)
    mean_1, mean_2 = inference.mean.chunk(2)
    is_shared = mean_1 == mean_2
    assert is_shared.any()
    assert not is_shared.all()
    torch.testing.assert_close(mean_1, torch.where(is_shared, common, first[0]))
    torch.testing.assert_close(mean_2, torch.where(is_shared, common, second[0]))
    assert inference.kl.shape == (24, 3)


def test_images_of_a_pair_differ_in_one_factor(pairs, dataset) -> None:
    _, batch = pairs("gvae", num_changed=1)
    first, second = (dataset.space.factors(rows.numpy()) for rows in (batch.draw.rows, batch.draw.partners))
    assert ((first != second).sum(axis=1) == 1).all()


def test_a_batch_without_partners_is_refused(pairs, batch) -> None:
    model, _ = pairs("gvae")
    with pytest.raises(ValueError, match="UniformBatches draws images without partners"):
        model.infer(batch)


def test_a_step_logs_both_terms(pairs) -> None:
    model, batch = pairs("mlvae")
    logged = model.update(batch)
    expected = logged["reconstruction"] + 2.0 * logged["kl_latent"].sum()
    torch.testing.assert_close(logged["loss"], expected)


def test_another_average_is_refused(make) -> None:
    with pytest.raises(ValueError, match="average must be gvae or mlvae, got 'mean'"):
        make(AdaVAE, average="mean", beta=1.0, num_changed=None)


def test_the_divergence_is_chosen_by_its_name(make) -> None:
    settings = {"average": "gvae", "beta": 1.0, "num_changed": None}
    assert make(AdaVAE, **settings).divergence is symmetric_kl
    assert make(AdaVAE, divergence="forward", **settings).divergence is kl_between_normals
    with pytest.raises(ValueError, match="divergence must be forward, or null for the symmetric KL, got 'reverse'"):
        make(AdaVAE, divergence="reverse", **settings)
