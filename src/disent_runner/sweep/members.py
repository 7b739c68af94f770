"""The run folders of a sweep, as its sweep.json names them."""

from collections.abc import Iterator
from pathlib import Path, PurePath

from disent_runner.machine.files import read_json


def members_of(folder: Path) -> list[Path]:
    """The run folders of the sweep whose sweep.json lies in the folder, without what they stand on; none without one.

    They lie in the folder that holds `sweeps/`, wherever that was moved to; a sweep.json that was sent leads nowhere
    else. Raises ValueError where it is damaged, or names a folder that is not there.
    """
    path = folder / "sweep.json"
    if not path.is_file() or path.is_symlink():
        return []
    sweep, root = read_json(path, default={}), folder.resolve().parent.parent
    try:
        return [_found(PurePath(str(run["folder"])), root) for run in sweep["runs"] if not run.get("role")]
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path} is damaged ({error} is missing or something else)") from None


def _found(recorded: PurePath, root: Path) -> Path:
    """Where a run lies now: by the longest end of its path that is there below the root."""
    if ".." not in recorded.parts:
        for place in _places(recorded, root):
            if place.is_dir() and place.resolve().is_relative_to(root):
                return place
    raise ValueError(f"its run {recorded} is not in {root}; name the folders of its runs instead")


def _places(recorded: PurePath, root: Path) -> Iterator[Path]:
    if recorded.is_relative_to(root):
        yield Path(recorded)
    parts = recorded.parts[1:] if recorded.is_absolute() else recorded.parts
    yield from (root.joinpath(*parts[first:]) for first in range(len(parts)))
