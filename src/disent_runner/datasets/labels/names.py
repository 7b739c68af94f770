"""Names of factors as files and callers give them: text, bytes, or one name alone."""

from typing import Any

import numpy as np

from disent_runner.machine.texts import printable


def factor_names(given: Any, count: int) -> list[str]:
    """The names of so many factors; one text alone is the name of one factor, bytes are UTF-8.

    ValueError for another number of names, for an empty one, for one that is there twice, and for one that no file can
    hold: with a character of code 0, or with half of one.
    """
    names = [_text(name) for name in np.atleast_1d(np.asarray(given, dtype=object)).tolist()]
    told = ", ".join(printable(name, 40) for name in names)
    if len(names) != count or len(set(names)) < len(names) or "" in names:
        raise ValueError(f"factor_names must be {count} different names, got [{told}]")
    if any("\0" in name or not _is_unicode(name) for name in names):
        raise ValueError(f"factor_names must be text without characters of code 0, got [{told}]")
    return names


def _text(name: Any) -> str:
    return name.decode(errors="surrogateescape") if isinstance(name, bytes) else str(name)


def _is_unicode(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
