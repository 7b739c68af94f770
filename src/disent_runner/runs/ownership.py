"""Whose a run folder is: the run that is recorded in it, and the data that this was made from, decide."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from disent_runner.runs.identity import owner_of, setting
from disent_runner.runs.record import FILE, has_record, held_out_images, record_as_it_is, recorded_facts

if TYPE_CHECKING:
    from disent_runner.datasets.data_module import DataModule
    from disent_runner.datasets.dataset import Dataset


def is_in_its_place(config: DictConfig, folder: Path) -> bool:
    """Whether the folder is where the config's settings put it, not one that was named by hand."""
    return f"{folder.parent.name} {folder.name}" == owner_of(config)


def check_owner(config: DictConfig, folder: Path) -> None:
    """ValueError where the folder holds the work of other settings: the id that is recorded in it decides."""
    if config.run is not None:
        return
    in_its_place = is_in_its_place(config, folder)
    if not has_record(folder):
        if (folder / "checkpoints").is_dir() and not in_its_place:
            raise ValueError(f"{folder} has checkpoints, but no {FILE} that says of which run; choose another folder")
        return
    try:
        record, new = record_as_it_is(folder), owner_of(config)
    except ValueError as error:
        if in_its_place:
            return
        raise ValueError(f"{folder / FILE} is damaged: {error}; choose another folder") from None
    before, is_codes = setting(record, "run.id"), Path(config.representation).suffix
    if not (in_its_place or isinstance(record.get("run"), Mapping)):
        raise ValueError(f"{folder} has a {FILE} that is of no run; choose another folder")
    if before is None and setting(record, "run.data_hash") is None and (in_its_place or is_codes):
        return  # codes from a file, as an earlier version recorded them, whose folder is named by their content
    owner = f"{before} seed={setting(record, 'seed')}"
    if owner != new:
        raise ValueError(
            f"{folder} holds the run {owner}, other than {new}; choose another folder, or leave hydra.run.dir and "
            f"hydra.sweep out: each run then has its own"
        )


def check_data(config: DictConfig, folder: Path, datamodule: "DataModule", *, learns_from_labels: bool) -> None:
    """ValueError where the run of the folder, if there is one, was made from other data, or learned from other labels.

    Raised too for a recalled run of which nothing is recorded.
    """
    import numpy as np

    before = recorded_facts(folder)
    if config.run is not None and "data_name" not in before:
        raise ValueError(f"{folder}: the part `run` of {FILE} is missing or damaged")
    if not before:
        return
    dataset, info = datamodule.dataset, datamodule.dataset.info
    if before.get("data_hash") != dataset.content_hash:
        source = before.get("data_source")
        fix = f"set dataset.source={source}"
        if source == "file":
            fix = "name the file of the same images, dataset.path=…"
        elif source == config.dataset.source:
            fix = "put the files that it was made from back into data_dir"
        raise ValueError(
            f"{folder} was made from {source} {before.get('data_name', info.name)} with hash "
            f"{str(before.get('data_hash'))[:12]}…, the data now is {info.source} {info.name} with "
            f"{dataset.content_hash[:12]}…; {fix}, or another output_root"
        )
    if learns_from_labels and before.get("labels_hash", dataset.labels_hash) != dataset.labels_hash:
        raise ValueError(
            f"{folder}: its model learns from labels, and those of {info.name} have changed since it was trained; "
            f"choose another output_root to train it anew"
        )
    held_out = held_out_images(folder)
    if held_out is not None and not np.array_equal(held_out, np.flatnonzero(datamodule.held_out)):
        raise ValueError(
            f"{folder}: the labels of {info.name} now hold out other images than those that training left out; "
            f"choose another output_root to train anew"
        )


def check_same_data(dataset: "Dataset", parents: Mapping[str, Path]) -> None:
    """ValueError where a run that a model stands on, by the name of it, was made from other images."""
    for name, folder in parents.items():
        facts = recorded_facts(folder)
        if facts.get("data_hash") != dataset.content_hash:
            raise ValueError(
                f"{name}: {folder} was made from {facts.get('data_source')} {facts.get('data_name')} with hash "
                f"{str(facts.get('data_hash'))[:12]}…, the data now is {dataset.info.source} {dataset.info.name} with "
                f"{dataset.content_hash[:12]}…; name a run on the same images, or leave {name}.run out"
            )
