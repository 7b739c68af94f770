"""Concepts and their recombinations as one types them: "red wall, hat", "red wall AND hat"."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import final

import numpy as np

from disent_runner.datasets.symbols.concepts import ANY, Concepts, are_orthogonal
from disent_runner.datasets.symbols.recombinations import AND, IGNORE, OPERATORS, Operator
from disent_runner.datasets.symbols.vocabulary import Vocabulary, attribute_names

_Value = tuple[int, int]
"""A factor by its place, and its value."""
_Spellings = Mapping[tuple[str, ...], list[_Value]]
"""Words in small letters -> the values that they may mean."""


@final
@dataclass(frozen=True, eq=False)
class Phrase:
    """A concept, or two and what an operator makes of them; each is one row of `Concepts`."""

    first: Concepts
    operator: Operator | None
    second: Concepts | None
    result: Concepts


def parse(text: str, vocabulary: Vocabulary) -> Phrase:
    """What "red wall, hat", "A AND B", "A IN COMMON B" or "A IGNORE B" means; operators in capitals, commas optional.

    A value is said by its name in the vocabulary, by "red wall", "wall red" or "wall 0"; its name alone is enough where
    only one factor has it.

    ValueError in one line for an unknown name, one that may mean several values, two values of one factor, and
    concepts that the operator does not take.
    """
    words = text.replace(",", " , ").split()
    found = [(place, operator) for place in range(len(words)) if (operator := _operator_at(words, place))]
    if len(found) > 1:
        names = " and ".join(operator.name for _, operator in found)
        raise ValueError(f"{text!r} has {names}; recombine two concepts at a time")
    spellings = _spellings(vocabulary)
    if not found:
        concept = _concept(words, vocabulary, spellings, f"{text!r}")
        return Phrase(concept, None, None, concept)
    ((place, operator),) = found
    parts = words[:place], words[place + len(operator.name.split()) :]
    first, second = (_concept(part, vocabulary, spellings, f"a side of {operator.name}") for part in parts)
    return Phrase(first, operator, second, _combined(first, operator, second, vocabulary))


def phrase_of(concept: Concepts, vocabulary: Vocabulary) -> str:
    """The concept, one row, as one types it."""
    return ", ".join(vocabulary.names[symbol] for symbol in np.flatnonzero(vocabulary.encode(concept)[0]))


def _operator_at(words: list[str], place: int) -> Operator | None:
    for operator in OPERATORS:
        name = operator.name.split()
        if words[place : place + len(name)] == name:
            return operator
    return None


def _spellings(vocabulary: Vocabulary) -> _Spellings:
    """All ways to say each value."""
    names = iter(attribute_names(vocabulary.sizes, vocabulary.value_names))
    spellings: dict[tuple[str, ...], list[_Value]] = {}
    for place, (factor, size) in enumerate(vocabulary.sizes.items()):
        given = vocabulary.value_names.get(factor, ())
        for value in range(size):
            ways = {next(names), f"{factor} {value}"}
            if given:
                ways |= {given[value], f"{given[value]} {factor}", f"{factor} {given[value]}"}
            for way in ways:
                spellings.setdefault(tuple(way.lower().split()), []).append((place, value))
    return spellings


def _concept(words: list[str], vocabulary: Vocabulary, spellings: _Spellings, where: str) -> Concepts:
    concept = np.full((1, len(vocabulary.sizes)), ANY, np.int64)
    for factor, value in _values(words, vocabulary, spellings):
        _check_one_value(factor, int(concept[0, factor]), value, vocabulary)
        concept[0, factor] = value
    if (concept == ANY).all():
        raise ValueError(f"{where} names nothing; say for example {_example(vocabulary)!r}")
    return concept


def _values(words: list[str], vocabulary: Vocabulary, spellings: _Spellings) -> Iterator[_Value]:
    """The values that are named, each by as many words as mean one."""
    longest = max(map(len, spellings))
    place = 0
    while place < len(words):
        if words[place] == ",":
            place += 1
            continue
        lengths = range(min(longest, len(words) - place), 0, -1)
        keys = (tuple(word.lower() for word in words[place : place + length]) for length in lengths)
        key = next((key for key in keys if key in spellings), None)
        if key is None:
            raise ValueError(_unknown(words[place:], vocabulary, spellings))
        if len(spellings[key]) > 1:
            if misspelt := _misspelt(words[place:], vocabulary, spellings, least=len(key) + 1):
                raise ValueError(misspelt)
            said = " ".join(words[place : place + len(key)])
            meant = [_name(factor, value, vocabulary) for factor, value in spellings[key]]
            raise ValueError(f"{said!r} may be {', '.join(meant[:-1])} or {meant[-1]}; say which")
        yield spellings[key][0]
        place += len(key)


def _unknown(words: list[str], vocabulary: Vocabulary, spellings: _Spellings) -> str:
    """What is said of words that begin no name: the nearest one, or an example."""
    operators = [operator.name for operator in OPERATORS]
    for operator in operators:
        if [word.lower() for word in words[: len(operator.split())]] == operator.lower().split():
            return (
                f"{' '.join(words[: len(operator.split())])!r} is no attribute; operators are in capitals: {operator}"
            )
    if misspelt := _misspelt(words, vocabulary, spellings):
        return misspelt
    factors = ", ".join(vocabulary.sizes)
    return f"no attribute is called {words[0]!r}; they are values of {factors}, for example {_example(vocabulary)!r}"


def _misspelt(words: list[str], vocabulary: Vocabulary, spellings: _Spellings, *, least: int = 1) -> str | None:
    """What is said where the first words, at least so many, are nearly a name."""
    end = words.index(",") if "," in words else len(words)
    known = {" ".join(key): key for key in spellings}
    for length in range(min(end, max(map(len, spellings))), least - 1, -1):
        said = " ".join(words[:length])
        for nearest in get_close_matches(said.lower(), known, n=1, cutoff=0.7):
            factor, value = spellings[known[nearest]][0]
            name = _name(factor, value, vocabulary) if len(spellings[known[nearest]]) == 1 else nearest
            return f"no attribute is called {said!r}; did you mean {name!r}?"
    return None


def _combined(first: Concepts, operator: Operator, second: Concepts, vocabulary: Vocabulary) -> Concepts:
    one, other = phrase_of(first, vocabulary), phrase_of(second, vocabulary)
    if operator is AND:
        for factor in np.flatnonzero((first != ANY) & (second != ANY)).tolist():
            _check_one_value(factor, int(first[0, factor]), int(second[0, factor]), vocabulary)
        if not are_orthogonal(first, second).all():
            twice = phrase_of(np.where(first == second, first, ANY), vocabulary)
            raise ValueError(f"AND needs concepts of different factors, both name {twice!r}")
    elif operator is IGNORE:
        missing = np.where(first == second, ANY, second)
        if (missing != ANY).any():
            raise ValueError(f"IGNORE {phrase_of(missing, vocabulary)!r}: that is no part of {one!r}")
        if (first == second).all():
            raise ValueError(f"{one!r} IGNORE {other!r} leaves nothing")
    elif not (first == second)[first != ANY].any():
        raise ValueError(f"{one!r} and {other!r} have nothing IN COMMON")
    return operator.combine(first, second)


def _check_one_value(factor: int, first: int, second: int, vocabulary: Vocabulary) -> None:
    if first not in (ANY, second):
        one, other = (_name(factor, value, vocabulary) for value in (first, second))
        what = list(vocabulary.sizes)[factor]
        raise ValueError(f"{one!r} and {other!r} contradict each other: an image has one {what}")


def _name(factor: int, value: int, vocabulary: Vocabulary) -> str:
    return vocabulary.names[vocabulary.starts[factor] + value]


def _example(vocabulary: Vocabulary) -> str:
    return ", ".join(_name(factor, 0, vocabulary) for factor in range(min(2, len(vocabulary.sizes))))
