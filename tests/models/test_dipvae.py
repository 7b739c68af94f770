import numpy as np
import pytest
import torch

from disent_runner.models.dipvae import DIPVAE


def dipvae(make, **changes):
    return make(DIPVAE, **{"kind": "ii", "lambda_od": 10.0, "lambda_d": 5.0} | changes)


@pytest.mark.parametrize("kind", ["i", "ii"])
def test_penalties_are_of_the_covariance_that_numpy_gives(make, batch, kind):
    model = dipvae(make, kind=kind)
    inference = model.infer(batch)
    mean, variance = inference.mean.detach().numpy(), inference.logvar.exp().detach().numpy()
    covariance = np.cov(mean.T, bias=True) + (np.diag(variance.mean(0)) if kind == "ii" else 0)
    off_diagonal = covariance - np.diag(np.diag(covariance))
    terms = model.regularizers(inference, batch)
    assert terms["off_diagonal"][0].item() == pytest.approx((off_diagonal**2).sum(), rel=1e-4)
    assert terms["diagonal"][0].item() == pytest.approx(((np.diag(covariance) - 1) ** 2).sum(), rel=1e-4)


def test_the_loss_weighs_them(make, batch):
    logged = dipvae(make).update(batch)
    expected = logged["reconstruction"] + logged["kl"] + 10 * logged["off_diagonal"] + 5 * logged["diagonal"]
    torch.testing.assert_close(logged["loss"], expected)


def test_the_kl_has_a_weight_of_its_own(make, batch):
    logged = dipvae(make, beta=3.0, lambda_od=0.0, lambda_d=0.0).update(batch)
    torch.testing.assert_close(logged["loss"], logged["reconstruction"] + 3 * logged["kl"])


def test_the_weight_of_the_diagonal_follows_that_of_the_others(make):
    for kind, weight in (("i", 30.0), ("ii", 3.0)):
        assert dipvae(make, kind=kind, lambda_od=3.0, lambda_d=None).weights()["diagonal"] == weight
    assert dipvae(make, lambda_d=7.0).weights()["diagonal"] == 7.0


def test_the_kind_is_checked(make):
    with pytest.raises(ValueError, match=r"model\.kind must be i or ii, got 'iii'"):
        dipvae(make, kind="iii")


def test_the_weight_off_the_diagonal_is_a_number(make):
    with pytest.raises(ValueError, match=r"model\.lambda_od must be a number, got None"):
        dipvae(make, lambda_od=None, lambda_d=None)
