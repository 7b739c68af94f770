"""Commands that are killed or stopped at random moments, and then typed again."""

import argparse
import random
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from scripts.faults.common import COMMANDS, Outcome, Place, left


def prepared(root: Path, name: str) -> tuple[Place, float, dict[str, str]]:
    """Where the command can be disturbed, how long it takes, and what it leaves undisturbed."""
    before, command = COMMANDS[name]
    place = Place(root / name)
    place.folder.mkdir(parents=True)
    for earlier in before:
        assert place.type(earlier)[0] == 0
    place.type(["disent-run", "--help"])  # the libraries are loaded then, once for all commands
    undisturbed = place.copied(root / f"{name}_undisturbed")
    start = time.monotonic()
    code, said = undisturbed.type(command)
    assert code == 0, said
    return place, time.monotonic() - start, left(undisturbed)


def kills(root: Path, options: argparse.Namespace) -> Iterator[Outcome]:
    """SIGKILL at random moments, up to three in a row; then the same command is typed again."""
    yield from disturbed(root, options.kills, [signal.SIGKILL], "SIGKILL", options.of, options.seed)


def signals(root: Path, options: argparse.Namespace) -> Iterator[Outcome]:
    """The signals that ask for an end; their exit codes are checked, and what the run says of itself."""
    asked = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
    stopped = [name for name in options.of if name in ("fit", "evaluate", "draw", "sweep", "chain", "chains")]
    yield from disturbed(root, options.signals, asked, "SIGINT, SIGTERM, SIGHUP", stopped, options.seed)


def disturbed(
    root: Path, count: int, signums: Sequence[signal.Signals], name: str, commands: Sequence[str], seed: int
) -> Iterator[Outcome]:
    draw = random.Random(seed)
    for which in commands:
        outcome = Outcome(f"{name} in {which}")
        base, seconds, reference = prepared(root / which, which)
        command, share = COMMANDS[which][1], -(-count // len(commands))
        while outcome.tried < share:
            place, trained = base.copied(root / which / "disturbed"), {}
            for _ in range(3):
                typed, signum = place.start(command), draw.choice(signums)
                end = time.monotonic() + draw.uniform(0, seconds)
                while time.monotonic() < end and typed.poll() is None:
                    time.sleep(0.005)
                if typed.poll() is None:
                    typed.send_signal(signum)
                typed.communicate()
                trained = place.trained() | trained
                if typed.returncode == 0:
                    outcome.count("had ended")
                    break
                expected = (-9,) if signum == signal.SIGKILL else (128 + signum, -signum)
                outcome.expect(typed.returncode in expected, f"{signum.name}: exit code {typed.returncode}")
                if typed.returncode == 128 + signum and "-m" not in command:
                    states = place.states()
                    outcome.expect({*states} <= {"interrupted", "done"}, f"{signum.name}: {states}", tried=0)
            code, said = place.type(command)
            if which == "export" and "already there" in said:
                code = 0  # it was whole before the kill
            now = left(place)
            differs = [key for key in reference | now if reference.get(key) != now.get(key)]
            what = f"exit code {code}, other than undisturbed: {differs}; {said[-300:]}"
            outcome.expect(code == 0 and not differs, what, tried=0)
            again = [str(path) for path, written in trained.items() if path.stat().st_mtime_ns != written]
            outcome.expect(not again, f"trained again: {again}", tried=0)
        yield outcome
