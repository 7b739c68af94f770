"""Tab completion: what `disent-run -sc install=SHELL` adds to Hydra's words, and what the other commands offer.

Hydra's own words for zsh are those for bash, which zsh cannot read; the other commands are argparse's.
"""

import argparse
import os
from collections.abc import Callable, Sequence
from typing import Any

ZSH = """_disent_run() {
    local -a choices
    choices=(${=$(COMP_LINE="${(j: :)words[1,CURRENT]}" disent-run -sc query=bash)})
    compadd -S '' -- $choices
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _disent_run disent-run"""

SHELLS = ("bash", "zsh", "fish")


def shell_to_install(arguments: Sequence[str]) -> str | None:
    """The shell of `-sc install=SHELL`, where that is all that is typed and it is one of ours."""
    for option in ("-sc", "--shell-completion"):
        for shell in SHELLS:
            if list(arguments) in ([option, f"install={shell}"], [f"{option}=install={shell}"]):
                return shell
    return None


def words_beside_hydra(shell: str) -> str:
    """What the shell has to read so that it completes our other commands, and in zsh `disent-run` as well."""
    from argcomplete.shell_integration import shellcode

    of_others = shellcode(["disent-data", "disent-report", "disent-concept"], shell=shell)
    return f"{ZSH}\n{of_others}" if shell == "zsh" else of_others


def offer(command: argparse.ArgumentParser) -> None:
    """Where it is the shell that asks, answer it and end."""
    if "_ARGCOMPLETE" in os.environ:
        import argcomplete

        argcomplete.autocomplete(command, always_complete_options=False)


def completed(completer: Callable[..., Sequence[str]], *arguments: argparse.Action) -> None:
    """Offer what the completer gives for the arguments; it is called with `prefix` and what is typed before, parsed."""
    for argument in arguments:
        setattr(argument, "completer", completer)  # noqa: B010 - an attribute that argparse does not know


def folders(prefix: str, **_: Any) -> Sequence[str]:
    from argcomplete.completers import DirectoriesCompleter

    return list(DirectoriesCompleter()(prefix))


def datasets(parsed_args: argparse.Namespace, **_: Any) -> Sequence[str]:
    """Names of ours, and of --config-dir."""
    from disent_runner.assembly.conf import choices

    own = parsed_args.config_dir
    return [*choices("dataset"), *(() if own is None else sorted(file.stem for file in own.glob("dataset/[!_]*.yaml")))]


def sources(**_: Any) -> Sequence[str]:
    return ["auto", "official", "rendered"]


def operators(**_: Any) -> Sequence[str]:
    return ["AND", "IN COMMON", "IGNORE"]


def settings(parsed_args: argparse.Namespace, **_: Any) -> Sequence[str]:
    """Keys that every data set has, and those that the file of this one adds."""
    from omegaconf import OmegaConf

    from disent_runner.assembly import schema
    from disent_runner.assembly.checking import hints
    from disent_runner.assembly.conf import CONF

    folders = [CONF] if parsed_args.config_dir is None else [CONF, parsed_args.config_dir]
    files = [folder / "dataset" / f"{parsed_args.dataset}.yaml" for folder in folders]
    own = [str(key) for file in files if file.is_file() for key in OmegaConf.load(file)]
    return [f"dataset.{key}=" for key in dict.fromkeys([*hints(schema.Dataset), *own]) if key != "card"]
