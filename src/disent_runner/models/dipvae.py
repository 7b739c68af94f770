"""DIP-VAE I and II."""

from typing import Annotated, Any, ClassVar, final

from jaxtyping import Float
from torch import Tensor

from disent_runner.datasets.batches import Batch
from disent_runner.losses.covariance import (
    covariance_of_codes,
    covariance_of_means,
    diagonal_penalty,
    off_diagonal_penalty,
)
from disent_runner.machine.ranges import NonNegative, OneOf
from disent_runner.models.abstract_vae import AbstractVAE, Inference
from disent_runner.models.base import is_number


@final
class DIPVAE(AbstractVAE):
    """Kumar et al. 2018, eqs. 6 and 7: the covariance of the codes is drawn towards the identity.

    `kind` "i" takes Cov[mean], "ii" the whole Cov[z] = Cov[mean] + E[diag(σ²)]; `lambda_od` weighs the squares off
    the diagonal, `lambda_d` the squared distance of the diagonal from 1; None: 10 times `lambda_od` for i, the same for
    ii, as in disentanglement_lib. `beta` weighs the KL; None: 1, as theirs.
    """

    batch_statistics: ClassVar[bool] = True

    def __init__(
        self,
        *,
        kind: Annotated[str, OneOf("i", "ii")],
        lambda_od: NonNegative,
        lambda_d: NonNegative | None,
        beta: NonNegative | None = None,
        **vae: Any,
    ) -> None:
        super().__init__(**vae)
        if kind not in ("i", "ii"):
            raise ValueError(f"model.kind must be i or ii, got {kind!r}")
        if not is_number(lambda_od):
            raise ValueError(f"model.lambda_od must be a number, got {lambda_od!r}")
        self.kind = kind
        self.beta = 1.0 if beta is None else beta
        self.lambda_od = lambda_od
        self.lambda_d = lambda_d if lambda_d is not None else lambda_od * (10 if kind == "i" else 1)

    def regularizers(self, inference: Inference, batch: Batch) -> dict[str, Float[Tensor, " batch"]]:
        covariance = (
            covariance_of_means(inference.mean)
            if self.kind == "i"
            else covariance_of_codes(inference.mean, inference.logvar)
        )
        count = len(inference.mean)
        return {
            "kl": self.kl_term(inference.kl),
            "off_diagonal": off_diagonal_penalty(covariance).expand(count),
            "diagonal": diagonal_penalty(covariance).expand(count),
        }

    def weights(self) -> dict[str, float]:
        return {"kl": self.beta, "off_diagonal": self.lambda_od, "diagonal": self.lambda_d}
