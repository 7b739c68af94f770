"""Where a run goes that lies where one may only read."""

import os
import re
from pathlib import Path

from disent_runner.machine.digests import file_sha256
from disent_runner.machine.texts import file_stem
from disent_runner.runs import record
from disent_runner.runs.identity import setting

_ID = re.compile(r"[0-9a-f]{8}")


def place_of(run: Path) -> Path:
    """Where the run goes below an output_root: as when it was made there, in names that lead nowhere else.

    Raises ValueError for a damaged config.yaml.
    """
    recorded = record.named_record(run)
    names = [str(setting(recorded, f"run.{key}") or "unknown") for key in ("data_name", "model_name")]
    own_id = str(setting(recorded, "run.id"))
    if not _ID.fullmatch(own_id):
        own_id = file_sha256(run / record.FILE)[:8]
    seed = recorded.get("seed")
    return Path(*map(file_stem, names), own_id, f"seed={seed if type(seed) is int else 'unknown'}")


def may_be_written(folder: Path) -> bool:
    """Whether this user may, and the disk lets anyone."""
    return os.access(folder, os.W_OK)
