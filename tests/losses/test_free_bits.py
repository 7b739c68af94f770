import torch

from disent_runner.losses.free_bits import at_least


def test_a_latent_costs_its_mean_over_the_batch_or_what_is_free() -> None:
    kl = torch.tensor([[0.0, 3.0, 0.2], [0.4, 1.0, 0.6]], requires_grad=True)
    cost = at_least(0.5, kl)
    torch.testing.assert_close(cost, torch.tensor([0.5, 2.0, 0.5]))
    (gradient,) = torch.autograd.grad(cost.sum(), kl)
    assert gradient.tolist() == [[0.0, 0.5, 0.0], [0.0, 0.5, 0.0]]


def test_nothing_free_is_the_plain_kl() -> None:
    kl = torch.rand(7, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(at_least(0.0, kl), kl.mean(0))
