"""config.yaml and rows of metrics.json as earlier versions wrote them, in the words of this one."""

import math
from collections.abc import Mapping
from typing import Any

_LOADER = "disent_runner.datasets.dsprites.load_dsprites"
"""Of the first versions, which had dSprites alone, and no card of it."""
_CARD = "disent_runner.datasets.dsprites.card"
_SIZES = {"shape": 3, "scale": 6, "orientation": 40, "pos_x": 32, "pos_y": 32}
_KEPT = ("source", "subset", "batch_size", "replacement", "joint")
_AS_IT_WAS = {"crop": None, "grey": False, "image_size": None, "split": None, "dequantize": False}
"""What they did, as one would say it now."""


def as_now(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record itself, but of the first versions: their data set as a card, and what they did not say of it.

    The very first said in its part `run` neither the data set's name nor the images' shape, factors and number.
    """
    dataset, facts = record.get("dataset"), record.get("run")
    loader = dataset.get("load") if isinstance(dataset, Mapping) else None
    if not isinstance(dataset, Mapping) or not isinstance(loader, Mapping) or loader.get("_target_") != _LOADER:
        return dict(record)
    kept = {key: dataset[key] for key in _KEPT if key in dataset}
    now = {**record, "dataset": {**_AS_IT_WAS, **kept, "card": {"_target_": _CARD}}}
    if isinstance(facts, Mapping):
        now["run"] = {**_said_of_dsprites(dataset.get("subset")), **facts}
    return now


def _said_of_dsprites(subset: Any) -> dict[str, Any]:
    factors = {**_SIZES, **(subset if isinstance(subset, Mapping) else {})}
    if factors.keys() != _SIZES.keys() or not all(type(size) is int for size in factors.values()):
        return {}  # damaged, and those who need it say so
    return {
        "data_name": "dsprites",
        "image_shape": [1, 64, 64],
        "factors": factors,
        "periods": {},
        "num_images": math.prod(factors.values()),
    }
