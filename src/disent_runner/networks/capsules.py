"""The two halves of the capsules of a transforming auto-encoder, all capsules at once (Hinton et al. 2011)."""

import math
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn


@final
class RecognitionUnits(nn.Module):
    """For each capsule logistic units of the whole image, and linear outputs of them; (batch, capsule, output)."""

    def __init__(self, *, image_size: int, num_capsules: int, num_units: int, num_outputs: int) -> None:
        super().__init__()
        self.num_capsules = num_capsules
        self.units = nn.Linear(image_size, num_capsules * num_units)
        self.weight = nn.Parameter(torch.randn(num_capsules, num_units, num_outputs) / math.sqrt(num_units))
        self.bias = nn.Parameter(torch.zeros(num_capsules, num_outputs))

    def forward(self, images: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch capsule output"]:
        units = self.units(images.flatten(1)).sigmoid().unflatten(1, (self.num_capsules, -1))
        return torch.einsum("bcu,cuo->bco", units, self.weight) + self.bias


@final
class GenerationUnits(nn.Module):
    """For each capsule logistic units of its pose, and a picture that is linear in them; pictures by presence, summed.

    Units start where poses of `home` ± `reach` are told apart: at random places within, as steep as `steepness` for
    each number of a pose. Were they all at home, as with biases of zero, poses far from it would be drawn alike.
    """

    def __init__(
        self,
        *,
        image_shape: tuple[int, int, int],
        num_capsules: int,
        num_units: int,
        home: Float[Tensor, " pose"],
        reach: Float[Tensor, " pose"],
        steepness: Float[Tensor, " pose"],
    ) -> None:
        super().__init__()
        self.image_shape = image_shape
        image_size = math.prod(image_shape)
        weight = steepness[:, None] * torch.randn(num_capsules, len(home), num_units)
        places = home[:, None] + reach[:, None] * (2 * torch.rand(num_capsules, len(home), num_units) - 1)
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(-(weight * places).sum(1))
        self.filters = nn.Parameter(
            torch.randn(num_capsules, num_units, image_size) / math.sqrt(4 * num_capsules * num_units)
        )
        self.filter_bias = nn.Parameter(torch.zeros(num_capsules, image_size))

    def forward(
        self, poses: Float[Tensor, "batch capsule pose"], presences: Float[Tensor, "batch capsule"]
    ) -> Float[Tensor, "batch channel height width"]:
        """Σ_c p_c · picture_c, without the pictures themselves."""
        present = (self._units(poses) * presences[..., None]).flatten(1)
        total = present @ self.filters.flatten(0, 1) + presences @ self.filter_bias
        return total.unflatten(1, self.image_shape)

    def parts(
        self, poses: Float[Tensor, "batch capsule pose"], presences: Float[Tensor, "batch capsule"]
    ) -> Float[Tensor, "batch capsule channel height width"]:
        """p_c · picture_c, whose sum is the image."""
        pictures = torch.einsum("bcu,cup->bcp", self._units(poses), self.filters) + self.filter_bias
        return (presences[..., None] * pictures).unflatten(2, self.image_shape)

    def _units(self, poses: Float[Tensor, "batch capsule pose"]) -> Float[Tensor, "batch capsule unit"]:
        return (torch.einsum("bcp,cpu->bcu", poses, self.weight) + self.bias).sigmoid()
