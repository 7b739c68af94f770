"""`key=value` as people type it: what Hydra has no words for is quoted where it can mean one thing, else told.

Its grammar knows letters from a to z, and gives `,`, `=`, brackets, parentheses and quotes meanings of their own.
"""

import re
import shlex
import unicodedata
from collections.abc import Callable
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException, OverrideParseException

_ITEM = re.compile(r"[^\[\],]+")
_KNOWN = re.compile(r"[A-Za-z0-9_/\\+.$%*@?|:,{}\[\] -]")
_CALL = re.compile(r"\s*[A-Za-z_]\w*\s*\(.*\)\s*")
_PAIRS = {"[": "]", "{": "}", "(": ")"}
_HOME = re.compile(r"(?:^|(?<=[\[,]))~(?=/|$)")


def as_read(argument: str) -> str:
    """The argument so that Hydra takes it for what it says; as it is where that is not clear.

    `~/` is the home folder, a value that is the name of a file here is that name, and what Hydra cannot read is one
    text, or several between commas.
    """
    key, equals, value = argument.partition("=")
    if not equals or "'" in value or '"' in value:
        return argument
    value = _HOME.sub(lambda _: str(Path.home()), value)
    if key.startswith("-"):
        return f"{key}={value}"
    escaped = f"{key}={_escaped(value)}"
    if _is_file(value) and not _is_text(escaped):
        return _readable(escaped, lambda: f"{key}={_quoted(value)}")
    if _is_readable(escaped):
        return escaped
    return _readable(escaped, lambda: f"{key}={_ITEM.sub(lambda item: _piece(item[0]), value)}")


def mistake(error: OverrideParseException) -> str:
    """What is wrong with an argument that cannot be read, and how to type it."""
    argument = str(error.override)
    key, equals, value = argument.partition("=")
    if strange := next((letter for letter in argument if unicodedata.category(letter) in ("Cc", "Cf")), None):
        return (
            f"{argument}: it has {_name(strange)} in it, as lines of files from Windows end in; take it out "
            f"(sed -i 's/\\r$//' FILE)"
            if strange == "\r"
            else f"{argument}: it has a character that is not seen, {_name(strange)}; take it out"
        )
    if not equals:
        return f"{argument}: expected key=value, without blanks around the ="
    if strange := re.search(r"[^\w./@:$+~-]|[^\x00-\x7f]", key):
        return f"{argument}: no key has {_name(strange[0])} in its name; in a file of your own it may, see --config-dir"
    for opening, closing in _PAIRS.items():
        if value.count(opening) != value.count(closing):
            return (
                f"{argument}: {opening} and {closing} do not match; a value with blanks is quoted for the shell, "
                f"'{key}=[a, b]'"
            )
    if value.count("'") % 2 or value.count('"') % 2:
        return f"{argument}: a quote is not closed; in the shell, '{key}=\"it''s one value\"'"
    if re.search(r",\s*(,|$)", value) or value.startswith(","):
        return f"{argument}: nothing stands between two commas; take one out"
    if _CALL.fullmatch(value):
        return f"{argument}: {_reason(error)}; a text with parentheses is quoted: {_advised(key, value)}"
    strange = next((letter for letter in value if not _KNOWN.match(letter)), value[:1] or "=")
    if "{" in value:
        return (
            f"{argument}: {_name(strange)} cannot stand between {{ and }} as it is: a value is quoted, "
            f"'{key}={{a: \"b\"}}', and a key has letters from a to z, or stands in a file of your own (--config-dir)"
        )
    return f"{argument}: {_name(strange)} is not for plain values; quote it: {_advised(key, value)}"


def _escaped(value: str) -> str:
    """Our paths hold `seed=0` and `step=5`, where Hydra's grammar asks for a backslash unless the value is quoted."""
    return re.sub(r"(^|[/\[,])([\w.-]+)=", r"\1\2\\=", value)


def _piece(piece: str) -> str:
    """What stands between commas and brackets, quoted where it cannot be read as it is."""
    is_part = any(piece.count(left) != piece.count(right) for left, right in _PAIRS.items()) or "{" in piece
    is_text = piece.strip() and piece.isprintable() and not is_part and not _CALL.fullmatch(piece)
    escaped = _escaped(piece)
    return escaped if not is_text or _is_readable(f"x={escaped}") else _quoted(piece)


def _readable(argument: str, otherwise: Callable[[], str]) -> str:
    """The second where it can be read and the first cannot, or is more than one text."""
    other = otherwise()
    return other if _is_readable(other) else argument


def _quoted(text: str) -> str:
    """As one text of Hydra's; without quotes in it."""
    blanks = len(text) - len(text.lstrip())
    return f'{text[:blanks]}"{text.strip()}"'


def _is_file(value: str) -> bool:
    return ("/" in value or "." in value) and value.isprintable() and Path(value).exists()


def _is_text(argument: str) -> bool:
    """Whether it is read as one plain text."""
    try:
        override = OverridesParser.create().parse_override(argument)
        return not override.is_sweep_override() and isinstance(override.value(), str)
    except (HydraException, ValueError):
        return False


def _is_readable(argument: str) -> bool:
    try:
        OverridesParser.create().parse_overrides([argument])
    except (HydraException, ValueError):
        return False
    return True


def _advised(key: str, value: str) -> str:
    inner = value.strip("'\"")
    return shlex.quote(f"{key}='{inner}'" if '"' in inner else f'{key}="{inner}"')


def _name(letter: str) -> str:
    """The character as one finds it again."""
    if letter == "\r":
        return "a carriage return (\\r)"
    name = unicodedata.name(letter, "").lower()
    seen = letter if letter.isprintable() else f"{letter!a}"
    return f"{seen} ({name})" if name and not letter.isascii() else seen


def _reason(error: OverrideParseException) -> str:
    return " ".join(str(error.message or error).partition("\nSee https")[0].split())
