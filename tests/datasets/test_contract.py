"""Contracts of every data set in conf/dataset: what is added there is tested without an edit here."""

import math
import re
from pathlib import Path

import pytest

from disent_runner.assembly.conf import choices as names
from disent_runner.assembly.dataset_choice import Choice, choices
from disent_runner.datasets.card import OFFICIAL, RENDERED, Card

CHOICES = {name: choice for name, choice in choices() if isinstance(choice, Choice)}
NAMES = list(CHOICES)


def card_of(name: str) -> Card:
    return CHOICES[name].card


def test_every_data_set_has_a_card_as_it_stands_but_those_of_what_one_names() -> None:
    assert set(names("dataset")) - set(NAMES) == {"custom", "observations"}


def test_some_are_rendered_and_most_are_published() -> None:
    sources = [card_of(name).sources for name in NAMES]
    assert sum(RENDERED in each for each in sources) >= 8
    assert sum(OFFICIAL in each for each in sources) >= 12


@pytest.mark.parametrize("name", NAMES)
def test_the_card_says_what_there_is_to_know(name: str) -> None:
    card = card_of(name)
    assert card.title
    assert card.licence
    assert card.homepage
    assert card.name == name or card.name.startswith(f"{name}_"), "tables name the data set as the command does"
    assert card.periods.keys() <= card.factors.keys()
    for factor, called in card.value_names.items():
        assert len(called) == len(set(called)) == card.factors[factor]
        assert all(value and value == " ".join(value.split()) and "," not in value for value in called)
    if card.image_shape is not None:
        assert card.image_shape[0] in (1, 3)
    if RENDERED in card.sources:
        assert card.num_images == math.prod(card.factors.values())


@pytest.mark.parametrize("name", NAMES)
def test_hashes_and_addresses_are_well_formed(name: str) -> None:
    for origin in card_of(name).origins:
        for file in origin.files:
            assert file.digest is None or re.fullmatch(r"md5:[0-9a-f]{32}|sha256:[0-9a-f]{64}", file.digest)
            assert file.url is None or re.fullmatch(r"https?://\S+", file.url)
            assert file.url or origin.hint or origin.source != OFFICIAL or len(card_of(name).origins) > 1


@pytest.mark.parametrize("name", NAMES)
def test_what_is_missing_is_said_in_one_line(name: str, tmp_path: Path) -> None:
    card = card_of(name)
    missing = [origin for origin in card.origins if None in origin.find(tmp_path, card.name)]
    if missing:
        text = card.what_is_missing(tmp_path, missing)
        assert "\n" not in text
        assert str(tmp_path) in text
        assert all(file.name in text for file in missing[0].files)
