"""Published files from where they are published: checked, resumed where they broke off, once for all processes."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pooch
import requests
import urllib3
from rich.progress import DownloadColumn, TimeRemainingColumn, TransferSpeedColumn

from disent_runner.datasets.card import PublishedFile
from disent_runner.machine.bars import Bars
from disent_runner.machine.files import explained, require_room, size_text
from disent_runner.machine.turns import in_turn

PAUSES = (1.0, 3.0, 9.0)
"""Seconds before each new attempt; an attempt that brought more of the file is not counted."""

TIMEOUTS = (10, 60)
"""Seconds to wait for a connection, and for the next bytes."""

_BYTES_AT_ONCE = 2**20
_WORTH_ANOTHER_ATTEMPT = {408, 425, 429, 500, 502, 503, 504}


class _Refused(Exception):
    """An answer that will be the same the next time."""


class _BrokenOff(Exception):
    """An answer that ended too soon, or does not continue where it was asked to."""


def download(file: PublishedFile, target: Path, *, check_hash: bool = True, pauses: Sequence[float] = PAUSES) -> None:
    """The file of `file.url` at `target`, unless it is there already; what has come is kept beside it as a .part.

    ConnectionError where it does not come, ValueError where its hash is not the published one, OSError where it cannot
    be written.
    """
    if file.url is None:
        raise ValueError(f"{file.name} has no url")
    part = target.with_name(f"{target.name}.part")
    pooch.get_logger().setLevel("WARNING")

    def downloader(url: str, output_file: str, pooch: Any) -> None:
        with explained(part, "make room there or choose another data folder"):
            _fetch(url, part, target, pauses)
            part.replace(output_file)  # which keeps the permissions that files have here, unlike the temporary file's

    with explained(target, "make room there or choose another data folder"):
        target.parent.mkdir(parents=True, exist_ok=True)
        with in_turn(target):
            if target.exists():
                return
            try:
                known_hash = file.digest if check_hash else None
                pooch.retrieve(
                    file.url,
                    known_hash,
                    fname=target.name,
                    path=target.parent,
                    downloader=downloader,  # pyright: ignore[reportArgumentType] its type is not what is called
                )
            except ValueError as error:
                seen = str(error).partition(". Deleted")[0]
                raise ValueError(
                    f"{file.url} is not the published file ({seen}); it was removed: run the same command again, "
                    f"or set dataset.check_hash=false if you know that it has been replaced"
                ) from error


def _fetch(url: str, part: Path, target: Path, pauses: Sequence[float]) -> None:
    """All of the file in `part`, in as many attempts as it takes while they bring something."""
    left = list(pauses)
    while True:
        before = _size(part)
        try:
            return _continue(url, part)
        except (requests.RequestException, urllib3.exceptions.HTTPError, _Refused, _BrokenOff) as error:
            if _size(part) > before:
                left = list(pauses)
            if isinstance(error, _Refused) or not left:
                again = (
                    "" if isinstance(error, _Refused) else "run the same command again, which goes on from there, or "
                )
                raise ConnectionError(
                    f"{url} cannot be downloaded ({_reason(error)}; {size_text(_size(part))} are here); "
                    f"{again}put the file at {target} yourself"
                ) from error
            time.sleep(left.pop(0))


def _continue(url: str, part: Path) -> None:
    """Appends to `part` what it lacks, in one request; starts again where the server cannot continue."""
    start = _size(part)
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUTS) as answer:
        if answer.status_code == requests.codes.requested_range_not_satisfiable and start:
            if _total(answer) == start:
                return
            part.unlink()
            raise _BrokenOff(f"it is shorter than the {start} bytes that were here")
        if not answer.ok:
            kind = _BrokenOff if answer.status_code in _WORTH_ANOTHER_ATTEMPT else _Refused
            raise kind(f"{answer.status_code} {answer.reason}")
        continues = answer.status_code == requests.codes.partial_content
        if continues and not answer.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            raise _BrokenOff(f"asked from byte {start}, got {answer.headers.get('Content-Range')}")
        done, total = start if continues else 0, _total(answer)
        require_room(part.parent, 0 if total is None else total - start)
        with part.open("ab" if continues else "wb") as file, _bar(part, done, total) as advance:
            # the bytes as they come: a .gz that is announced as compressed is to stay so
            for piece in answer.raw.stream(_BYTES_AT_ONCE, decode_content=False):
                file.write(piece)
                advance(len(piece))
    if total is not None and _size(part) != total:
        raise _BrokenOff(f"the answer ended after {_size(part)} of {total} bytes")


def _total(answer: requests.Response) -> int | None:
    """Bytes of the whole file, where the server says."""
    length = answer.headers.get("Content-Length")
    if "Content-Range" in answer.headers:
        length = answer.headers["Content-Range"].rpartition("/")[2]
    return int(length) if length is not None and length.isdecimal() else None


def _reason(error: Exception) -> str:
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return f"no answer for {TIMEOUTS[1]} seconds"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not trusted here"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    if isinstance(error, urllib3.exceptions.HTTPError):
        return "the connection broke"
    return str(error)


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


@contextmanager
def _bar(part: Path, done: int, total: int | None) -> Iterator[Any]:
    """Shows on a terminal how far the file is; what it gives is to be called with the number of new bytes."""
    with Bars(DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()) as bar:
        task = bar.add_task(part.name.removesuffix(".part"), total=total, completed=done)
        yield lambda count: bar.update(task, advance=count)
