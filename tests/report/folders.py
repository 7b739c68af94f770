"""Run folders written by hand, with the files and keys that `disent-run` leaves."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import yaml

FACTORS = ("shape", "scale")
DIRECTIONS = {"mig": "higher", "sap": "higher", "reconstruction": "lower", "active_units": None}


def row(number: str, value: float | None, **facts: Any) -> dict[str, Any]:
    """A row of metrics.json, of the metric of the number's own name unless `metric` says otherwise."""
    return {
        "name": number,
        "value": value,
        "better": DIRECTIONS.get(number),
        "metric": number,
        "settings": {"num_bins": 20},
        "seed": 0,
        "step": 300,
        "dataset": "dsprites",
        "source": "rendered",
        "num_images": 2000,
        "representation": "mean",
        "factors": list(FACTORS),
        "version": "0.1.0",
        **facts,
    }


def config(
    *,
    model: str = "betavae",
    seed: int = 0,
    max_steps: int = 300,
    dataset: Mapping[str, Any] | None = None,
    optimizer: Mapping[str, Any] | None = None,
    facts: Mapping[str, Any] | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """What config.yaml holds; `settings` are the model's."""
    adam = {"_target_": "torch.optim.Adam", "lr": 1e-4, **(optimizer or {})}
    settings = {"beta": 4.0} | settings if model == "betavae" else settings
    return {
        "dataset": {"_target_": "disent_runner.datasets.data_module.DataModule", "batch_size": 64, **(dataset or {})},
        "optimizer": adam,
        "model": {"_target_": f"disent_runner.models.{model}.Model", **settings, "optimizer": adam},
        "trainer": {"max_steps": max_steps, "precision": "32-true"},
        "seed": seed,
        "stages": ["fit", "evaluate"],
        "run": {
            "id": f"{model}-{sorted(settings.items())}",
            "data_source": "rendered",
            "data_hash": "3a228f4037ef3d42",
            "data_name": "dsprites",
            "versions": {"disent-runner": "0.1.0"},
            **(facts or {}),
        },
    }


def write_run(folder: Path, rows: list[dict[str, Any]] | None = None, **of_config: Any) -> Path:
    """A run folder with these rows (one of mig, 0.25, where there are none)."""
    folder.mkdir(parents=True)
    made = config(**of_config)
    (folder / "config.yaml").write_text(yaml.safe_dump(made, sort_keys=False))
    rows = [row("mig", 0.25)] if rows is None else rows
    (folder / "metrics.json").write_text(json.dumps([{**each, "seed": made["seed"]} for each in rows]))
    return folder


def write_codes(folder: Path, mean: np.ndarray, logvar: np.ndarray | None = None, **attributes: Any) -> None:
    """codes.h5 of a run folder; posteriors much narrower than the prior unless `logvar` is given."""
    index = attributes.pop("index", np.arange(len(mean)))
    with h5py.File(folder / "codes.h5", "w") as file:
        file["mean"] = mean.astype(np.float32)
        file["logvar"] = (np.full(mean.shape, -4.0) if logvar is None else logvar).astype(np.float32)
        file["index"] = index
        file.attrs.update({"step": 300, "num_images": len(mean), "data_hash": "3a228f4037ef3d42", **attributes})
