"""Places that are full, read-only, without locks, shared, or of another time."""

import argparse
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.faults.common import COMMANDS, EXPORT, RUN, Outcome, Place, left, sized
from scripts.faults.kills import prepared


def pairs(root: Path, options: argparse.Namespace) -> Iterator[Outcome]:
    """Two terminals in which one command is typed at once, or within the time that it takes."""
    draw = random.Random(options.seed)
    for which in [name for name in ("fit", "sweep", "chain", "chains") if name in options.of]:
        outcome = Outcome(f"two terminals: {which}")
        base, seconds, reference = prepared(root / which, which)
        command = COMMANDS[which][1]
        for number in range(options.pairs):
            place = base.copied(root / which / "twice")
            first = place.start(command)
            time.sleep(draw.uniform(0, seconds) if number % 2 else 0)
            both = [first, place.start(command)]
            said = ["".join(typed.communicate()) for typed in both]
            codes = [typed.returncode or 0 for typed in both]
            is_told = all(
                code == 0 or "in use by another process" in text for code, text in zip(codes, said, strict=True)
            )
            begun = place.begun()
            outcome.expect(
                min(codes) == 0 and is_told and left(place) == reference and {*begun.values()} == {1},
                f"exit codes {codes}, begun {begun}; {said[0][-200:]} {said[1][-200:]}",
            )
        yield outcome


def disks(root: Path, options: argparse.Namespace) -> Iterator[Outcome]:
    """A disk with room for some of what a run writes; then room is made and the same command typed again."""
    outcome = Outcome("full disk")
    _, _, reference = prepared(root / "full", "sweep")
    command = COMMANDS["sweep"][1]
    needed = sum(path.stat().st_size for path in (root / "full/sweep_undisturbed").rglob("*") if path.is_file())
    for number in range(options.disks):
        with disk(root / "small", needed * 2) as small:
            place, filler = Place(small), small / "filler"
            base_data = root / "full/sweep_undisturbed/data"
            shutil.copytree(base_data, small / "data")
            free = int(needed * number / options.disks)
            filler.write_bytes(bytes(max(0, shutil.disk_usage(small).free - free)))
            code, said = place.type(command)
            filler.unlink()
            outcome.expect(
                code == 1 and "Traceback" not in said and "Logging error" not in said,
                f"{free} bytes free: exit code {code}, {said[-300:]}",
            )
            again, said = place.type(command)
            outcome.expect(
                again == 0 and left(place) == reference,
                f"{free} bytes free, then enough: exit code {again}, {said[-300:]}",
            )
    yield outcome


@contextmanager
def disk(folder: Path, size: int) -> Iterator[Path]:
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
        folder.rmdir()


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    subprocess.run(["mount", "--bind", str(folder), str(folder)], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def folders(root: Path, options: argparse.Namespace) -> Iterator[Outcome]:
    """Read-only folders, no locks, times of another century."""
    base = Place(root / "folders")
    base.folder.mkdir()
    assert base.type(RUN)[0] == 0
    reference = left(base)
    outcome = Outcome("read-only folder")
    other = [*RUN, "seed=1"]
    for name, cases in {
        "outputs": [(RUN, 0), (other, 1), (["disent-report", "outputs", "--out", "elsewhere"], 0)],
        "data": [(other, 0), (sized(24), 1), ([*EXPORT[:3], "/dev/null/x.npz"], 1)],
    }.items():
        with read_only(base.folder / name):
            for command, expected in cases:
                code, said = base.type(command)
                outcome.expect(
                    code == expected and "Traceback" not in said, f"{name}: {command}: exit code {code}, {said[-300:]}"
                )
    yield outcome
    outcome = Outcome("no locks (flock gives ENOLCK)")
    source, stub = root / "stub.c", root / "stub.so"
    source.write_text("#include <errno.h>\nint flock(int f, int o) { errno = ENOLCK; return -1; }\n")
    if (
        shutil.which("gcc")
        and subprocess.run(["gcc", "-shared", "-fPIC", "-o", stub, source], check=False).returncode == 0
    ):
        for arguments, names in (
            ([*RUN[1:], "seed=2"], "output_root"),
            (sized(20)[1:], "output_root"),
        ):
            done = subprocess.run(
                [sys.executable, "-m", "disent_runner", *arguments],
                cwd=base.folder,
                capture_output=True,
                text=True,
                env={**os.environ, "LD_PRELOAD": str(stub), "DISENT_DATA_DIR": str(base.folder / "data")},
            )
            outcome.expect(
                done.returncode == 1 and len(done.stderr.splitlines()) == 1 and names in done.stderr, done.stderr[-300:]
            )
    yield outcome
    outcome = Outcome("files of another time")
    for years in (-30, 30):
        place = base.copied(root / "times")
        for path in place.folder.rglob("*"):
            os.utime(path, (time.time() + years * 3e7, time.time() + years * 3e7))
        code, said = place.type(RUN)
        outcome.expect(
            code == 0 and left(place).items() >= reference.items(),
            f"{years} years: {code}, {said[-300:]}",
        )
        code, said = place.type([*RUN, "seed=3"])
        outcome.expect(code == 0, f"{years} years, another run: {code}, {said[-300:]}")
    yield outcome
