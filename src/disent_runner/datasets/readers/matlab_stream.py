"""Arrays of bytes in MATLAB files of version 5, read piece by piece, in MATLAB's order: the first axis is the fastest.

After a text and the byte order come elements, each a kind, a size and content. A variable is an element of elements:
flags, lengths, name, values. It may lie compressed in another element.
"""

import math
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import IO

TEXT_BYTES = 128
BYTES, VARIABLE, COMPRESSED = 2, 14, 15
DOUBLE, UINT8 = 6, 9
"""Classes of arrays, the lowest byte of their flags; MATLAB stores doubles as bytes where all of them fit."""

MAX_DESCRIPTION_BYTES = 1024
PACKED_BYTES_AT_ONCE = 2**16

Read = Callable[[int], bytes]
"""The next so many bytes. EOFError where there are fewer, zlib.error where they are damaged."""


@dataclass(frozen=True, eq=False)
class ByteArray:
    """`read` gives its values one after the other, until the next array is asked for."""

    name: str
    shape: tuple[int, ...]
    read: Read


def byte_arrays(file: IO[bytes]) -> Iterator[ByteArray]:
    """The arrays of bytes in a file; what is not read of one is not decompressed either.

    ValueError where the file is none of version 5 or an array has more or fewer values than its shape, EOFError or
    zlib.error where it is damaged.
    """
    start = file.read(TEXT_BYTES)
    order = {b"IM": "<", b"MI": ">"}.get(start[TEXT_BYTES - 2 :])
    if order is None:
        raise ValueError(f"it starts with {start[:20]!r}, expected a MATLAB file of version 5")
    while tag := file.read(8):
        kind, size = _tag(tag, order)
        end = file.tell() + size
        read = _plain(file)
        if kind == COMPRESSED:
            read = _decompressed(file)
            kind, _ = _tag(read(8), order)
        if kind == VARIABLE and (array := _array(read, order)) is not None:
            yield array
        file.seek(end)


def _array(read: Read, order: str) -> ByteArray | None:
    """None for a variable that is something else."""
    flags, lengths, name = (_description(read, order) for _ in range(3))
    shape = struct.unpack_from(f"{order}{len(lengths) // 4}i", lengths)
    tag = read(8)
    kind, size = _tag(tag, order)
    if kind >> 16:  # up to four values are put where the size would be
        kind, size, read = kind & 0xFFFF, kind >> 16, _plain(BytesIO(tag[4:]))
    array_class = int.from_bytes(flags[:4], "little" if order == "<" else "big") & 0xFF
    if kind != BYTES or array_class not in (DOUBLE, UINT8):
        return None
    array = ByteArray(name.decode("ascii", "replace"), shape, read)
    if min(shape, default=0) < 0 or size != math.prod(shape):
        raise ValueError(f"{array.name} has {size} bytes for the shape {shape}")
    return array


def _description(read: Read, order: str) -> bytes:
    tag = read(8)
    kind, size = _tag(tag, order)
    if kind >> 16:
        return tag[4 : 4 + (kind >> 16)]
    if size > MAX_DESCRIPTION_BYTES:
        raise ValueError(f"it describes a variable in {size} bytes")
    return read(-(-size // 8) * 8)[:size]


def _tag(tag: bytes, order: str) -> tuple[int, int]:
    if len(tag) < 8:
        raise EOFError("it is cut off")
    return struct.unpack(f"{order}2I", tag)


def _plain(file: IO[bytes]) -> Read:
    def read(count: int) -> bytes:
        content = file.read(count)
        if len(content) < count:
            raise EOFError("it is cut off")
        return content

    return read


def _decompressed(file: IO[bytes]) -> Read:
    unpacking = zlib.decompressobj()

    def read(count: int) -> bytes:
        content = bytearray()
        while len(content) < count:
            packed = b"" if unpacking.eof else unpacking.unconsumed_tail or file.read(PACKED_BYTES_AT_ONCE)
            more = unpacking.decompress(packed, count - len(content))
            if not packed and not more:
                raise EOFError("it is cut off")
            content += more
        return bytes(content)

    return read
