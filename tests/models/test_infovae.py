import pytest
import torch

from disent_runner.losses.mmd import imq_kernel, mmd
from disent_runner.models.infovae import InfoVAE


def test_weights_are_those_of_the_paper(make) -> None:
    assert make(InfoVAE, alpha=0.25, lambda_mmd=10.0, kernel="rbf").weights() == {"kl": 0.75, "mmd": 9.25}


def test_the_discrepancy_is_of_the_codes_from_the_prior(make, batch) -> None:
    model = make(InfoVAE, alpha=0.0, lambda_mmd=2.0, kernel="imq")
    inference = model.infer(batch)
    torch.manual_seed(3)
    terms = model.regularizers(inference, batch)
    torch.manual_seed(3)
    expected = mmd(inference.codes, torch.randn(12, 3), kernel=imq_kernel)
    torch.testing.assert_close(terms["mmd"], expected.expand(12))


def test_a_step_brings_codes_nearer_to_the_prior(make, batch) -> None:
    """With the reconstruction out of the way, by a weight that dwarfs it."""
    model = make(InfoVAE, alpha=1.0, lambda_mmd=1e4, kernel="imq")
    for group in model.optimizer_of["model"].param_groups:
        group["lr"] = 1e-5

    @torch.no_grad()
    def distance() -> float:
        return sum(model.regularizers(model.infer(batch), batch)["mmd"][0].item() for _ in range(20))

    torch.manual_seed(0)
    before = distance()
    for _ in range(30):
        model.update(batch)
    assert distance() < before


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"alpha": 0.0, "lambda_mmd": 0.5, "kernel": "rbf"}, "at least 1, got 0.0 and 0.5: a term would be maximised"),
        ({"alpha": 1.5, "lambda_mmd": 10.0, "kernel": "rbf"}, "alpha must be at most 1"),
        ({"alpha": 0.0, "lambda_mmd": 10.0, "kernel": "linear"}, "kernel must be rbf or imq, got 'linear'"),
    ],
)
def test_settings_that_would_maximise_a_term_are_refused(settings, message: str, make) -> None:
    with pytest.raises(ValueError, match=message):
        make(InfoVAE, **settings)
