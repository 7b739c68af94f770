"""Run folders by the product's own writers, with configs that Hydra composes; tests damage them."""

import copy
import dataclasses
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import numpy as np
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

from disent_runner.assembly.conf import CONF
from disent_runner.datasets.info import DatasetInfo
from disent_runner.runs import codes
from disent_runner.runs.record import record_start, record_text
from disent_runner.runs.score_rows import Making, Score
from disent_runner.runs.scores import write_scores

FACTORS = {"shape": 3, "scale": 6}
HASH = "3a228f4037ef3d42"
STEPS = 300
VERSION = version("disent-runner")
DIRECTIONS = {"mig": "higher", "sap": "higher", "reconstruction": "lower"}


def score(name: str, value: float | None, **facts: Any) -> Score:
    """A number of dSprites after the last step, of the metric of its own name; `facts`: other fields of both."""
    making = Making(
        metric=name,
        settings={"num_bins": 20},
        seed=0,
        step=STEPS,
        dataset="dsprites",
        source="rendered",
        num_images=2000,
        representation="mean",
        factors=tuple(FACTORS),
        version=VERSION,
    )
    changes = {field.name: facts.pop(field.name) for field in dataclasses.fields(Making) if field.name in facts}
    number = Score(name, None, value, DIRECTIONS.get(name), None, dataclasses.replace(making, **changes))
    return dataclasses.replace(number, **facts)


@cache
def composed(*choices: str) -> DictConfig:
    """The config of `disent-run CHOICES`, for a small network; not to be changed."""
    small = ("network=tiny", "metric=[mig]", "figure=[]", f"trainer.max_steps={STEPS}")
    with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
        return compose("run", overrides=[*small, *choices])


def run_config(
    *, model: str = "betavae", dataset: str = "dsprites", seed: int = 0, settings: Mapping[str, Any] | None = None
) -> DictConfig:
    """The config of a run with these settings by their dotted keys; a key that the config lacks is a user's own."""
    config = copy.deepcopy(composed(f"model={model}", f"dataset={dataset}"))
    for key, value in {"seed": seed, **(settings or {})}.items():
        OmegaConf.update(config, key, value, force_add=True)
    return config


def write_run(
    folder: Path,
    scores: Sequence[Score] | None = None,
    *,
    beta: float | None = None,
    settings: Mapping[str, Any] | None = None,
    data: Mapping[str, str] | None = None,
    **choices: Any,
) -> Path:
    """A run folder with these numbers (one of mig, 0.25, where there are none).

    `data`: name, source and hash where they are not those of rendered dSprites. `choices`: model, its name where the
    model is a user's own, dataset, seed.
    """
    folder.mkdir(parents=True)
    changes = {**({} if beta is None else {"model.beta": beta}), **(settings or {})}
    facts = {"name": choices.get("dataset", "dsprites"), "source": "rendered", "hash": HASH, **(data or {})}
    record = _record(tuple(changes.items()), tuple(facts.items()), **choices)
    (folder / "config.yaml").write_text(record)
    rows = [score("mig", 0.25)] if scores is None else scores
    write_scores(folder, [of_seed(row, choices.get("seed", 0)) for row in rows])
    return folder


@cache
def _record(settings: tuple[Any, ...], data: tuple[Any, ...], model_name: str | None = None, **choices: Any) -> str:
    """A config.yaml, written once for all folders that have it alike."""
    with TemporaryDirectory() as folder:
        config = run_config(**choices, settings=dict(settings))
        name = model_name or choices.get("model", "betavae")
        record_start(config, Path(folder), _data_module(**dict(data)), model_name=name)
        return record_text(Path(folder))


def of_seed(row: Score, seed: int) -> Score:
    return dataclasses.replace(row, making=dataclasses.replace(row.making, seed=seed))


def _data_module(*, name: str, source: str, hash: str) -> Any:
    """What the record takes from a data module."""
    info = DatasetInfo(name, (1, 64, 64), FACTORS, 18, source)
    dataset = SimpleNamespace(info=info, content_hash=hash, labels_hash="a1b2c3d4")
    return SimpleNamespace(dataset=dataset, held_out=np.zeros(info.num_images, dtype=bool))


def rewrite_facts(folder: Path, **facts: Any) -> None:
    """Part `run` of config.yaml as another version might have written it."""
    path = folder / "config.yaml"
    record = yaml.safe_load(path.read_text())
    record["run"] |= facts
    path.write_text(yaml.safe_dump(record, sort_keys=False))


def write_codes(folder: Path, mean: np.ndarray, logvar: np.ndarray | None = None, **origin: Any) -> None:
    """codes.h5 of a run folder; posteriors much narrower than the prior unless `logvar` is given."""
    index = origin.pop("index", np.arange(len(mean)))
    posteriors = {"mean": mean, "logvar": np.full(mean.shape, -4.0) if logvar is None else logvar}
    codes.begin(
        folder,
        {"step": STEPS, "num_images": len(mean), "data_hash": HASH, **origin},
        posteriors,
        {"index": index},
    )
    with codes.filling(folder) as write:
        write(0, posteriors, is_saved=True)
    codes.finish(folder)
