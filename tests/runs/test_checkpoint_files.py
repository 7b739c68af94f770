import zipfile
from pathlib import Path

import pytest

from disent_runner.runs.checkpoint_files import (
    checkpoint_path,
    checkpoint_paths,
    is_whole,
    newest_checkpoint,
    remove_torn,
)


def archive(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("numbers", bytes(range(256)))
    return path


def test_checkpoints_are_those_named_by_their_step_the_newest_first(tmp_path):
    assert newest_checkpoint(tmp_path) is None
    made = [archive(checkpoint_path(tmp_path, step)) for step in (5, 100_000, 70)]
    (made[0].parent / "step=7.pt.partial").touch()
    (made[0].parent / "notes.txt").touch()
    assert checkpoint_paths(tmp_path) == [made[1], made[2], made[0]]
    assert newest_checkpoint(tmp_path) == made[1]


@pytest.mark.parametrize(
    "damage", [lambda content: content[:150], lambda content: content.replace(b"\x40", b"\x41", 1)]
)
def test_an_archive_that_lost_or_changed_a_byte_is_not_whole(tmp_path, damage):
    path = archive(checkpoint_path(tmp_path, 5))
    assert is_whole(path)
    path.write_bytes(damage(path.read_bytes()))
    assert not is_whole(path)


def test_checkpoints_of_which_none_is_whole_are_removed_and_else_none(tmp_path):
    assert not remove_torn(tmp_path)
    paths = [archive(checkpoint_path(tmp_path, step)) for step in (5, 10)]
    paths[1].write_bytes(paths[1].read_bytes()[:100])
    assert not remove_torn(tmp_path)
    assert all(path.exists() for path in paths)
    paths[0].write_bytes(b"")
    assert remove_torn(tmp_path)
    assert not checkpoint_paths(tmp_path)
