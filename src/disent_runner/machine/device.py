"""Where a run's tensors live."""

import torch


def pick_device(accelerator: str) -> torch.device:
    """The device of `trainer.accelerator`: auto takes a GPU when there is one.

    Raises ValueError for an unknown name or an accelerator that this machine lacks.
    """
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if accelerator == "auto":
        return torch.device(next(name for name in ("cuda", "mps", "cpu") if available[name]))
    if not available.get(accelerator):
        names = ", ".join(name for name, is_here in available.items() if is_here)
        raise ValueError(
            f"trainer.accelerator must be auto or one of what this machine has ({names}), got {accelerator!r}"
        )
    return torch.device(accelerator)
