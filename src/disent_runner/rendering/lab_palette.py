"""The sixteen colours of the walls, floors and objects of `lab`, each at least 20 from all others in CIE Lab."""

from collections.abc import Mapping
from types import MappingProxyType

LAB_PALETTE: Mapping[str, tuple[int, int, int]] = MappingProxyType(
    {
        "red": (222, 30, 36),
        "orange": (255, 140, 0),
        "yellow": (255, 222, 30),
        "lime": (160, 236, 40),
        "green": (16, 150, 56),
        "teal": (0, 118, 124),
        "cyan": (70, 228, 236),
        "azure": (44, 150, 250),
        "blue": (30, 60, 214),
        "violet": (128, 60, 190),
        "magenta": (226, 44, 214),
        "pink": (255, 166, 196),
        "brown": (128, 76, 34),
        "white": (248, 248, 248),
        "grey": (142, 142, 142),
        "black": (46, 46, 46),
    }
)
FOUR_COLOURS = ("red", "green", "blue", "yellow")
