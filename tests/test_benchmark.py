"""The benchmark compares the same work, and its tables say what was measured."""

import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch

from disent_runner.assembly import build
from disent_runner.environments.gymnasium_worlds import VectorWorld
from disent_runner.environments.toyarena import ToyArena
from tests.models.names import learners

SCRIPTS = Path(__file__).parents[1] / "scripts"


@pytest.fixture
def loops(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(SCRIPTS / "benchmarks"), str(SCRIPTS), *sys.path])
    return import_module("loops")


@pytest.mark.slow
@pytest.mark.usefixtures("untrained_below")
@pytest.mark.parametrize("name", learners())
def test_both_loops_end_with_the_same_weights(name, loops, composed):
    """So the bare loop leaves out nothing that training needs, and does nothing that it does not."""
    config = composed(f"model={name}", "trainer.max_steps=4", "trainer.log_every=1")
    models = []
    for bare in (False, True):
        datamodule = build.build_data(config)
        model = build.build_model(config, datamodule.dataset.info)
        if bare:
            torch.manual_seed(0)
            second = loops.bare_loop(model, datamodule, device=torch.device("cpu"), precision="32-true")
        else:
            second = loops.real_loop(model, datamodule, accelerator="cpu", precision="32-true")
        assert 0 < second < 10
        models.append(dict(model.named_parameters()))
    torch.testing.assert_close(*models, rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("loops")
def test_a_row_is_a_median_with_its_spread():
    measured = import_module("measure").row("waiting", [3.0, 1.0, 2.0], "s", "on average")
    assert (measured.value, measured.low, measured.high, measured.windows) == (2.0, 1.0, 3.0, 3)
    assert import_module("benchmark").table_row(vars(measured)) == "| waiting | 2 | s | 1 … 3 | 3 | on average |"


def test_the_bare_arena_is_the_arena(monkeypatch):
    """Up to the next episode, whose places each draws in its own way."""
    monkeypatch.setattr(sys, "path", [str(SCRIPTS / "benchmarks"), *sys.path])
    many = VectorWorld(ToyArena(), 5)
    many.reset(seed=3)
    bare = import_module("agents").bare_arena(many.state())
    for actions in np.random.default_rng(0).integers(4, size=(39, 5)):
        images, rewards, _, _, info = many.step(actions)
        for mine, ours in zip(bare(actions), (images, rewards, info["factors"]), strict=True):
            np.testing.assert_array_equal(mine, ours)
    assert not many.state()["left"].all()  # something was touched
