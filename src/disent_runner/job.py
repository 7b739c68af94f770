"""One run: `fit → evaluate → draw` in its own folder."""

import io
import logging
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.loggers import Logger

from disent_runner import build
from disent_runner.checkpoints import load_checkpoint, load_newest_checkpoint
from disent_runner.datasets.data_module import DataModule
from disent_runner.datasets.info import DatasetInfo
from disent_runner.device import pick_device
from disent_runner.encoding import encode_once, evaluated_images
from disent_runner.fit import fit, restore
from disent_runner.models.base import AbstractModel
from disent_runner.representation import Representation
from disent_runner.run_folder import exclusive, run_id, write_whole
from disent_runner.status import reported, request_of
from disent_runner.tables import read_table

log = logging.getLogger(__name__)

STAGES = ("fit", "evaluate", "draw")
PARTS = {"all": "", "training": ", training images", "held_out": ", held-out images"}
"""Images that can be evaluated, and what the tables call them after the data set's name."""
_RECORDED = ("disent-runner", "torch", "pytorch-lightning", "hydra-core", "numpy", "scikit-learn", "h5py")


def run_job(config: DictConfig, folder: Path, *, request: str = "", model_name: str | None = None) -> None:
    """Do the config's stages. What is finished is skipped, what was interrupted goes on.

    `request` is the hash of what was asked, where the config is not that: it is a recalled run's. `model_name` is the
    choice of the group `model`, by which tables name the run.
    """
    with exclusive(folder), reported(folder, request or request_of(config)):
        check_stages(config.stages)
        check_seed(config.seed)
        if Path(config.representation).suffix:
            score_table(config, folder)
            return
        datamodule = build.build_data(config)
        model = build.build_model(config, datamodule.training.info)
        check_choices(config, datamodule.dataset.info)
        part_of(datamodule, config.evaluation.part)
        record_start(config, folder, datamodule, model_name=model_name)
        loggers = build.build_loggers(config)
        status = "failed"
        try:
            run_stages(config, folder, model, datamodule, loggers)
            status = "success"
        finally:
            build.close_loggers(loggers, status=status)


def run_stages(
    config: DictConfig, folder: Path, model: AbstractModel, datamodule: DataModule, loggers: Sequence[Logger]
) -> None:
    trainer, dataset, evaluation = config.trainer, datamodule.dataset, config.evaluation
    chosen = part_of(datamodule, evaluation.part)
    indices = chosen[evaluated_images(evaluation.num_images, len(chosen))]
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
        )
    else:
        load_trained(model, folder, checkpoint=config.run)
    model.to(device)

    def represent() -> Representation:
        batch_size = evaluation.batch_size
        return encode_once(
            model, dataset, folder=folder, indices=indices, batch_size=batch_size, weights=datamodule.weights
        ).representation

    failures: list[str] = []
    if "evaluate" in config.stages:
        from disent_runner.evaluate import evaluate  # scikit-learn and pandas are of no use to training

        failures = evaluate(
            represent,
            build.build_metrics(config),
            folder=folder,
            seed=config.seed,
            making={
                "step": model.step,
                "dataset": dataset.info.name + PARTS[evaluation.part],
                "source": dataset.info.source,
            },
            choice=config.representation,
            factors=config.factors,
            loggers=loggers,
        )
    if "draw" in config.stages:
        from disent_runner.draw import draw

        figures = build.build_figures(config)
        draw(represent, dataset.info, figures, folder=folder, step=model.step, seed=config.seed)
    if failures:
        raise RuntimeError("; ".join(failures))


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
        raise ValueError(f"representation={path} has no model to train or draw; add stages=[evaluate]")
    from disent_runner.evaluate import evaluate

    table = read_table(path)
    facts = {"folder": str(folder), "data_source": str(path.resolve()), "versions": _versions()}
    kept = {key: config[key] for key in ("seed", "stages", "metric", "representation", "factors")}
    write_whole(folder / "config.yaml", build.record(OmegaConf.create(kept), facts))
    failures = evaluate(
        lambda: table.representation,
        build.build_metrics(config),
        folder=folder,
        seed=config.seed,
        making={"step": None, "dataset": path.name, "source": "file", "binned": dict(table.binned)},
        choice="given",
        factors=config.factors,
    )
    if failures:
        raise RuntimeError("; ".join(failures))


def check_stages(stages: Sequence[str]) -> None:
    unknown = [stage for stage in stages if stage not in STAGES]
    if unknown or not stages:
        raise ValueError(f"stages must be some of {', '.join(STAGES)}, got [{', '.join(map(str, stages))}]")


def check_seed(seed: Any) -> None:
    if not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise ValueError(f"seed must be a whole number from 0 to {2**32 - 1}, got {seed!r}")


def check_choices(config: DictConfig, info: DatasetInfo) -> None:
    """Raises ValueError for what the evaluation would refuse hours later."""
    if config.representation not in ("mean", "sampled"):
        raise ValueError(f"representation must be mean, sampled or an npz file, got {config.representation!r}")
    unknown = [name for name in config.factors or () if name not in info.factors]
    if unknown:
        raise ValueError(f"factors must be some of {', '.join(info.factors)}, got [{', '.join(config.factors)}]")


def load_trained(model: AbstractModel, folder: Path, *, checkpoint: str | None = None) -> None:
    """Weights and step from `checkpoint` if it is the path of one, else from the folder's newest."""
    named = checkpoint is not None and Path(checkpoint).suffix == ".pt"
    state = load_checkpoint(Path(str(checkpoint))) if named else load_newest_checkpoint(folder)
    if state is None:
        raise FileNotFoundError(f"no checkpoint in {folder / 'checkpoints'}; add fit to stages to train first")
    restore(model, state, folder)


def record_start(config: DictConfig, folder: Path, datamodule: DataModule, *, model_name: str | None = None) -> None:
    """Write config.yaml. Raises ValueError when the folder's run was trained on other data of the same name."""
    path = folder / "config.yaml"
    dataset = datamodule.dataset
    before: Mapping[str, Any] = build.recorded_facts(path)
    if before and before["data_hash"] != dataset.content_hash:
        raise ValueError(
            f"{folder} was made from {before['data_source']} {dataset.info.name} with hash "
            f"{before['data_hash'][:12]}…, the data now is {dataset.info.source} with {dataset.content_hash[:12]}…; "
            f"set dataset.source={before['data_source']}, or another output_root"
        )
    if config.run is not None:
        return  # the run was recorded when it was made
    info = dataset.info
    facts = {
        "id": run_id(config),
        "folder": str(folder),
        "model_name": model_name,
        "data_source": info.source,
        "data_hash": dataset.content_hash,
        "data_name": info.name,
        "image_shape": list(info.image_shape),
        "factors": dict(info.factors),
        "periods": dict(info.periods),
        "num_images": info.num_images,
        "versions": _versions(),
        "git_commit": git_commit(),
    }
    if datamodule.held_out.any():
        facts["num_held_out"] = int(datamodule.held_out.sum())
        held_out = io.BytesIO()
        np.save(held_out, np.flatnonzero(datamodule.held_out))
        write_whole(folder / "held_out.npy", held_out.getbuffer())
    write_whole(path, build.record(config, facts))


@cache
def _versions() -> dict[str, str]:
    return {name: version(name) for name in _RECORDED}


@cache  # of the code that is loaded, whatever becomes of the files while a sweep goes on
def git_commit() -> str | None:
    """The commit of the working directory's repository, marked when it has changes; None outside of one."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return described.stdout.strip()
