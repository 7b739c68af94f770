"""YAML that anyone may have written, as plain values: it cannot grow, refer to itself, or be anything else."""

import re
from functools import lru_cache
from typing import Any

import yaml

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN = (str, int, float, type(None))
_MOST_LEVELS = 40
_TOO_LARGE = 2**64
_SHALLOW = 4096
"""Characters in which lists cannot lie so deep in each other that the parser, which is in C, would crash."""
_SECTION = re.compile(r"^(?=[A-Za-z_]\w*:)", re.MULTILINE)


def parsed(text: str) -> dict[str, Any]:
    """What YAML says the text is. Sections that were seen before are not parsed again, and shared: do not change them.

    Raises ValueError for what is no mapping of plain values in YAML, or refers to itself: a few lines may then stand
    for more than fits into memory.
    """
    sections = _SECTION.split(text)
    return {key: value for section in sections if section.strip() for key, value in _parse(section).items()}


@lru_cache(maxsize=4096)
def _parse(section: str) -> dict[str, Any]:
    try:
        if "*" in section or len(section) > _SHALLOW:
            _check_events(section)
        content = yaml.load(section, _LOADER)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None
    if not isinstance(content, dict):
        raise ValueError(f"expected `key: value`, got {section[:40]!r}")
    _check_plain(content)
    return content


def _check_events(section: str) -> None:
    levels = 0
    for event in yaml.parse(section, _LOADER):
        levels += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent):
            raise ValueError(f"it refers to itself (*{event.anchor})")
        if levels > _MOST_LEVELS:
            raise ValueError(f"it has more than {_MOST_LEVELS} levels")


def _check_plain(content: Any) -> None:
    left = [(content, 0)]
    while left:
        value, level = left.pop()
        if level > _MOST_LEVELS:
            raise ValueError(f"it has more than {_MOST_LEVELS} levels")
        if isinstance(value, dict):
            left += [(key, level) for key in value] + [(item, level + 1) for item in value.values()]
        elif isinstance(value, list):
            left += [(item, level + 1) for item in value]
        elif not isinstance(value, _PLAIN) or (isinstance(value, int) and abs(value) >= _TOO_LARGE):
            raise ValueError(f"it holds a {type(value).__name__} that is no plain value")
