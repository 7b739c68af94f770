"""Oracle triplets: the loss written out, what its masks learn, and mistakes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from disent_runner.datasets.batches import UniformBatches
from disent_runner.datasets.labels.label_table import LabelTable
from disent_runner.models.oracle_triplets import OracleTriplets
from disent_runner.representations.questions import questions_of

SETTINGS = {"factors": None, "masked": True, "divergence": "kl", "triplets_per_image": 4}
SETTINGS |= {"beta": 0.5, "lambda_triplets": 10.0, "lambda_sparsity": 0.01}


@pytest.fixture
def built(make):
    return lambda **settings: make(OracleTriplets, **{**SETTINGS, **settings})


def test_the_triplet_term_is_that_of_the_paper(built, batch, monkeypatch) -> None:
    """Every triplet by itself, with torch's divergences; under "row" of two images in different rows and columns."""
    model = built()
    model.mask_weights.data = torch.tensor([[0.5, -1.0, 0.0], [0.0, 2.0, 0.25]])  # one below 0 counts as 0
    monkeypatch.setattr(torch, "randint", _counting())
    with torch.no_grad():
        inference = model.infer(batch)
        found = model.triplet_term(inference, batch)
        posteriors = [Normal(m, (v / 2).exp()) for m, v in zip(inference.mean, inference.logvar, strict=True)]
        labels = batch.dataset.space.factors(batch.draw.rows.numpy())
        masks, costs = model.masks, []
        draw = _counting()
        first, between = (draw(1, high, (48,), device=None) for high in (12, 11))
        questions = draw(2, (48,), device=None)
        for number in range(48):
            a, k = number % 12, int(questions[number])
            b = (a + int(first[number])) % 12
            c = (a + (int(first[number]) - 1 + int(between[number])) % 11 + 1) % 12
            steps = [abs(labels[a, k] - labels[other, k]) for other in (b, c)]
            if steps[0] == steps[1]:
                continue
            near, far = (b, c) if steps[0] < steps[1] else (c, b)
            distances = [
                (masks[k] * (kl_divergence(posteriors[a], p) + kl_divergence(p, posteriors[a])) / 2).sum()
                for p in (posteriors[near], posteriors[far])
            ]
            costs.append(-torch.log_softmax(-torch.stack(distances), 0)[0])
    assert 10 < len(costs) < 48
    torch.testing.assert_close(found, torch.stack(costs).mean())


def _counting():
    """Numbers in the place of random ones, so that they can be said again."""
    state = np.random.default_rng(0)

    def randint(*limits, device=None):
        *bounds, shape = limits
        low, high = bounds if len(bounds) == 2 else (0, bounds[0])
        return torch.from_numpy(state.integers(low, high, size=tuple(shape)))

    return randint


def test_the_loss_weighs_its_terms(built, batch) -> None:
    logged = built().update(batch)
    expected = logged["reconstruction"] + 0.5 * logged["kl"] + 10 * logged["triplets"] + 0.01 * logged["sparsity"]
    torch.testing.assert_close(logged["loss"], expected)
    torch.testing.assert_close(logged["sparsity"], torch.tensor(0.5 * 6))


def test_it_learns_to_answer_and_masks_part(built, batch, dataset) -> None:
    model = built(divergence="js", lambda_sparsity=0.1, beta=1.0)
    model.optimizer = lambda parameters: torch.optim.Adam(parameters, lr=1e-2)
    model.configure_optimizers()
    source = UniformBatches(num_images=64, batch_size=24, seed=0)
    logged = [model.update(replace(batch, step=step, source=source)) for step in range(80)]
    assert float(logged[0]["triplets"]) > 0.6
    assert np.mean([float(values["triplets"]) for values in logged[-10:]]) < 0.4
    row, column = torch.nn.functional.normalize(model.masks.detach(), dim=1)
    assert float(row @ column) < 0.8
    assert model.masks.min() >= 0


def test_without_masks_all_latents_count_alike_and_none_is_learned(built, batch) -> None:
    model = built(masked=False)
    model.update(batch)
    assert torch.equal(model.masks, torch.ones(2, 3))


def test_what_it_was_asked_is_for_metrics(built, make) -> None:
    from disent_runner.models.vae import VAE

    questions = questions_of(built(factors=["column"]))
    assert questions is not None
    assert questions.factors == ("column",)
    assert questions.divergence == "kl"
    np.testing.assert_allclose(questions.masks, [[0.5, 0.5, 0.5]])
    assert questions_of(make(VAE)) is None


def test_factors_of_one_value_are_not_asked_about(built, dataset) -> None:
    info = replace(dataset.info, factors={"row": 8, "hue": 1, "column": 8})
    assert built(info=info).factors == ("row", "column")
    with pytest.raises(ValueError, match=r"model\.factors names 'hue', of which there is one value"):
        built(info=info, factors=["row", "hue"])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"factors": ["hue"]}, r"model\.factors names 'hue'; the factors are row, column"),
        ({"divergence": "tv"}, r"model\.divergence must be js or kl, got 'tv'"),
    ],
)
def test_mistakes_are_told(built, settings, said) -> None:
    with pytest.raises(ValueError, match=said):
        built(**settings)


def test_data_without_factors_are_refused(built, dataset) -> None:
    with pytest.raises(ValueError, match="asks about factors, squares has none; choose another data set"):
        built(info=replace(dataset.info, factors={}))


def test_unknown_labels_and_small_batches_are_refused(built, dataset) -> None:
    source = UniformBatches(num_images=64, batch_size=4, seed=0)
    with pytest.raises(ValueError, match=r"dataset\.batch_size must be at least 3 for triplets, got 2"):
        built().check_batch_size(2)
    table = dataset.space.factors(np.arange(64))
    table[3, 1] = -1
    training = replace(dataset, space=LabelTable(dataset.space.sizes, table))
    with pytest.raises(ValueError, match="the labels of 'column' are unknown in some images"):
        built().batches(training, source, batch_size=4, seed=0)
    assert built(factors=["row"]).batches(training, source, batch_size=4, seed=0) is source
