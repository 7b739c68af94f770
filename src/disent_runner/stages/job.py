"""One run: `fit → evaluate → draw` in its own folder."""

import logging
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from omegaconf import DictConfig
from pytorch_lightning.loggers import Logger

from disent_runner.assembly import build
from disent_runner.datasets.data_module import DataModule
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.info import DatasetInfo
from disent_runner.loggers.mirror import RunNotes
from disent_runner.machine.device import pick_device
from disent_runner.machine.interruption import stoppable
from disent_runner.models.base import AbstractModel
from disent_runner.representations.arrays import read_table
from disent_runner.representations.encoding import encode_once, evaluated_images
from disent_runner.representations.representation import POINT_CODES, Representation
from disent_runner.runs.adoption import adopt
from disent_runner.runs.checkpoints import load_trained
from disent_runner.runs.folder import exclusive, run_folder_of
from disent_runner.runs.identity import NAMED, plain, request_of, settings_of
from disent_runner.runs.lineage import recorded_as
from disent_runner.runs.ownership import check_data, check_owner, check_same_data
from disent_runner.runs.record import record_scoring, record_start, recordable, recorded_facts
from disent_runner.runs.scores import PARTS
from disent_runner.runs.status import reported
from disent_runner.stages.fit import check_precision, fit
from disent_runner.stages.foreseen import seconds_of_scoring

log = logging.getLogger(__name__)

STAGES = ("fit", "evaluate", "draw")


def run_job(
    config: DictConfig,
    folder: Path,
    *,
    request: str = "",
    model_name: str | None = None,
    origin: Mapping[str, str | None] | None = None,
) -> None:
    """Do the config's stages. What is finished is skipped, what was interrupted goes on.

    `request` is the hash of what was asked, where the config is not that: it is a recalled run's. `model_name` is the
    choice of the group `model`, by which tables name the run. `origin` is the sweep, recipe and preset it is part of.
    """
    run = folder if config.run is None else run_folder_of(config.run)
    with exclusive(folder):
        check_owner(config, folder)
        if run.resolve() != folder.resolve():
            adopt(run, folder)
        with reported(folder, request or request_of(config)), stoppable():
            _do(config, folder, model_name, origin or {})


def _do(config: DictConfig, folder: Path, model_name: str | None, origin: Mapping[str, str | None]) -> None:
    check_stages(config.stages)
    check_seed(config.seed)
    if Path(config.representation).suffix:
        score_table(config, folder)
        return
    if "fit" in config.stages:
        check_precision(config.trainer.precision)
    datamodule = build.build_data(config)
    made_in = folder if config.run is None else run_folder_of(config.run)
    model = build.build_model(config, datamodule.training.info, folder=made_in)
    check_choices(config, datamodule.dataset.info)
    if config.representation == "sampled" and "evaluate" in config.stages:
        check_posteriors(model, datamodule.dataset)
    part_of(datamodule, config.evaluation.part)
    check_data(config, folder, datamodule, learns_from_labels=model.learns_from_labels)
    check_same_data(datamodule.dataset, places_of_parents(model))
    if config.run is None:  # else it was recorded when it was made
        parents = {name: recorded_as(parent, place) for name, (parent, place) in model.parents.items()}
        record_start(config, folder, datamodule, model_name=model_name, parents=parents)
    loggers = build.build_loggers(config, notes_of(config, folder, origin))
    status = "failed"
    try:
        run_stages(config, folder, model, datamodule, loggers)
        status = "success"
    finally:
        build.close_loggers(loggers, status=status)


def places_of_parents(model: AbstractModel) -> dict[str, Path]:
    """Folders of the runs that the model stands on, by their names."""
    return {name: place for name, (_, place) in model.parents.items()}


def notes_of(config: DictConfig, folder: Path, origin: Mapping[str, str | None]) -> RunNotes:
    """What loggers call the run, as its folder has it."""
    facts = recorded_facts(folder)
    return RunNotes(
        folder=folder,
        id=str(facts["id"]),
        seed=config.seed,
        model=str(facts.get("model_name") or "model"),
        dataset=str(facts["data_name"]),
        job_type="train" if "fit" in config.stages else "score",
        settings=settings_of(recordable(config)),
        **origin,
    )


