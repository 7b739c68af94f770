"""What a frozen model says of a few images, asked once instead of at every step."""

from typing import final

import torch
from jaxtyping import Int
from torch import Tensor

from disent_runner.datasets.batches import Batch
from disent_runner.losses.gaussian import Normal
from disent_runner.models.frozen import Frozen

AT_ONCE = 128


@final
class FrozenPosteriors:
    """q(z|x) of some rows of a data set: computed with the first batch, of images without noise, and kept in memory."""

    def __init__(self, model: Frozen, rows: Int[Tensor, "..."]) -> None:
        self._model = model
        self._rows = rows.cpu().unique()
        self._posteriors: Normal | None = None

    def of(self, batch: Batch) -> Normal:
        """Mean and log variance for each image of the batch, which is one of the rows."""
        if self._posteriors is None:
            parts = [self._model.encode(self._images(batch, rows)) for rows in self._rows.split(AT_ONCE)]
            mean, logvar = (torch.cat([part[which] for part in parts]).float() for which in (0, 1))  # pyright: ignore
            self._posteriors = mean, logvar
        places = torch.searchsorted(self._rows, batch.draw.rows.cpu()).to(batch.device, non_blocking=True)
        mean, logvar = self._posteriors
        return mean[places], logvar[places]

    def _images(self, batch: Batch, rows: Int[Tensor, " part"]) -> Tensor:
        return batch.dataset.gather(rows).to(batch.device)


def check_posteriors(key: str, frozen: Frozen) -> None:
    """Raises ValueError where the frozen model, the setting `key`, has point codes."""
    _, logvar = frozen.encode(torch.zeros(1, *frozen.info.image_shape))
    if logvar is None:
        raise ValueError(
            f"model.{key} must be a model with posteriors q(z|x), such as betavae_dae, got one of point codes, "
            f"{type(frozen.model).__name__}"
        )
