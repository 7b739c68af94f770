"""What models and metrics may know of a data set."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class DatasetInfo:
    """The facts of a data set; image `i` is row `i` of its factor space, last factor fastest."""

    name: str
    image_shape: tuple[int, int, int]
    """(channel, height, width)"""
    factors: Mapping[str, int]
    """name -> number of values, in file order"""
    num_images: int
    source: str
    """"official", "rendered", …: also a column of every table"""
    periods: Mapping[str, int] = field(default_factory=dict)
    """cyclic factor -> after how many steps of its value the image is the same again"""
    binned: Mapping[str, int] | None = None
    """continuous factor -> number of bins that its labels were put into; None for labels that needed no conversion"""
    value_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """factor -> what each of its values is called, where they have names"""
