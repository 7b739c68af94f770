import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disent_runner.datasets import toylab
from disent_runner.datasets.symbols.concepts import ANY, FACTORS
from disent_runner.datasets.symbols.phrases import parse, phrase_of
from disent_runner.datasets.symbols.recombinations import AND, IGNORE, IN_COMMON, Operator
from disent_runner.datasets.symbols.vocabulary import Vocabulary, draw_vocabulary

CARD = toylab.card()
ROOMS = draw_vocabulary(
    {name: CARD.factors[name] for name in FACTORS}, synonyms=5, seed=0, value_names=CARD.value_names
)
RED, CYAN, BLUE = 0, 6, 8
PLAIN = Vocabulary({"scale": 3, "pos_x": 12})


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("red wall, hat", [RED, ANY, ANY, 0]),
        ("red wall hat", [RED, ANY, ANY, 0]),
        ("hat,red wall", [RED, ANY, ANY, 0]),
        (" Ice  Lolly ", [ANY, ANY, ANY, 1]),
        ("ice lolly cyan floor", [ANY, CYAN, ANY, 1]),
        ("wall red, identity hat", [RED, ANY, ANY, 0]),
        ("hat identity", [ANY, ANY, ANY, 0]),
        ("wall 0, object 8", [RED, ANY, BLUE, ANY]),
        ("red wall, red wall", [RED, ANY, ANY, ANY]),
        ("red wall, red floor, red object, suitcase", [RED, RED, RED, 2]),
        ("red wall, , hat,", [RED, ANY, ANY, 0]),
    ],
)
def test_a_concept(text: str, concept: list[int]) -> None:
    phrase = parse(text, ROOMS)
    assert phrase.first.tolist() == phrase.result.tolist() == [concept]
    assert phrase.operator is phrase.second is None


def test_factors_without_names() -> None:
    assert parse("scale 2, pos_x 11", PLAIN).result.tolist() == [[2, 11]]
    assert parse("pos_x 1", PLAIN).result.tolist() == [[ANY, 1]]
    with pytest.raises(ValueError, match=r"^no attribute is called 'scale 3'; did you mean 'scale [012]'\?$"):
        parse("scale 3", PLAIN)


@pytest.mark.parametrize(
    ("text", "operator", "first", "second", "result"),
    [
        ("red wall AND hat", AND, [RED, ANY, ANY, ANY], [ANY, ANY, ANY, 0], [RED, ANY, ANY, 0]),
        ("red wall, hat IGNORE hat", IGNORE, [RED, ANY, ANY, 0], [ANY, ANY, ANY, 0], [RED, ANY, ANY, ANY]),
        (
            "red wall, hat IN COMMON red wall, suitcase",
            IN_COMMON,
            [RED, ANY, ANY, 0],
            [RED, ANY, ANY, 2],
            [RED, ANY, ANY, ANY],
        ),
    ],
)
def test_operators(text: str, operator: Operator, first: list, second: list, result: list) -> None:
    phrase = parse(text, ROOMS)
    assert phrase.operator is operator
    assert phrase.second is not None
    assert (phrase.first.tolist(), phrase.second.tolist(), phrase.result.tolist()) == ([first], [second], [result])


@settings(deadline=None)
@given(st.tuples(*(st.integers(ANY, size - 1) for size in ROOMS.sizes.values())).filter(lambda row: set(row) != {ANY}))
def test_what_is_said_is_understood(row: tuple[int, ...]) -> None:
    text = phrase_of(np.array([row]), ROOMS)
    assert parse(text, ROOMS).result.tolist() == [list(row)]
    assert parse(text.replace(",", ""), ROOMS).result.tolist() == [list(row)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("redd wall", "no attribute is called 'redd wall'; did you mean 'red wall'?"),
        ("hat, cyam floor", "no attribute is called 'cyam floor'; did you mean 'cyan floor'?"),
        ("red wall sutcase", "no attribute is called 'sutcase'; did you mean 'suitcase'?"),
        ("ice loly AND red wall", "no attribute is called 'ice loly'; did you mean 'ice lolly'?"),
        (
            "elephant",
            "no attribute is called 'elephant'; they are values of wall, floor, object, identity, "
            "for example 'red wall, red floor'",
        ),
        ("red wal", "no attribute is called 'red wal'; did you mean 'red wall'?"),
        ("hat, red flor", "no attribute is called 'red flor'; did you mean 'red floor'?"),
        ("red hat", "'red' may be red wall, red floor or red object; say which"),
        ("red", "'red' may be red wall, red floor or red object; say which"),
        ("red, wall", "'red' may be red wall, red floor or red object; say which"),
        ("red object AND blue object", "'red object' and 'blue object' contradict each other: an image has one object"),
        ("red object, blue object", "'red object' and 'blue object' contradict each other: an image has one object"),
        ("hat suitcase", "'hat' and 'suitcase' contradict each other: an image has one identity"),
        ("red wall, hat AND red wall", "AND needs concepts of different factors, both name 'red wall'"),
        ("red wall IGNORE hat", "IGNORE 'hat': that is no part of 'red wall'"),
        ("red wall, hat IGNORE blue wall, hat", "IGNORE 'blue wall': that is no part of 'red wall, hat'"),
        ("hat IGNORE hat", "'hat' IGNORE 'hat' leaves nothing"),
        ("red wall IN COMMON blue wall", "'red wall' and 'blue wall' have nothing IN COMMON"),
        ("red wall IN COMMON hat", "'red wall' and 'hat' have nothing IN COMMON"),
        ("", "'' names nothing; say for example 'red wall, red floor'"),
        (" , ", "' , ' names nothing; say for example 'red wall, red floor'"),
        ("AND hat", "a side of AND names nothing; say for example 'red wall, red floor'"),
        ("hat IN COMMON", "a side of IN COMMON names nothing; say for example 'red wall, red floor'"),
        ("hat and red wall", "'and' is no attribute; operators are in capitals: AND"),
        ("hat in common hat", "'in common' is no attribute; operators are in capitals: IN COMMON"),
        ("hat AND red wall AND red floor", "has AND and AND; recombine two concepts at a time"),
        ("hat\nIGNORE\nhat AND hat", "has IGNORE and AND; recombine two concepts at a time"),
    ],
)
def test_mistakes_are_one_line(text: str, message: str) -> None:
    with pytest.raises(ValueError) as error:
        parse(text, ROOMS)
    said = str(error.value)
    assert said == message or (said.endswith(message) and "recombine" in message)
    assert "\n" not in said


def test_names_are_those_of_the_data_set() -> None:
    assert ROOMS.names[:2] == ("red wall", "orange wall")
    assert ROOMS.names[16] == "red floor"
    assert ROOMS.names[48:51] == ("hat", "ice lolly", "suitcase")
    assert ROOMS.names[51] == f"{ROOMS.names[ROOMS.synonyms[0]]}, synonym 1"
    assert len(set(ROOMS.names)) == len(ROOMS) == 56


def test_another_number_of_names_is_a_mistake() -> None:
    with pytest.raises(ValueError, match=r"^wall has 3 values and 2 names: red, blue$"):
        _ = Vocabulary({"wall": 3}, value_names={"wall": ("red", "blue")}).names
