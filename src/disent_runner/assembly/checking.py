"""Every value of a composed config against what its key was declared to be, before anything is opened or written.

What was recorded with an earlier run is not checked: these are checks of what one types now.
"""

import re
import typing
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import PurePath
from typing import Any

from omegaconf import DictConfig, OmegaConf

from disent_runner.assembly import schema
from disent_runner.assembly.declared import Signature, signature_of
from disent_runner.assembly.kinds import mistake, shown
from disent_runner.assembly.mistakes import closest
from disent_runner.runs.identity import is_parent

_LATER = ("logger", "study")
"""What is known in full once there is a run folder, and what is judged where it is read."""
_OF_OTHERS = ("hydra", *_LATER)
_OF_HYDRA = frozenset({"_target_", "_partial_", "_args_", "_convert_", "_recursive_"})
_OF_TORCH = {"torch.optim.lr_scheduler.": schema.Schedule, "torch.optim.": schema.Optimizer}
READ = re.compile(r"\$\{([\w.]+)\}")
_MISSING = "???"


def check(config: DictConfig) -> None:
    """Raises ValueError, with the key as it is typed, for the first value that is not what its key may be.

    Also for a key that nothing reads; and what omegaconf does for an interpolation that leads nowhere.
    """
    raw: Any = OmegaConf.to_container(config)
    plain = {str(key): _plain(config, str(key)) for key in config if key not in _OF_OTHERS}
    plain |= {key: _said_outright(raw[key]) for key in _LATER if key in raw}
    for said in mistakes(plain, raw):
        raise ValueError(said)


def _plain(config: DictConfig, key: str) -> Any:
    """Resolved in its place: a copy of the parts that are looked at would take as long as all else."""
    if OmegaConf.is_missing(config, key):
        return _MISSING
    node = config[key]
    return OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node


def _said_outright(node: Any) -> Any:
    """Without what is taken from elsewhere."""
    if not isinstance(node, Mapping):
        return node
    said = {key: _said_outright(value) for key, value in node.items()}
    return {key: value for key, value in said.items() if isinstance(value, Mapping) or "${" not in str(value)}


def mistakes(plain: Mapping[str, Any], raw: Mapping[str, Any]) -> Iterator[str]:
    """A line for each value, of a resolved config and the same as it stands in the files."""
    read = {*READ.findall(str(raw)), *_of_card(plain.get("dataset"))}
    verbose = raw.get("hydra", {}).get("verbose", False)
    if said := mistake("hydra.verbose", verbose, schema.VERBOSE):
        yield said
    yield from _of_section(schema.Run, "", plain, raw, read)
    for key, value in sorted(plain.items(), key=lambda item: item[0] == "model"):  # made of the others
        for place, node in parts_of(value, key):
            yield from _of_part(place, node, raw)
    launcher = _said_outright(raw.get("hydra", {}).get("launcher") or {})
    if launcher.get("_target_", "").startswith("hydra_plugins.disent_"):
        yield from _of_part("hydra.launcher", launcher, raw)
    yield from _deleted(raw)
    representation = plain["representation"]
    if representation not in ("mean", "sampled") and not PurePath(representation).suffix:
        yield f"representation={shown(representation)}: expected mean, sampled or a file of codes, FILE.npz"
    is_own = plain["run"] is None  # else the split is the run's
    if is_own and plain["evaluation"]["part"] == "held_out" and plain["dataset"]["split"] is None:
        yield "evaluation.part=held_out: no image is held out; choose a split, such as split=random"


def _of_section(
    section: type, prefix: str, values: Mapping[str, Any], raw: Mapping[str, Any], read: set[str]
) -> Iterator[str]:
    kinds = hints(section)
    for key in kinds.keys() - values.keys() - schema.OPTIONAL:
        yield f"{prefix}{key} is missing; leave ~{prefix}{key} out"
    for key, value in values.items():
        place, kind = f"{prefix}{key}", kinds.get(key)
        if kind is None:
            if not _is_read(place, read):
                hint = closest(key, kinds)
                yield f"{place}={shown(value)}: nothing reads that key{hint}; keys here: {', '.join(sorted(kinds))}"
        elif is_section(kind):
            if isinstance(value, Mapping):
                yield from _of_section(kind, f"{place}.", value, raw, read)
            else:
                yield f"{place}={shown(value)}: expected its keys, {', '.join(hints(kind))}; such as {place}.KEY=…"
        elif said := _said(place, value, kind, raw):
            yield said


