import importlib

import pytest

from disent_runner.machine.moved import ROOMS


@pytest.mark.parametrize(("room", "name"), [(room, name) for room, names in ROOMS.items() for name in names.split()])
def test_a_module_is_found_by_its_earlier_name_and_is_the_same(room, name):
    now = importlib.import_module(f"disent_runner.{room}.{name}")
    before = importlib.import_module(f"disent_runner.{room.partition('.')[0]}.{name}")
    assert before is now
    assert now.__spec__ is not None
    assert now.__spec__.name == now.__name__ == f"disent_runner.{room}.{name}"


def test_what_never_was_is_not_found():
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("disent_runner.datasets.nothing")
