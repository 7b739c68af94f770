"""Options. Those of `disent-run` are Hydra's, in any place among the settings; a mistake in any is said in one line."""

import argparse
import os
from collections.abc import Sequence
from importlib.metadata import version
from itertools import takewhile
from pathlib import Path
from typing import NoReturn

_MANY = {"sweep", "experiment", "hydra.mode"}
"""What can make many runs of a command without -m."""
_AGENT = "in the command of a `wandb sweep`: ${args_no_hyphens}"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message}; --help lists settings, --hydra-help options")


def in_order(arguments: Sequence[str]) -> list[str]:
    """The arguments with all settings behind the options, as Hydra takes them.

    Raises ValueError for what looks like an option and is none, with the setting that may have been meant.
    """
    from hydra._internal.utils import get_args_parser  # of no use to the other commands, which have a version too

    parser = get_args_parser()
    parser.__class__ = _Parser
    asked, others = parser.parse_known_args(arguments)
    for word in others:
        if word.startswith("-"):
            raise ValueError(_no_option(word, "".join(arguments[arguments.index(word) + 1 :][:1])))
    if not others:
        return list(arguments)
    settings = {*asked.overrides, *others}
    is_option = [word.startswith("-") or word not in settings for word in arguments]
    options = [word for word, is_one in zip(arguments, is_option, strict=True) if is_one]
    return [*options, *(word for word, is_one in zip(arguments, is_option, strict=True) if not is_one)]


def check_mode(arguments: Sequence[str]) -> None:
    """ValueError for what says how many runs are done, such as SLURM, beside a single run, which would not heed it."""
    from hydra._internal.utils import get_args_parser

    asked = get_args_parser().parse_args(arguments)
    keys = {word.partition("=")[0].lstrip("+") for word in asked.overrides}
    if asked.multirun or asked.cfg or asked.info or asked.shell_completion or keys & _MANY:
        return
    for word in asked.overrides:
        key, _, value = word.partition("=")
        if key in ("hydra/launcher", "hydra/sweeper") and value not in ("basic", "grid"):
            raise ValueError(f"{word}: that is how many runs are done, and this is one; add -m")


def _no_option(word: str, next_word: str) -> str:
    key, equals, value = word.lstrip("-").partition("=")
    if not equals:
        value = next_word if next_word and not next_word.startswith("-") and "=" not in next_word else ""
    if not key or not key[0].isalpha():
        return f"{word}: no such option; --hydra-help lists them"
    return f"{word}: no such option; settings have no hyphens: {key}={value or '…'} ({_AGENT})"


def without_comment(arguments: Sequence[str]) -> list[str]:
    """What stands before a `#`: zsh, as it comes, hands a comment that is typed or pasted on to the command."""
    return list(takewhile(lambda word: word != "#", arguments))


class Arguments(argparse.ArgumentParser):
    """Of the other commands; a mistake is one line, with no usage of many before it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {' '.join(message.split())}; {self.prog} --help shows what it takes\n")


def path(typed: str) -> Path:
    """A path as people type it: `~/` is the home folder also where no shell reads it, behind `=`.

    Raises ArgumentTypeError for an empty one, of a variable that is not set for example, which would be the working
    folder.
    """
    if not typed.strip():
        raise argparse.ArgumentTypeError("expected a path, got an empty text")
    return Path(os.path.expanduser(typed))  # noqa: PTH111 - pathlib raises where there is no such home


def folder(typed: str) -> Path:
    """The path of a folder, which need not be there. Raises ArgumentTypeError where there is something else."""
    found = path(typed)
    if found.exists() and not found.is_dir():
        raise argparse.ArgumentTypeError(f"{typed} is no folder")
    return found


def version_text() -> str:
    """What `--version` prints."""
    return f"disent-runner {version('disent-runner')}"
