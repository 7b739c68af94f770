"""`disent-data list`: one row for each data set, from its card alone; no image is opened, and torch stays away."""

import shutil
import sys
from pathlib import Path

from disent_runner.assembly.conf import CONF
from disent_runner.assembly.dataset_choice import Choice, choices
from disent_runner.assembly.mistakes import in_one_line
from disent_runner.data_folder import wording
from disent_runner.datasets.card import RENDERED, file_name
from disent_runner.machine.files import size_text
from disent_runner.machine.markdown import markdown_table
from disent_runner.machine.texts import hanging

HEADS = ("data set", "images", "image", "factors", "source", "licence", "here")


def rows(data_dir: Path | None = None, config_dir: Path | None = None) -> list[tuple[str, ...]]:
    """What HEADS name, of every data set; where there is no card without further settings, only why."""
    return [(name, *_facts(choice)) for name, choice in choices(data_dir, config_dir)]


def state(choice: Choice) -> str:
    """What of the data set is in the data folder."""
    card = choice.card
    try:
        origin = card.choose(choice.data_dir, choice.source)
    except FileNotFoundError:
        has_url = any(file.url for origin in card.origins for file in origin.files)
        return "missing; prepare downloads it" if has_url else "missing"
    path = choice.data_dir / file_name(card, origin, choice.transform)
    if path.exists():
        return f"{origin.source}, converted: {size_text(path.stat().st_size)}"
    return "rendered when needed" if origin.source == RENDERED else f"{origin.source} files"


def markdown(data_dir: Path | None = None, config_dir: Path | None = None) -> str:
    """The table without what is here, each name with a link to the data set's home."""
    lines = []
    for name, choice in choices(data_dir, config_dir):
        facts = _facts(choice)
        if isinstance(choice, Exception):
            lines.append((f"`{name}`", *facts))
            continue
        card = choice.card
        title = f"[{card.title}]({card.homepage})" if card.homepage.startswith("http") else card.title
        lines.append((f"`{name}`", title, *facts[:-1]))
    return markdown_table(("data set", "what", *HEADS[1:-1]), lines).rstrip()


def say(data_dir: Path | None = None, config_dir: Path | None = None) -> None:
    """Print the table; where the terminal is too narrow for it, in two lines a data set."""
    lines = [HEADS, *rows(data_dir, config_dir)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    columns = shutil.get_terminal_size().columns
    if sys.stdout.isatty() and sum(widths) + 2 * len(widths) > columns:
        for name, images, image, factors, *others, presence in lines:
            start = f"{name:<{widths[0]}}  "
            print(hanging(f"{start}{images:>{widths[1]}}  {image:<{widths[2]}}  ", presence, columns))
            if facts := "; ".join(text for text in (factors, *others) if text):
                print(hanging(" " * len(start), facts, columns))
        return
    for name, images, *others in lines:
        rest = "  ".join(f"{text:<{width}}" for text, width in zip(others, widths[2:], strict=True))
        print(f"{name:<{widths[0]}}  {images:>{widths[1]}}  {rest}".rstrip())


def _facts(choice: Choice | Exception) -> tuple[str, ...]:
    if isinstance(choice, Exception):
        return ("", "", "", "", "", in_one_line(choice, CONF))
    card = choice.card
    return (
        wording.number(card.num_images),
        wording.image(choice.image_shape),
        wording.factors(card.factors),
        wording.sources(card),
        card.licence,
        state(choice),
    )
