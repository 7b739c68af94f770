import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from disent_runner.losses.adversarial import discriminator_loss, generator_loss, gradient_penalty


@pytest.fixture
def logits() -> tuple[torch.Tensor, torch.Tensor]:
    real, fake = torch.randn(2, 6, 1, generator=torch.Generator().manual_seed(0)) * 3
    return real, fake


def test_losses_are_cross_entropies(logits: tuple[torch.Tensor, torch.Tensor]) -> None:
    real, fake = logits
    ones, zeros = torch.ones_like(real), torch.zeros_like(real)

    def entropy(values: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return binary_cross_entropy_with_logits(values, labels, reduction="none").squeeze(1)

    torch.testing.assert_close(discriminator_loss(real, fake), entropy(real, ones) + entropy(fake, zeros))
    torch.testing.assert_close(generator_loss(fake), entropy(fake, ones))


def test_a_discriminator_that_knows_nothing_has_two_log_two() -> None:
    nothing = torch.zeros(3, 1)
    torch.testing.assert_close(discriminator_loss(nothing, nothing), torch.full((3,), 2 * 2.0).log())


@pytest.mark.parametrize("length", [0.25, 3.0])
def test_the_penalty_of_a_linear_score_is_that_of_its_weights(length: float) -> None:
    """Of a slope below 1 as of one above it."""
    weights = torch.randn(2, 3, 3, generator=torch.Generator().manual_seed(1))
    weights *= length / weights.norm()
    images = torch.randn(4, 2, 3, 3, requires_grad=True)
    penalty, norm = gradient_penalty((images * weights).flatten(1).sum(1, keepdim=True), images)
    torch.testing.assert_close(norm, torch.full((4,), length))
    torch.testing.assert_close(penalty, torch.full((4,), (length - 1) ** 2))


def test_the_penalty_can_be_differentiated() -> None:
    """Of score = a ‖x‖²: the gradient is 2 a x, the penalty (2 a ‖x‖ - 1)²."""
    scale = torch.tensor(0.7, requires_grad=True)
    images = torch.randn(1, 1, 2, 2, requires_grad=True)
    penalty, _ = gradient_penalty(scale * images.square().flatten(1).sum(1, keepdim=True), images)
    (slope,) = torch.autograd.grad(penalty.sum(), scale)
    length = images.detach().norm()
    torch.testing.assert_close(slope, 4 * length * (2 * 0.7 * length - 1))
