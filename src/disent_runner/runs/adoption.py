"""A run that lies where one may only read, gone on with in a folder of one's own."""

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from disent_runner.machine.digests import file_sha256
from disent_runner.machine.files import appearing
from disent_runner.runs import checksums, codes, record, scores, train_log
from disent_runner.runs.checkpoint_files import newest_checkpoint
from disent_runner.runs.identity import setting

log = logging.getLogger(__name__)


def adopt(run: Path, folder: Path) -> None:
    """Bring into the folder what the run has: its record, log, numbers, codes and newest checkpoint.

    What the folder has already is kept. Nothing is written beside the run. Raises ValueError where the folder holds
    another one, or other weights of it, and where what it was made from is damaged.
    """
    newest = newest_checkpoint(run)
    if record.has_record(folder):
        _check_same(run, folder, newest)
        return
    needed = {name: checksums.read_file(run, name) for name in record.FILES if (run / name).is_file()}
    if newest is not None:
        name = f"{newest.parent.name}/{newest.name}"
        needed[name] = checksums.read_file(run, name, most=newest.stat().st_size)
    if (run / codes.FILE).is_file():
        with appearing(folder / codes.FILE) as partial:
            shutil.copyfile(run / codes.FILE, partial)
    growing = train_log.FILE
    checksums.write_files(folder, _undamaged(run, (growing, scores.FILE)) | needed, growing=[growing])
    log.info("%s is not written to; what it has is in %s now, where this goes on", run, folder)


def _undamaged(run: Path, names: tuple[str, ...]) -> dict[str, bytes]:
    """Files that one can do without."""
    contents = {}
    for name in names:
        try:
            contents[name] = checksums.read_file(run, name)
        except FileNotFoundError:
            continue
        except ValueError as error:
            log.warning("%s is left where it is: %s", run / name, error)
    return contents


def _check_same(run: Path, folder: Path, newest: Path | None) -> None:
    before, asked = (_owner(record.named_record(place)) for place in (folder, run))
    if before != asked:
        raise ValueError(f"{folder} holds the run {before}, other than {run}; choose another output_root")
    own = None if newest is None else folder / newest.parent.name / newest.name
    if own is not None and newest is not None and own.exists() and file_sha256(own) != file_sha256(newest):
        raise ValueError(f"{folder} holds other weights of {newest.stem} than {run}; choose another output_root")


def _owner(recorded: Mapping[str, Any]) -> str:
    return f"{setting(recorded, 'run.id')} seed={recorded.get('seed')}"
