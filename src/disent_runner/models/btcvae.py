"""β-TCVAE."""

from typing import Annotated, Any, ClassVar, final

from jaxtyping import Float
from torch import Tensor

from disent_runner.datasets.batches import Batch
from disent_runner.losses.total_correlation import LOG_WEIGHTS, decompose_kl
from disent_runner.machine.ranges import NonNegative, OneOf
from disent_runner.models.abstract_vae import AbstractVAE, Inference


@final
class BetaTCVAE(AbstractVAE):
    """Chen et al. 2018, eq. 4: α · index-code MI + β · total correlation + γ · dimension-wise KL.

    `estimator` of log q(z) from a minibatch: "weighted" (their eq. 4), "stratified" (their appendix C), or "gaussian",
    the normal distribution with its mean and covariance. The first two have the gradient but not the value of the
    terms, which are off by up to log N for each latent: they are logged as `objective_…`.
    """

    batch_statistics: ClassVar[bool] = True

    def __init__(
        self,
        *,
        alpha: NonNegative,
        beta: NonNegative,
        gamma: NonNegative,
        estimator: Annotated[str, OneOf("gaussian", *LOG_WEIGHTS)],
        **vae: Any,
    ) -> None:
        super().__init__(**vae)
        self.alpha = alpha
        self.beta = beta
        self.gamma = gamma
        self.estimator = estimator

    def regularizers(self, inference: Inference, batch: Batch) -> dict[str, Float[Tensor, " batch"]]:
        terms = decompose_kl(
            inference.codes, inference.mean, inference.logvar, self.info.num_images, estimator=self.estimator
        )
        return {
            "objective_index_code_mi": terms.mutual_information,
            "objective_total_correlation": terms.total_correlation,
            "objective_dimensionwise_kl": terms.dimensionwise_kl,
        }

    def weights(self) -> dict[str, float]:
        return {
            "objective_index_code_mi": self.alpha,
            "objective_total_correlation": self.beta,
            "objective_dimensionwise_kl": self.gamma,
        }
