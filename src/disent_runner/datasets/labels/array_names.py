"""What the arrays of a file are: by our names, or by those that other people give them."""

from collections.abc import Callable, Sequence

OTHER_NAMES = {
    "images": ("imgs", "image", "img", "data", "x", "X"),
    "factors": ("labels", "label", "targets", "target", "y", "Y", "latents_classes"),
    "codes": ("z", "latents", "embeddings"),
    "logvar": ("log_var", "logvars"),
}
"""our name -> how else such arrays are called"""


def called(name: str, names: Sequence[str], fits: Callable[[str], bool] = lambda other: True) -> str | None:
    """What the array that we call `name` is called among `names`: so itself, else by the only other name that fits.

    None where there is none, or where it could be one of several.
    """
    if name in names:
        return name
    others = _others(name, names, fits)
    return others[0] if len(others) == 1 else None


def told(name: str, names: Sequence[str], fits: Callable[[str], bool] = lambda other: True) -> list[str]:
    """The remark on an array that is not called as we call it: it is taken, or could be one of several."""
    others = [] if name in names else _others(name, names, fits)
    if len(others) > 1:
        return [f"{name} could be {' or '.join(others)}; rename the one that is meant to `{name}`"]
    return [f"{name} are those called `{other}`" for other in others]


def _others(name: str, names: Sequence[str], fits: Callable[[str], bool]) -> list[str]:
    return [other for other in OTHER_NAMES[name] if other in names and fits(other)]