def _said(place: str, value: Any, kind: Any, raw: Mapping[str, Any]) -> str | None:
    typed = _typed_key(place, raw)
    if value == _MISSING:
        return f"{typed} has to be given, and has no default; add {typed}=…"
    return mistake(typed, value, kind)


def _of_card(dataset: Any) -> Iterator[str]:
    """What a data set's file names for its card stays a key, when the card itself is told something else."""
    card = dataset.get("card") if isinstance(dataset, Mapping) else None
    target = card.get("_target_") if isinstance(card, Mapping) else None
    with suppress(ValueError):  # told where the part is looked at
        signature = signature_of(target) if isinstance(target, str) else None
        yield from (f"dataset.{key}" for key in (signature.types if signature is not None else ()))


def _of_part(place: str, node: Mapping[str, Any], raw: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the keywords of a `_target_`."""
    target = node["_target_"]
    if not isinstance(target, str) or "." not in target:
        yield f"{place}._target_={shown(target)}: expected the name of a class or function with its module"
        return
    try:
        signature = signature_of(target)
    except ValueError as error:
        yield f"{place}._target_={shown(target)}: {error}"
        return
    if signature is None:
        return
    kinds = {**signature.types, **_of_torch(target)}
    for key, value in node.items():
        if key in _OF_HYDRA:
            continue
        is_given = node.get("_partial_") and key in signature.required and kinds.get(key) is Any  # by who calls it
        if is_given or (key not in signature.types and not signature.takes_others):
            yield _unknown(_typed_key(f"{place}.{key}", raw), key, signature, node)
        elif is_parent(value):
            yield from _of_section(schema.Parent, f"{key}.", value, raw, set())
        elif said := _said(f"{place}.{key}", value, kinds.get(key, Any), raw):
            yield said


def _deleted(raw: Mapping[str, Any]) -> Iterator[str]:
    """Keys that were typed with a ~, and that what they are for cannot do without."""
    for line in raw.get("hydra", {}).get("overrides", {}).get("task", ()):
        *parents, key = line.removeprefix("~").partition("=")[0].split(".")
        node: Any = raw
        for parent in parents if line.startswith("~") else ():
            node = node.get(parent) if isinstance(node, Mapping) else None
        target = node.get("_target_") if isinstance(node, Mapping) else None
        signature = signature_of(target) if isinstance(target, str) else None
        if signature is not None and key in signature.required and key not in node:
            yield f"{line}: {signature.name} cannot do without {key}; leave {line} out"


def _of_torch(target: str) -> Mapping[str, Any]:
    section = next((section for prefix, section in _OF_TORCH.items() if target.startswith(prefix)), None)
    return {} if section is None else hints(section)


def _unknown(typed: str, key: str, signature: Signature, node: Mapping[str, Any]) -> str:
    known = [name for name in node if name != key and name not in _OF_HYDRA]
    keys = f"; keys here: {', '.join(known)}" if known else ""
    hint = closest(key, signature.types.keys() - {key})
    return f"{typed}: {signature.name} has no such setting{hint}{keys}"


def parts_of(node: Any, place: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every mapping with a `_target_` and where it stands, the outer ones first."""
    if isinstance(node, Mapping):
        if "_target_" in node:
            yield place, node
        for key, value in node.items():
            yield from parts_of(value, f"{place}.{key}")


def _is_read(place: str, read: set[str]) -> bool:
    return any(f"{name}.".startswith(f"{place}.") or f"{place}.".startswith(f"{name}.") for name in read)


def _typed_key(place: str, raw: Mapping[str, Any]) -> str:
    """The key that one types for it: where its value, or what it is a part of, is taken from."""
    parts: Sequence[str] = place.split(".")
    node: Any = raw
    for index, part in enumerate(parts):
        node = node.get(part) if isinstance(node, Mapping) else None
        source = READ.fullmatch(node) if isinstance(node, str) else None
        if source:
            return _typed_key(".".join([source[1], *parts[index + 1 :]]), raw)
    return place


def is_section(kind: Any) -> bool:
    """Whether it is a class of the schema, whose keys are declared there."""
    return isinstance(kind, type) and kind.__module__ == schema.__name__


@cache
def hints(section: type) -> Mapping[str, Any]:
    """The keys of a section of the schema, and what each may be."""
    return typing.get_type_hints(section, include_extras=True)
