"""What went wrong, in one line for the person who typed the command."""

import difflib
import errno
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hydra.errors import (
    ConfigCompositionException,
    HydraException,
    InstantiationException,
    MissingConfigException,
    OverrideParseException,
)
from omegaconf.errors import InterpolationResolutionError, OmegaConfBaseException, ValidationError

from disent_runner.assembly.typed import mistake
from disent_runner.machine.interruption import Interrupted
from disent_runner.machine.texts import printable

_SAID_BY_US = (ValueError, OSError, FloatingPointError, RuntimeError, Interrupted)
"""Raised with the value seen and the fix; anything else is a defect and is said to be one."""

_NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)
_OUT_OF_MEMORY = (
    *("DefaultCPUAllocator", "out of memory", "could not create a primitive", "failed to map segment"),
    *("Unable to allocate", "Cannot allocate memory", "can't start new thread", "std::bad_alloc"),
)
"""How torch, oneDNN, the loader and NumPy say so."""


_IN_PLUGINS = {
    "hydra/launcher=joblib": "pip install 'disent-runner[sweep]'",
    "hydra/launcher=ray": "pip install hydra-ray-launcher",
}
"""Choices that are there once a plugin of Hydra is."""


def in_one_line(error: BaseException, conf: Path) -> str:
    """The mistake, what was expected and the fix; `conf` is the folder of the config groups."""
    return printable(_told(error, conf))


def _told(error: BaseException, conf: Path) -> str:
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        return _unknown_choice(error.missing_cfg_file, error.options, conf)
    if isinstance(error, OverrideParseException):
        return _joined(mistake(error))
    if isinstance(error, ConfigCompositionException) and isinstance(error.__cause__, OmegaConfBaseException):
        return _not_applied(error)
    if isinstance(error, InstantiationException) and error.__cause__ is not None:
        return _failed_target(error, conf)
    if isinstance(error, InterpolationResolutionError):
        cause = _raised_by_resolver(error)
        if isinstance(cause, OSError | ValueError) and not isinstance(cause, OmegaConfBaseException):
            return _joined(cause)
    if isinstance(error, OmegaConfBaseException):
        return f"{error.full_key or 'config'}: {_joined(error.msg or error)}"
    if isinstance(error, OSError) and error.errno == errno.ENOSPC and "disk" not in str(error):
        return f"the disk is full: {_joined(error)}; free some space and run the same command again"
    if isinstance(error, OSError) and error.errno in _NOT_ALLOWED and "choose" not in str(error):
        what = error.strerror if error.filename is None else f"{error.filename}: {error.strerror}"
        if "output_root" not in str(what):
            return f"{what}; where it was to be written, choose another folder: output_root=DIR"
    if isinstance(error, MemoryError) or any(words in str(error) for words in _OUT_OF_MEMORY):
        return (
            f"there is too little memory ({_joined(error) or type(error).__name__}); free some, or set a smaller "
            "dataset.batch_size, evaluation.batch_size or evaluation.num_images; the same command goes on"
        )
    if isinstance(error, (*_SAID_BY_US, HydraException)):
        return _joined(error)
    return f"unexpected {type(error).__name__}: {_joined(error)}; HYDRA_FULL_ERROR=1 shows the traceback"


def _raised_by_resolver(error: BaseException) -> BaseException:
    """What a resolver of ours raised; the wrapping comes once for each interpolation around it."""
    while isinstance(error, InterpolationResolutionError) and error.__context__ is not None:
        error = error.__context__
    return error


def _unknown_choice(missing: str, options: Iterable[str] | None, conf: Path) -> str:
    """`missing` is group/choice; a choice may lie in folders of its own, but for Hydra's groups, which do so."""
    path = missing.removesuffix(".yaml")
    group, _, name = path.rpartition("/") if path.startswith("hydra/") else path.partition("/")
    if not name and not (conf / group).is_dir():  # the config of all, which -cn names
        return f"--config-name={group}: there is no {group}.yaml in {conf}, nor in a --config-dir; leave it out"
    if install := _IN_PLUGINS.get(f"{group}={name}"):
        return f"{group}={name} needs a plugin of Hydra: {install}"
    inner = f"{name.rpartition('/')[0]}/".lstrip("/")
    below = (file.relative_to(conf / group).with_suffix("") for file in (conf / group / inner).rglob("*.yaml"))
    listed = [str(option) for option in options or ()]  # of the group itself, of none of its folders
    in_folders = [choice.as_posix() for choice in below]
    known = in_folders or listed if inner else listed or in_folders
    choices = sorted(choice for choice in known if not choice.rpartition("/")[2].startswith("_"))  # parts of others
    return f"{group}={name}: no such {group}{closest(name, choices)}; choose from {', '.join(choices)}"


def _not_applied(error: ConfigCompositionException) -> str:
    """An override that does not fit the config: a key that is not there, or a value that its schema refuses."""
    cause: Any = error.__cause__
    if not isinstance(cause, ValidationError):
        return _unknown_key(cause)
    typed = str(error).partition("override ")[2].splitlines()[0].strip("'")
    return f"{typed or cause.full_key}: {_joined(str(cause.msg or cause).splitlines()[0])}"


def _unknown_key(cause: OmegaConfBaseException) -> str:
    key, siblings = str(cause.full_key), _keys(cause.parent_node)
    hint = closest(key.rpartition(".")[2], siblings)
    return f"{key}: no such key{hint}; keys here: {', '.join(siblings)} (a new one is added as +{key}=…)"


def _failed_target(error: InstantiationException, conf: Path) -> str:
    cause = error.__cause__
    if isinstance(cause, _SAID_BY_US) and not isinstance(cause, HydraException):
        return _told(cause, conf)
    return _joined(error)


def _keys(node: Any) -> list[str]:
    return sorted(str(key) for key in node if key != "hydra") if hasattr(node, "keys") else []


def closest(name: str, choices: Iterable[str]) -> str:
    """A clause that proposes the choice that is most like the name; empty where none is."""
    close = difflib.get_close_matches(name, list(choices), n=1)
    return f", did you mean {close[0]}?" if close else ""


def _joined(message: Any) -> str:
    return " ".join(str(message).split())
