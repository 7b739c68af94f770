"""β-VAE_DAE: a β-VAE that compares images as a denoising auto-encoder sees them."""

from collections.abc import Mapping
from typing import Annotated, Any, final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from disent_runner.datasets.batches import Batch
from disent_runner.datasets.dataset import Dataset
from disent_runner.machine.ranges import NonNegative, OneOf
from disent_runner.models.abstract_vae import AbstractVAE, Inference
from disent_runner.models.dae import DAE, FEATURE_LAYERS, Quality
from disent_runner.models.frozen import Frozen, check_same_data


@final
class BetaVAEDAE(AbstractVAE):
    """Higgins et al. 2017 (DARLA) and 2018 (SCAN): ‖J(x̂) - J(x)‖² + β KL(q(z|x) ‖ N(0, 1)).

    J are the layers of a frozen denoising auto-encoder up to `feature_layer`: `bottleneck`, `decoder_hidden` or
    `output`, before its sigmoid. x̂ is the decoder's image with normal noise of standard deviation `image_sigma`. The
    squares are summed over features and have no factor 1/2, so that a β is of one layer, and of no other.

    Nothing holds x̂ to the pixels of x where J does not look, and it may be noise to our eyes. `decode` makes what the
    auto-encoder sees in it, as the replication shows it, or x̂ itself with `through_dae` false.

    ValueError before the first step where the auto-encoder is not fit for it, see `models.dae.Quality`, unless
    `check_dae` is false.
    """

    def __init__(
        self,
        *,
        dae: Frozen,
        feature_layer: Annotated[str, OneOf(*FEATURE_LAYERS)],
        beta: NonNegative,
        image_sigma: NonNegative,
        check_dae: bool,
        through_dae: bool,
        **vae: Any,
    ) -> None:
        super().__init__(**vae)
        check_same_data("dae", dae, self.info)
        if not isinstance(dae.model, DAE):
            raise ValueError(f"model.dae must be a run of model=dae, got one of {type(dae.model).__name__}")
        if feature_layer not in FEATURE_LAYERS:
            raise ValueError(f"model.feature_layer must be {', '.join(FEATURE_LAYERS)}, got {feature_layer!r}")
        self.dae = dae
        self.feature_layer = feature_layer
        self.beta = beta
        self.image_sigma = image_sigma
        self.check_dae = check_dae
        self.through_dae = through_dae

    def learn(self, training: Dataset, rng: np.random.Generator) -> None:
        """Takes nothing, but looks at what the auto-encoder makes of training images."""
        quality = dae_of(self.dae).quality(training, rng)
        if self.check_dae and not quality.is_passed:
            raise ValueError(_failure(quality, self.dae.step))

    def decode(self, codes: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channel height width"]:
        images = super().decode(codes)
        if not self.through_dae:
            return images
        dae = dae_of(self.dae.on(images.device))
        return dae.decode(dae.encode(images)[0])

    def features(self, images: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch feature"]:
        """J, through which gradients pass to the images."""
        return dae_of(self.dae.on(images.device)).features(images, self.feature_layer)

    def reconstruction(self, inference: Inference) -> Float[Tensor, " batch"]:
        """‖J(x̂) - J(x)‖², in no unit."""
        images = self.likelihood.mean(inference.logits)
        if self.image_sigma:
            images = images + self.image_sigma * torch.randn_like(images)
        with torch.no_grad():
            wanted = self.features(inference.images)
        return (self.features(images) - wanted).square().sum(1)

    def regularizers(self, inference: Inference, batch: Batch) -> dict[str, Float[Tensor, " batch"]]:
        return {"kl": self.kl_term(inference.kl)}

    def weights(self) -> dict[str, float]:
        return {"kl": self.beta}

    def derived(self, means: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name: value for name, value in super().derived(means).items() if name != "elbo"}  # no bound


def dae_of(frozen: Frozen) -> DAE:
    assert isinstance(frozen.model, DAE)  # checked where it came
    return frozen.model


def _failure(quality: Quality, step: int) -> str:
    at_mean = quality.denoised > 0.9 * quality.mean_image
    return (
        f"dae {'is at the mean image' if at_mean else 'does not denoise yet'}: {quality}; train it longer than "
        f"{step} steps, dae.trainer.max_steps={max(10 * step, 10_000)}, or take it as it is, model.check_dae=false"
    )
