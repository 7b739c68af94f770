"""Names that others gave, such as those of factors, as labels in a picture."""

from disent_runner.machine.texts import printable


def as_label(text: str, most: int = 40) -> str:
    """The text in one line of no more than so many characters; a dollar in it begins no formula."""
    return printable(text, most).replace("$", r"\$")
