"""Memory settings that the program makes for itself."""

import ctypes
import sys
from contextlib import suppress

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3
_MIB = 1 << 20


def keep_freed_blocks() -> None:
    """Tell glibc to keep what training frees at every step instead of returning it to the kernel.

    Activations are large blocks: by default each step maps and unmaps them anew, a quarter of the time of a
    convolutional step on the CPU. Without glibc this does nothing.
    """
    if not sys.platform.startswith("linux"):
        return
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(_M_MMAP_THRESHOLD, 32 * _MIB)  # the largest that glibc takes
        libc.mallopt(_M_TRIM_THRESHOLD, 512 * _MIB)
        libc.mallopt(_M_TOP_PAD, 64 * _MIB)
