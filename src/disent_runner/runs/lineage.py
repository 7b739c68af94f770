"""The runs that a run stands on: which they are, where they lie now, and whether they still are what they were."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from disent_runner.machine.files import path_text
from disent_runner.runs.checkpoint_files import is_whole, newest_checkpoint
from disent_runner.runs.folder import run_folder_of
from disent_runner.runs.identity import is_parent, setting, settings_of
from disent_runner.runs.record import FILE, has_record, named_record
from disent_runner.runs.status import read_status, state_of

if TYPE_CHECKING:
    from torch import Tensor

_DEPTH = 4
"""Names of a run folder below its output_root: dataset, model, id and seed."""


@dataclass(frozen=True)
class Parent:
    """A run that another one stands on, by what makes its weights what they are."""

    id: str
    seed: int
    step: int
    weights: str
    """sha256 of their names, shapes and bytes"""


def weights_hash(state: "Mapping[str, Any]") -> str:
    """Of the tensors of a model's state, the same on every device; what an agent remembers beside them is no weight."""
    digest = hashlib.sha256()
    for name in sorted(state):
        if not hasattr(state[name], "detach"):
            continue
        values: Tensor = state[name].detach().cpu().contiguous()
        digest.update(f"{name} {values.dtype} {tuple(values.shape)}\n".encode())
        digest.update(values.reshape(-1).view(values.new_empty(0).byte().dtype).numpy().tobytes())
    return digest.hexdigest()


def named_parents(model: Any) -> dict[str, Mapping[str, Any]]:
    """The parts of a config's model that name a run, by the keyword that takes it."""
    return {str(name): node for name, node in model.items() if is_parent(node)} if isinstance(model, Mapping) else {}


def folder_of(name: str, node: Mapping[str, Any], *, child: Path | None = None) -> Path:
    """Where the run lies that the model's keyword `name` takes: where it was, or beside the child, which was moved.

    Raises FileNotFoundError where it is not there, ValueError where another run is.
    """
    if node.get("run") is not None:
        places = [Path(node["run"])]
    elif node.get("folder") is not None:
        places = [Path(node["folder"])]
    else:
        raise ValueError(f"{name}: it was not settled which run that is; compose the config with disent-run")
    if child is not None:
        depth = _DEPTH + (2 if places[0].suffix == ".pt" else 0)
        places += [root.joinpath(*places[0].parts[-depth:]) for root in child.resolve().parents[_DEPTH - 1 : _DEPTH]]
    for place in places:
        folder = place.parent.parent if place.suffix == ".pt" else place
        if has_record(folder) and _is_it(folder, node):
            return place
    if has_record(places[0]):
        record = named_record(places[0])
        raise ValueError(
            f"{name}: {places[0]} holds the run {setting(record, 'run.id')} seed={record.get('seed')}, expected "
            f"{node.get('id')}; type the command of this run again with {name}.run=FOLDER of that one"
        )
    raise FileNotFoundError(
        f"{name}: there is no run in {places[0]}; put it back, or type the command of this run again, which trains it"
    )


def _is_it(folder: Path, node: Mapping[str, Any]) -> bool:
    return node.get("id") is None or setting(named_record(folder), "run.id") == node["id"]


def facts_of(name: str, run: str) -> dict[str, Any]:
    """`id`, `seed` and `step` of a finished run that was named by its folder; `step` None for that of its end.

    Raises FileNotFoundError where there is no run, ValueError where its training has not ended.
    """
    try:
        folder = run_folder_of(run)
    except FileNotFoundError:
        raise FileNotFoundError(f"{name}.run={run}: no run there; name a folder that holds {FILE}") from None
    record, newest = named_record(folder), newest_checkpoint(folder)
    if newest is None or setting(record, "run.id") is None:
        raise ValueError(f"{name}.run={run}: nothing was trained there; name the folder of a trained run")
    last, chosen = _step(newest), Path(run)
    max_steps = setting(record, "trainer.max_steps")
    if chosen.suffix == ".pt" and chosen.name != newest.name:
        step = _step(chosen)
    elif last not in (0, max_steps):
        raise ValueError(
            f"{name}.run={run}: its training is at step {last} of {max_steps}; type its command again, which goes on"
        )
    else:
        step = None
    return {"id": setting(record, "run.id"), "seed": record["seed"], "step": step}


def is_beside(folder: Path, child: Path | None) -> bool:
    """Whether both runs lie in one output_root."""
    roots = [one.resolve().parents[_DEPTH - 1 : _DEPTH] for one in (folder, child) if one is not None]
    return len(roots) == 2 and roots[0] == roots[1]


def is_trained(name: str, node: Mapping[str, Any], *, child: Path | None = None, above: tuple[Path, ...] = ()) -> bool:
    """Whether the run that a settled part of a model names is there, trained to its end and undamaged, and so is each
    that it stands on in its turn; looked for beside the `child` too. None of those `above` is.
    """
    try:
        place = folder_of(name, node, child=child)
        folder = run_folder_of(str(place))
        checkpoint = place if place.suffix == ".pt" else newest_checkpoint(folder)
        if (
            folder in above
            or facts_of(name, str(place))["id"] != node["id"]
            or checkpoint is None
            or not is_whole(checkpoint)
        ):
            return False
        below = named_parents(named_record(folder).get("model"))
        if state_of(folder, read_status(folder)) == "interrupted":  # a kill, of which its folder is to be tidied
            return False
        above = (*above, folder)
        return all(is_trained(other, parent, child=folder, above=above) for other, parent in below.items())
    except (OSError, ValueError, KeyError):
        return False


def _step(checkpoint: Path) -> int:
    return int(checkpoint.stem.partition("=")[2])


def parent_of(folder: Path, *, step: int, weights: str) -> Parent:
    record = named_record(folder)
    return Parent(id=str(setting(record, "run.id")), seed=int(record["seed"]), step=step, weights=weights)


def recorded_as(parent: Parent, folder: Path) -> dict[str, Any]:
    """What a child records of it: which run it is, the settings by which reports tell children apart, its place."""
    return {**asdict(parent), "settings": settings_of(named_record(folder)), "folder": path_text(folder)}


def check_parents(before: Mapping[str, Any], now: Mapping[str, Parent], folder: Path) -> None:
    """ValueError where a run was begun on other weights than its parents have now.

    `before` are the facts that the child recorded when it began; none where it begins now.
    """
    recorded = before.get("parents")
    known = recorded if isinstance(recorded, Mapping) else {}
    for name, parent in now.items():
        was = known.get(name)
        if isinstance(was, Mapping) and any(was.get(key) != value for key, value in asdict(parent).items()):
            raise ValueError(
                f"{folder} stands on {name} {_told(was)}, which is now {_told(asdict(parent))}; put that run back, or "
                f"choose another output_root to train anew"
            )


def _told(parent: Mapping[str, Any]) -> str:
    return (
        f"{parent.get('id')} seed={parent.get('seed')} at step {parent.get('step')} with weights "
        f"{str(parent.get('weights'))[:8]}…"
    )


def lineage(record: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Names and recorded facts of the runs that a run stands on."""
    parents = setting(record, "run.parents")
    if isinstance(parents, Mapping):
        yield from ((str(name), facts) for name, facts in parents.items() if isinstance(facts, Mapping))
