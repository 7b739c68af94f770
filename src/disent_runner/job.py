"""One run: `fit → evaluate → draw` in its own folder."""

import logging
import subprocess
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from pytorch_lightning.loggers import Logger

from disent_runner import build
from disent_runner.checkpoints import load_newest_checkpoint
from disent_runner.datasets.data_module import DataModule
from disent_runner.device import pick_device
from disent_runner.draw import draw
from disent_runner.encoding import encode_once, evaluated_images
from disent_runner.evaluate import evaluate
from disent_runner.fit import fit, restore
from disent_runner.models.base import AbstractModel
from disent_runner.run_folder import exclusive, run_id, write_whole

log = logging.getLogger(__name__)

STAGES = ("fit", "evaluate", "draw")
_RECORDED = ("torch", "pytorch-lightning", "hydra-core", "numpy", "scikit-learn", "h5py")


def run_job(config: DictConfig, folder: Path) -> None:
    """Do the config's stages. What is finished is skipped, what was interrupted goes on."""
    check_stages(config.stages)
    check_seed(config.seed)
    with exclusive(folder):
        datamodule = build.build_data(config)
        model = build.build_model(config, datamodule.dataset.info)
        record_start(config, folder, datamodule)
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
    indices = evaluated_images(evaluation.num_images, len(dataset))
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
        load_trained(model, folder)
    model.to(device)
    encoded = partial(encode_once, model, dataset, folder=folder, indices=indices, batch_size=evaluation.batch_size)
    if "evaluate" in config.stages:
        evaluate(encoded, dataset.info, build.build_metrics(config), folder=folder, seed=config.seed, loggers=loggers)
    if "draw" in config.stages:
        draw(encoded, model, dataset, build.build_figures(config), folder=folder, seed=config.seed)


def check_stages(stages: Sequence[str]) -> None:
    unknown = [stage for stage in stages if stage not in STAGES]
    if unknown or not stages:
        raise ValueError(f"stages must be some of {', '.join(STAGES)}, got [{', '.join(map(str, stages))}]")


def check_seed(seed: Any) -> None:
    if not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise ValueError(f"seed must be a whole number from 0 to {2**32 - 1}, got {seed!r}")


def load_trained(model: AbstractModel, folder: Path) -> None:
    state = load_newest_checkpoint(folder)
    if state is None:
        raise FileNotFoundError(f"no checkpoint in {folder / 'checkpoints'}; add fit to stages to train first")
    restore(model, state, folder)


def record_start(config: DictConfig, folder: Path, datamodule: DataModule) -> None:
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
    facts = {
        "id": run_id(config),
        "folder": str(folder),
        "data_source": dataset.info.source,
        "data_hash": dataset.content_hash,
        "versions": {"disent-runner": version("disent-runner"), **{name: version(name) for name in _RECORDED}},
        "git_commit": git_commit(),
    }
    write_whole(path, build.record(config, facts))


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
