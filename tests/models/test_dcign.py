import pytest
import torch

from disent_runner.datasets.batches import Batch, UniformBatches
from disent_runner.losses.gaussian import kl_to_standard_normal
from disent_runner.models.dcign import DCIGN, clamped, invariance

SETTINGS = {"factors": ["column"], "odds": [1, 3], "kappa": 0.5, "kl_on_inactive": True, "warmup_steps": 0}


@pytest.fixture
def grouped(make, dataset):
    """A model and a batch in which one factor varies; the first latent is for the column, the other two for the row."""

    def build(factor: str = "column", **settings):
        model = make(DCIGN, **{**SETTINGS, **settings})
        plain = UniformBatches(num_images=64, batch_size=8, seed=0)
        source = model.batches(dataset, plain, batch_size=8, seed=0)
        step = next(step for step in range(100) if source.draw(step).kind == (factor,))
        return model, Batch(step=step, is_logged=True, source=source, dataset=dataset, device=torch.device("cpu"))

    return build


@pytest.mark.parametrize(("factor", "active"), [("column", [True, False, False]), ("row", [False, True, True])])
def test_a_latent_is_active_in_batches_of_its_factor(factor: str, active, grouped, make) -> None:
    model, batch = grouped(factor)
    assert model.active(batch).tolist() == active
    assert make(DCIGN, **SETTINGS).active(batch).tolist() == active  # the batch says it all
    assert not {name for name in model.state_dict() if "active" in name}  # nor do checkpoints hold it


def test_every_latent_is_active_where_every_factor_varies(grouped, batch) -> None:
    assert grouped()[0].active(batch).tolist() == [True, True, True]


def test_a_latent_without_a_factor_is_never_active(grouped) -> None:
    model, batch = grouped("row", factors=["row", "column"])
    assert model.active(batch).tolist() == [True, False, False]


def test_the_decoder_sees_one_value_of_a_clamped_latent(grouped) -> None:
    model, batch = grouped()
    inference = model.infer(batch)
    assert (inference.codes[:, 1:] == inference.codes[:1, 1:]).all()
    assert inference.codes[:, 0].unique().numel() == 8
    torch.manual_seed(5)
    codes = model.infer(batch).codes
    torch.manual_seed(5)
    noise = torch.randn(8, 3)
    mean, logvar = model.encode(batch.images)
    expected = mean[:, 1].mean() + (logvar[:, 1].mean() / 2).exp() * noise[0, 1]
    torch.testing.assert_close(codes[:, 1], expected.expand(8))


def test_gradients_are_those_of_the_paper_by_finite_differences(grouped) -> None:
    """Without the KL: active latents have the clamped decoder's, the others κ (z - mean), both over the batch size."""
    model, batch = grouped()
    model = model.double()
    images = batch.images.double()
    active = model.active(batch)
    mean = torch.randn(8, 3, dtype=torch.float64, requires_grad=True)
    logvar = torch.zeros(8, 3, dtype=torch.float64)
    noise = torch.randn(8, 3, dtype=torch.float64)
    noise = torch.where(active, noise, noise[:1])

    def reconstruction(means: torch.Tensor) -> torch.Tensor:
        return model.likelihood.nll(model.decoder(means + (logvar / 2).exp() * noise), images).mean()

    loss = reconstruction(clamped(mean, active)) + 0.5 * invariance(mean, active).mean()
    (gradient,) = torch.autograd.grad(loss, mean)
    with torch.no_grad():
        pulled = 0.5 * (mean - mean.mean(0)) / 8
        torch.testing.assert_close(gradient[:, 1:], pulled[:, 1:], rtol=1e-9, atol=0)
        frozen = clamped(mean, active)
        for image in range(8):
            moved = torch.zeros_like(frozen)
            moved[image, 0] = 1e-4
            slope = (reconstruction(frozen + moved) - reconstruction(frozen - moved)) / 2e-4
            torch.testing.assert_close(gradient[image, 0], slope, rtol=1e-3, atol=1e-7)


def test_both_heads_are_pulled_and_weighed_by_kappa(grouped) -> None:
    model, batch = grouped("row")
    inference = model.infer(batch)
    terms = model.regularizers(inference, batch)
    spread = [(values[:, 0] - values[:, 0].mean()).square() / 2 for values in (inference.mean, inference.logvar)]
    torch.testing.assert_close(terms["invariance"], spread[0] + spread[1])
    assert model.weights() == {"kl": 1.0, "invariance": 0.5}


@pytest.mark.parametrize("kl_on_inactive", [True, False])
def test_kl_of_inactive_latents(kl_on_inactive: bool, grouped) -> None:
    model, batch = grouped(kl_on_inactive=kl_on_inactive)
    inference = model.infer(batch)
    kl = kl_to_standard_normal(inference.mean, inference.logvar)
    expected = kl.sum(1) if kl_on_inactive else kl[:, 0]
    torch.testing.assert_close(model.regularizers(inference, batch)["kl"], expected)


def test_the_start_is_a_plain_vae(grouped) -> None:
    model, batch = grouped(warmup_steps=1000)
    inference = model.infer(batch)
    assert (model.regularizers(inference, batch)["invariance"] == 0).all()
    assert (inference.codes.std(0) > 0).all()


def test_every_factor_and_the_usual_odds_by_default(make, dataset) -> None:
    model = make(DCIGN, **{**SETTINGS, "factors": None, "odds": None})
    assert (model.kinds, model.odds) == ([("row",), ("column",)], [1.0, 1.0])
    model = make(DCIGN, **{**SETTINGS, "odds": None})
    assert (model.kinds, model.odds) == ([("column",), ("row",)], [1.0, 10.0])


def test_even_odds(make) -> None:
    assert make(DCIGN, **{**SETTINGS, "odds": "even"}).odds == [1.0, 1.0]
    assert make(DCIGN, **{**SETTINGS, "odds": "even", "factors": None}).odds == [1.0, 1.0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"factors": ["hue"]}, "model.factors names 'hue'; the factors are row, column"),
        ({"factors": ["row", "row"]}, r"model.factors must name each factor once, got \['row', 'row'\]"),
        ({"odds": "1:10"}, r"model.odds must be even, null, or a list such as 'model.odds=\[1,1,1,10\]', got '1:10'"),
        ({"latent_dim": 1}, "latent_dim must be at least 2 for column and what is intrinsic, got 1"),
    ],
)
def test_other_factors_and_too_few_latents_are_refused(settings, message: str, make) -> None:
    with pytest.raises(ValueError, match=message):
        make(DCIGN, **{**SETTINGS, **settings})
