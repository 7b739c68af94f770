"""The base of representations that take no optimisation step."""

from typing import ClassVar, NoReturn

from torch import nn
from torch.optim import Optimizer

from disent_runner.datasets.batches import Batch
from disent_runner.models.base import AbstractModel

NUM_IMAGES = 20_000
"""How many training images a fit takes at most."""


class AbstractBaseline(AbstractModel):
    """What is compared with trained models in the same run folder, by the same metrics; its codes are points."""

    takes_steps: ClassVar[bool] = False

    def update(self, batch: Batch) -> NoReturn:
        raise RuntimeError(f"{type(self).__name__} takes no optimisation step")

    def new_optimizers(self) -> dict[str, Optimizer]:
        return {}


def without_gradients(network: nn.Module) -> nn.Module:
    return network.requires_grad_(False)
