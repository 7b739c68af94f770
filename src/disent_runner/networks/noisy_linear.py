"""A linear layer each of whose weights carries noise of a size of its own."""

import math
from collections.abc import Callable
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

SMALLEST_VARIANCE = 1e-12
"""Below it a square root has no gradient to speak of."""


@final
class NoisyLinear(nn.Module):
    """Outputs for the weights' means, or with noise drawn anew for each image.

    `variance` is that of weights, by their means and by what is learned of their noise, which starts as `first_noise`.
    What is drawn are the outputs, with the mean and the variance that the weights' noise gives them (Kingma et al.
    2015, section 2.3): exact of normal noise, and of other noise as far as a sum of many terms is normal. Biases are
    the last row of the weights. Nothing is rounded under autocast: images of one noise differ by little.
    """

    def __init__(
        self,
        num_inputs: int,
        num_outputs: int,
        *,
        variance: Callable[[Tensor, Tensor], Tensor],
        first_noise: float,
    ) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.randn(num_inputs + 1, num_outputs) * math.sqrt(2 / num_inputs))
        self.noise = nn.Parameter(torch.full_like(self.mean, first_noise))
        self.variance = variance

    def forward(self, inputs: Float[Tensor, "batch feature"], *, is_noisy: bool) -> Float[Tensor, "batch output"]:
        with torch.autocast(inputs.device.type, enabled=False):
            features = nn.functional.pad(inputs.float(), (0, 1), value=1.0)
            outputs = features @ self.mean
            if not is_noisy:
                return outputs
            spread = features.square() @ self.variance(self.mean, self.noise)
            return outputs + (spread + SMALLEST_VARIANCE).sqrt() * torch.randn_like(outputs)
