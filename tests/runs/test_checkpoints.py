import os
import pickle
import random

import numpy as np
import pytest
import torch

from disent_runner.runs.checkpoint_files import checkpoint_path
from disent_runner.runs.checkpoints import (
    load_checkpoint,
    load_newest_checkpoint,
    random_states,
    restore_random_states,
    save_checkpoint,
)


def state(step: int):
    return {"step": step, "model": {"weight": torch.full((3,), float(step))}, "optimizers": [], "interval": []}


class Malicious:
    def __reduce__(self):
        return os.mkdir, ("unpickled",)


def test_the_newest_two_are_kept(tmp_path):
    for step in (10, 20, 30):
        save_checkpoint(tmp_path, state(step))
    assert [path.name for path in sorted((tmp_path / "checkpoints").iterdir())] == [
        "step=000000020.pt",
        "step=000000030.pt",
    ]
    newest = load_newest_checkpoint(tmp_path)
    assert newest is not None
    assert newest["step"] == 30
    assert newest["model"]["weight"].tolist() == [30.0, 30.0, 30.0]


def test_no_checkpoint_is_none(tmp_path):
    assert load_newest_checkpoint(tmp_path) is None


@pytest.mark.parametrize("damage", ["cut", "empty", "flipped"])
def test_a_torn_newest_falls_back_to_the_one_before(tmp_path, caplog, damage):
    for step in (10, 20):
        save_checkpoint(tmp_path, state(step))
    path = checkpoint_path(tmp_path, 20)
    content = bytearray(path.read_bytes())
    where = content.find(torch.full((3,), 20.0).numpy().tobytes())
    content[where] ^= 0xFF
    path.write_bytes({"cut": content[:-100], "empty": b"", "flipped": content}[damage])
    newest = load_newest_checkpoint(tmp_path)
    assert newest is not None
    assert newest["step"] == 10
    assert "is torn" in caplog.text


def test_a_checkpoint_of_before_schedules_is_read(tmp_path):
    save_checkpoint(tmp_path, {**state(3), "schedules": [{"last_epoch": 3}]})
    assert load_checkpoint(checkpoint_path(tmp_path, 3))["schedules"] == [{"last_epoch": 3}]
    save_checkpoint(tmp_path, state(4))
    assert "schedules" not in load_checkpoint(checkpoint_path(tmp_path, 4))


def test_when_all_are_torn_it_says_so(tmp_path):
    save_checkpoint(tmp_path, state(10)).write_bytes(b"PK")
    with pytest.raises(ValueError, match=r"no checkpoint in .* is whole; delete that folder"):
        load_newest_checkpoint(tmp_path)


@pytest.mark.parametrize("kind", ["pickle", "torch", "other keys"])
def test_a_foreign_file_is_refused_and_never_unpickled(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    path = checkpoint_path(tmp_path, 10)
    path.parent.mkdir()
    if kind == "pickle":
        path.write_bytes(pickle.dumps(Malicious()))
    else:
        torch.save(Malicious() if kind == "torch" else {"state_dict": {}}, path)
    with pytest.raises(ValueError, match=r"is not a checkpoint of this program .*delete it"):
        load_newest_checkpoint(tmp_path)
    assert not (tmp_path / "unpickled").exists()


def test_random_states_come_back_through_a_file(tmp_path):
    save_checkpoint(tmp_path, state(1))
    drawn = random.random(), np.random.rand(), torch.rand(3)  # noqa: NPY002
    loaded = load_newest_checkpoint(tmp_path)
    assert loaded is not None
    restore_random_states(loaded["random"])
    assert random.random() == drawn[0]
    assert np.random.rand() == drawn[1]  # noqa: NPY002
    assert torch.equal(torch.rand(3), drawn[2])


def test_states_hold_no_objects_that_need_unpickling():
    def kinds(value):
        if isinstance(value, dict):
            return set().union(*map(kinds, value.values()))
        if isinstance(value, list | tuple):
            return set().union(set(), *map(kinds, value))
        return {type(value)}

    assert kinds(random_states()) <= {torch.Tensor, int, float, type(None)}
