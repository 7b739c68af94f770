"""What the parts of the campaign share: commands, places to type them in, what they leave, what came of it."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.typed import Typed

os.environ["OMP_NUM_THREADS"] = "1"
TINY = [
    "model=vae",
    "dataset=blob",
    "network=tiny",
    "trainer=smoke",
    "trainer.accelerator=cpu",
    "dataset.image_size=16",
]
PLAN = ["trainer.max_steps=60", "trainer.log_every=3", "trainer.checkpoint_every=10", "evaluation.num_images=1000"]
SHOWN = ["metric=[mig,sap,irs]", "figure=[loss_curves,mutual_information]"]
RUN = ["disent-run", *TINY, *PLAN, *SHOWN]


def sized(side: int) -> list[str]:
    """The run on images of another size, as which it is another run."""
    return [f"dataset.image_size={side}" if one.startswith("dataset.image_size=") else one for one in RUN]


CHAIN = [
    *("disent-run", "model=scan", "dataset=toylab8", "dataset.image_size=16", "dataset.subset={yaw: 2, rotation: 2}"),
    *("split=combinations", "dataset.split.factors=[wall,floor,object,identity]"),
    *("trainer=smoke", "trainer.accelerator=cpu", "trainer.max_steps=20", "trainer.checkpoint_every=5"),
    *("dae.trainer.max_steps=20", "vision.trainer.max_steps=20", "concepts.trainer.max_steps=40"),
    *("vision.network=tiny", "vision.model.check_dae=false", "evaluation.num_images=200"),
    *("concepts.model.num_concepts=40", "concepts.model.images_per_concept=4"),
    *("metric=[mig,specificity]", "figure=[loss_curves]"),
]
"""A run that stands on a run that stands on a run that stands on a run."""
EXPORT = ["disent-data", "export", "blob", "blob.npz", "dataset.image_size=48"]
COMMANDS: Mapping[str, tuple[list[list[str]], list[str]]] = {
    "fit": ([], [*RUN, "stages=[fit]"]),
    "evaluate": ([[*RUN, "stages=[fit]"]], [*RUN, "stages=[fit,evaluate]"]),
    "draw": ([[*RUN, "stages=[fit]"]], [*RUN, "stages=[fit,draw]"]),
    "sweep": ([], [RUN[0], "-m", *RUN[1:], "seed=0,1"]),
    "chain": ([], CHAIN),
    "chains": ([], [CHAIN[0], "-m", *CHAIN[1:], "seed=0,1"]),
    "report": ([[RUN[0], "-m", *RUN[1:], "seed=0,1"]], ["disent-report", "outputs"]),
    "prepare": ([], ["disent-data", "prepare", "blob", "dataset.image_size=48"]),
    "export": ([], EXPORT),
}
"""What is done before, and what is disturbed."""


@dataclass
class Outcome:
    """What came of one kind of fault."""

    kind: str
    tried: int = 0
    bad: list[str] = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)

    def count(self, note: str) -> None:
        self.notes[note] = self.notes.get(note, 0) + 1

    def expect(self, is_right: bool, what: str, *, tried: int = 1) -> None:
        self.tried += tried
        if not is_right:
            self.bad.append(what)
            print(f"  WRONG: {self.kind}: {what}", flush=True)


@dataclass(frozen=True)
class Place:
    """A folder in which commands are typed."""

    folder: Path

    def start(self, command: Sequence[str]) -> Typed:
        environment = {**os.environ, "DISENT_DATA_DIR": str(self.folder / "data"), "COLUMNS": "160"}
        return Typed(command[0], command[1:], folder=self.folder, environment=environment)

    def type(self, command: Sequence[str]) -> tuple[int, str]:
        """Exit code and all that was printed."""
        typed = self.start(command)
        said = "".join(typed.communicate())
        return typed.returncode or 0, said

    def copied(self, folder: Path) -> "Place":
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.folder, folder, symlinks=True)
        return Place(folder)

    @property
    def run(self) -> Path:
        """The one of RUN."""
        return next(self.folder.glob("outputs/blob/*/*/seed=0"))

    def states(self) -> list[str]:
        """What each of its runs says that it is."""
        files = self.folder.glob("outputs/*/*/*/seed=*/status.json")
        return [json.loads(path.read_bytes())["state"] for path in files]

    def begun(self) -> dict[str, int]:
        """How often the training of each of its runs was begun at step 0, as the run's own log tells it."""
        found: dict[str, int] = {}
        for log in self.folder.glob("outputs/*/*/*/seed=*/run.log"):
            run = str(log.parent.relative_to(self.folder))
            lines = log.read_text().splitlines()
            found[run] = sum("fit: from step 0 " in line and line.endswith(run) for line in lines)
        return found

    def trained(self) -> dict[Path, int]:
        """When the last checkpoint of each run that is done was written, and its log."""
        found: dict[Path, int] = {}
        for status in self.folder.glob("outputs/*/*/*/seed=*/status.json"):
            if json.loads(status.read_bytes())["state"] == "done":
                files = [*status.parent.glob("train.csv"), *sorted(status.parent.glob("checkpoints/*.pt"))[-1:]]
                found |= {path: path.stat().st_mtime_ns for path in files}
        return found


def left(place: Place) -> dict[str, str]:
    """A hash of each thing that counts, by the file's name in the folder."""
    found: dict[str, str] = {}
    for path in sorted(place.folder.rglob("*")):
        name = str(path.relative_to(place.folder))
        if path.is_file() and path.suffix in CONTENTS and "sweeps" not in path.parts:
            found[name] = hashlib.sha256(CONTENTS[path.suffix](path)).hexdigest()[:12]
        elif path.name.endswith(".partial"):
            found[name] = "left over"
    return found


def _numbers(path: Path) -> bytes:
    """metrics.json without the seconds that each metric took."""
    if path.name != "metrics.json":
        return b""  # the state, the time
    rows = json.loads(path.read_bytes())
    return json.dumps([{key: row[key] for key in row if key != "seconds"} for row in rows]).encode()


def _weights(path: Path) -> bytes:
    import torch

    state = torch.load(path, weights_only=True)
    return repr(
        [(name, hashlib.sha256(value.numpy().tobytes()).hexdigest()) for name, value in state["model"].items()]
    ).encode()


def _arrays(path: Path) -> bytes:
    import h5py
    import numpy as np

    with h5py.File(path) as file:
        return b"".join(name.encode() + np.asarray(file[name]).tobytes() for name in sorted(file) if name != "done")


def _table(path: Path) -> bytes:
    return path.read_bytes() if path.name in ("train.csv", "table.csv", "udr.csv") else b""


CONTENTS: Mapping[str, Callable[[Path], bytes]] = {
    **{".json": _numbers, ".pt": _weights, ".h5": _arrays, ".csv": _table},
    **{".npz": Path.read_bytes, ".npy": Path.read_bytes, ".png": Path.read_bytes, ".gif": Path.read_bytes},
}
