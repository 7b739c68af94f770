"""Whether a value is what an annotation says, and the annotation in words. Nothing is converted: true is no number,
text is none either, and NaN and infinity are no numbers to set anything to.
"""

import shlex
import types
import typing
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, Len, Lt, MinLen, Predicate

from disent_runner.assembly.declared import Part
from disent_runner.assembly.mistakes import closest
from disent_runner.machine.ranges import LARGEST, OneOf, distinct, increasing
from disent_runner.machine.texts import printable

_MOST_SHOWN = 60


def fits(kind: Any, value: Any) -> bool:
    from pydantic import ValidationError  # a tenth of a second, of no use to --help

    try:
        _validator(kind).validate_python(value)
    except ValidationError:
        return False
    return True


@cache
def _validator(kind: Any) -> Any:
    from pydantic import ConfigDict, TypeAdapter

    return TypeAdapter(kind, config=ConfigDict(strict=True, allow_inf_nan=False))


def mistake(key: str, value: Any, kind: Any) -> str | None:
    """What is wrong with the value of the key, in one line with the fix; None for nothing."""
    entries = _entries(kind)
    if entries is not None and isinstance(value, Mapping):
        return next((said for name in value if (said := mistake(f"{key}.{name}", value[name], entries))), None)
    if fits(kind, value):
        return None
    return f"{key}={shown(value)}: expected {described(kind)}{_too_large(value)}{_fix(key, value, kind)}"


def shown(value: Any) -> str:
    """A value as it is typed."""
    return printable(_typed(value), _MOST_SHOWN)


def _typed(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_typed(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_typed, value)) + "]"
    return str(value)


def alternatives(kind: Any) -> tuple[Any, ...]:
    """The members of a union, or the one there is."""
    return typing.get_args(kind) if typing.get_origin(kind) in (typing.Union, types.UnionType) else (kind,)


def described(kind: Any) -> str:
    """In words, as after "expected"."""
    *most, last = [_described(one) for one in alternatives(kind)]
    return f"{', '.join(most)}{',' if len(most) == 1 else ''} or {last}" if most else last


def _described(kind: Any) -> str:
    base, notes = _parts(kind)
    choices = next((note.names for note in notes if isinstance(note, OneOf)), None)
    if choices is None and typing.get_origin(base) is Literal:
        choices = [_typed(choice) for choice in typing.get_args(base)]
    if choices is not None:
        *most, last = choices
        return f"{', '.join(most)} or {last}" if most else last
    if _is_list(base):
        return _list(base, notes)
    entries = _entries(kind)
    if entries is not None:
        of_each = described(entries).replace(", or", " or")
        return f"{{name: value}}, each value {of_each}" if entries is not Any else "{name: value}"
    words: dict[Any, str] = {bool: "true or false", str: "text", type(None): "null", Part: "settings with a _target_"}
    words |= {int: f"a whole number{_bounds(notes)}", float: f"a number{_bounds(notes)}"}
    return words.get(base, "anything")


def _parts(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    if typing.get_origin(kind) is Annotated:
        base, *notes = typing.get_args(kind)
        return base, tuple(notes)
    return kind, ()


def _is_list(base: Any) -> bool:
    return typing.get_origin(base) in (list, tuple, Sequence)


def _entries(kind: Any) -> Any:
    """What the values of a mapping are; None where the kind is no mapping."""
    found = [base for base, _ in map(_parts, alternatives(kind)) if typing.get_origin(base) is Mapping]
    return typing.get_args(found[0])[1] if found else None


def _list(base: Any, notes: Sequence[Any]) -> str:
    item = described(typing.get_args(base)[0])
    plural = {"text": " of names", "anything": " of values"}.get(item)
    functions = [note.func for note in notes if isinstance(note, Predicate)]
    lengths = [f", {note.min_length} of them" for note in notes if isinstance(note, Len)]
    lengths += [", at least one" for note in notes if isinstance(note, MinLen)]
    each = "" if plural else f", each {item}"
    once = ", each once" if distinct in functions else ", increasing" if increasing in functions else ""
    return f"a list{plural or ''}{''.join(lengths)}, [a,b]{each}{once}"


def _bounds(notes: Sequence[Any]) -> str:
    low, high = "", ""
    for note in notes:
        if isinstance(note, Ge):
            low = f"of at least {note.ge}"
        elif isinstance(note, Gt):
            low = f"above {note.gt}"
        elif isinstance(note, Le) and note.le != LARGEST:
            high = f"at most {note.le}"
        elif isinstance(note, Lt):
            high = f"below {note.lt}"
    return "".join(f" {words}" for words in (" and ".join(filter(None, (low, high))),) if words)


def _too_large(value: Any) -> str:
    return f" and at most {LARGEST}" if isinstance(value, int) and value > LARGEST else ""


def _fix(key: str, value: Any, kind: Any) -> str:
    if isinstance(value, str | int | float) and fits(kind, [value]):
        return f"; write {shlex.quote(f'{key}=[{shown(value)}]')}"
    if isinstance(value, float) and value.is_integer() and fits(kind, int(value)):
        return f"; write {key}={int(value)}"
    if isinstance(value, list) and len(value) > 1 and all(fits(kind, item) for item in value):
        return f"; for a run of each: -m {shlex.quote(f'{key}=' + ','.join(map(_typed, value)))}"
    if isinstance(value, int | float) and fits(kind, str(value)):
        return f"; as text: '{key}=\"{value}\"'"
    names = [name for one in alternatives(kind) for note in _parts(one)[1] for name in getattr(note, "names", ())]
    return closest(value, names) if isinstance(value, str) else ""