def run_stages(
    config: DictConfig, folder: Path, model: AbstractModel, datamodule: DataModule, loggers: Sequence[Logger]
) -> None:
    trainer, info = config.trainer, datamodule.dataset.info
    device = pick_device(trainer.accelerator)
    if "fit" in config.stages:
        fit(
            model,
            datamodule,
            folder=folder,
            seed=config.seed,
            accelerator=device.type,
            precision=trainer.precision,
            loggers=loggers,
            scoring=seconds_of_scoring(folder, config.get("metric") or ()) if "evaluate" in config.stages else 0.0,
        )
    else:
        load_trained(model, folder if config.run is None else run_folder_of(config.run), checkpoint=config.run)
    model.to(device)

    @cache
    def represent() -> Representation:
        return represented(config, folder, model, datamodule)

    failures: list[str] = []
    if "evaluate" in config.stages:
        from disent_runner.stages.evaluate import chosen, evaluate  # scikit-learn is of no use to training
        from disent_runner.stages.scoring import Subject

        subject = Subject(
            represent(),
            seed=config.seed,
            dataset=recorded_facts(folder)["data_name"] + PARTS[config.evaluation.part],
            source=info.source,
            choice=config.representation,
            step=model.step,
            labels=datamodule.dataset.labels_hash[:8],
            binned=info.binned,
        )
        metrics = build.build_metrics(config)
        failures = evaluate(chosen(subject, config.factors), metrics, folder=folder, loggers=loggers)
    if "draw" in config.stages:
        from disent_runner.stages.draw import draw

        figures = build.build_figures(config)
        draw(
            represent,
            info,
            figures,
            folder=folder,
            step=model.step,
            seed=config.seed,
            labels=datamodule.dataset.labels_hash[:8],
            loggers=loggers,
        )
    if failures:
        raise RuntimeError("; ".join(failures))


def represented(config: DictConfig, folder: Path, model: AbstractModel, datamodule: DataModule) -> Representation:
    """Codes of the images that are evaluated, beside their factors."""
    evaluation = config.evaluation
    images = part_of(datamodule, evaluation.part)
    return encode_once(
        model,
        datamodule.dataset,
        folder=folder,
        indices=images[evaluated_images(evaluation.num_images, len(images))],
        batch_size=evaluation.batch_size,
        weights=datamodule.weights,
    ).representation


def part_of(datamodule: DataModule, part: str) -> np.ndarray:
    """Indices of the images to evaluate, increasing. ValueError for another part, or where no image is held out."""
    if part not in PARTS:
        raise ValueError(f"evaluation.part must be {', '.join(PARTS)}, got {part!r}")
    if part == "held_out" and not datamodule.held_out.any():
        raise ValueError("evaluation.part=held_out: no image is held out; choose a split, such as split=random")
    chosen = {"all": np.True_, "training": ~datamodule.held_out, "held_out": datamodule.held_out}[part]
    return np.flatnonzero(np.broadcast_to(chosen, len(datamodule.dataset)))


def score_table(config: DictConfig, folder: Path) -> None:
    """The stage `evaluate` for codes from a file, without a model of ours."""
    path = Path(config.representation)
    if list(config.stages) != ["evaluate"]:
        raise ValueError(f"representation={path} has no model to train or draw; add 'stages=[evaluate]'")
    from disent_runner.stages.evaluate import chosen, evaluate
    from disent_runner.stages.scoring import Subject

    table = read_table(path, **{key: plain(config.get(key)) for key in NAMED})
    for remark in table.remarks:
        log.info("%s: %s", path.name, remark)
    record_scoring(config, folder, path)
    subject = Subject(
        table.representation, seed=config.seed, dataset=path.name, source="file", choice="given", binned=table.binned
    )
    failures = evaluate(chosen(subject, config.factors), build.build_metrics(config), folder=folder)
    if failures:
        raise RuntimeError("; ".join(failures))


def check_stages(stages: Sequence[str]) -> None:
    unknown = [stage for stage in stages if stage not in STAGES]
    if unknown or not stages:
        raise ValueError(f"stages must be some of {', '.join(STAGES)}, got [{', '.join(map(str, stages))}]")


def check_seed(seed: Any) -> None:
    if not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise ValueError(f"seed must be a whole number from 0 to {2**32 - 1}, got {seed!r}")


@torch.inference_mode()
def check_posteriors(model: AbstractModel, dataset: Dataset) -> None:
    """Raises ValueError for a model of point codes, from which nothing can be sampled: before hours of training."""
    model.eval()
    _, logvar = model.represent(dataset, torch.zeros(1, dtype=torch.int64))
    model.train()
    if logvar is None:
        raise ValueError(POINT_CODES)


def check_choices(config: DictConfig, info: DatasetInfo) -> None:
    """Raises ValueError for what the evaluation would refuse hours later."""
    if config.representation not in ("mean", "sampled"):
        raise ValueError(f"representation must be mean, sampled or an npz file, got {config.representation!r}")
    for key in NAMED:
        if config.get(key) is not None:
            raise ValueError(f"{key}={config[key]} is of codes from a file; of your own images say 'dataset.{key}=[…]'")
    unknown = [name for name in config.factors or () if name not in info.factors]
    if unknown:
        raise ValueError(f"factors must be some of {', '.join(info.factors)}, got [{', '.join(config.factors)}]")
