"""InfoVAE with the maximum mean discrepancy."""

from typing import Annotated, Any, ClassVar, final

import torch
from annotated_types import Le
from jaxtyping import Float
from torch import Tensor

from disent_runner.datasets.batches import Batch
from disent_runner.losses.mmd import KERNELS, mmd
from disent_runner.machine.ranges import NonNegative, OneOf
from disent_runner.models.abstract_vae import AbstractVAE, Inference


@final
class InfoVAE(AbstractVAE):
    """Zhao et al. 2019, eq. 6: -log p(x|z) + (1 - α) KL + (α + λ - 1) MMD(q(z), p(z)).

    The codes of a batch are compared with as many draws of the prior. α = 1 leaves the KL out (MMD-VAE).

    ValueError where α + λ < 1, which would drive the codes away from the prior, or α > 1, which would maximise the KL.
    """

    batch_statistics: ClassVar[bool] = True

    def __init__(
        self,
        *,
        alpha: Annotated[float, Le(1)],
        lambda_mmd: NonNegative,
        kernel: Annotated[str, OneOf(*KERNELS)],
        **vae: Any,
    ) -> None:
        super().__init__(**vae)
        if kernel not in KERNELS:
            raise ValueError(f"model.kernel must be {' or '.join(KERNELS)}, got {kernel!r}")
        if alpha > 1 or alpha + lambda_mmd < 1:
            raise ValueError(
                f"model.alpha must be at most 1 and alpha + lambda_mmd at least 1, got {alpha} and {lambda_mmd}: "
                f"a term would be maximised"
            )
        self.alpha = alpha
        self.lambda_mmd = lambda_mmd
        self.kernel = KERNELS[kernel]

    def regularizers(self, inference: Inference, batch: Batch) -> dict[str, Float[Tensor, " batch"]]:
        distance = mmd(inference.codes, torch.randn_like(inference.codes), kernel=self.kernel)
        return {"kl": self.kl_term(inference.kl), "mmd": distance.expand(len(inference.codes))}

    def weights(self) -> dict[str, float]:
        return {"kl": 1 - self.alpha, "mmd": self.alpha + self.lambda_mmd - 1}
