"""`disent-data`: which data sets there are, and all that is done to their files."""

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from disent_runner.commands.completion import completed, datasets, folders, offer, settings, sources
from disent_runner.commands.options import Arguments, folder, path, version_text, without_comment
from disent_runner.machine.files import check_working_folder
from disent_runner.machine.output import forgiving_output
from disent_runner.machine.texts import printable

if TYPE_CHECKING:
    from disent_runner.assembly.dataset_choice import Choice

_EPILOG = """
examples:
  disent-data list
  disent-data list --config-dir DIR                   those of DIR/dataset/ too
  disent-data prepare dsprites                        downloads it
  disent-data prepare dsprites --source rendered      makes the same images
  disent-data prepare shapes3d dataset.image_size=32  settings of disent-run
  disent-data verify dsprites
  disent-data info custom dataset.path=mine.npz       or a folder of pictures
  disent-data export dsprites dsprites.npz            in the published layout
  disent-data export dsprites small.h5 'dataset.subset={scale: 2}'
"""

Command = Callable[[argparse.Namespace], None]


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    command_line = Arguments(
        prog="disent-data",
        description="List data sets, download or render them, check and export them.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command_line.add_argument("--version", action="version", version=version_text())
    commands = command_line.add_subparsers(required=True, metavar="COMMAND")

    def add(command: Command, what: str, *positional: str) -> argparse.ArgumentParser:
        added = commands.add_parser(command.__name__.strip("_"), help=what, description=what)
        if "DATASET" in positional:
            completed(datasets, added.add_argument("dataset", metavar="DATASET"))
        if "FILE" in positional:
            added.add_argument("file", type=path, metavar="FILE")
        if positional:
            others = added.add_argument(
                "overrides", nargs="*", default=[], metavar="key=value", help="settings, as disent-run takes them"
            )
            completed(settings, others)
        completed(
            folders,
            added.add_argument("--config-dir", type=folder, help="your own groups, as disent-run takes them"),
            added.add_argument(
                "--data-dir",
                type=folder,
                help="where official and converted files are (default: $DISENT_DATA_DIR, or data)",
            ),
        )
        added.set_defaults(command=command)
        return added

    listing = add(_list, "one row for each data set")
    listing.add_argument("--markdown", action="store_true", help="a table for a page, without what is here")
    preparing = add(_prepare, "download what is missing, and convert or render the images, once", "DATASET")
    source = preparing.add_argument(
        "--source", help="official: download it; rendered: without a download; auto: official if it has a url (default)"
    )
    completed(sources, source)
    add(_verify, "check the hashes of what is here", "DATASET")
    add(_info, "everything that is known of a data set", "DATASET")
    add(_export, "write images and factors to FILE.npz or FILE.h5", "DATASET", "FILE")
    return command_line


def main(arguments: Sequence[str] | None = None) -> None:
    """Exit code 0 when all is done and right, 1 after a mistake or where a file is wrong, 130 after Ctrl-C."""
    forgiving_output()
    asked = _parsed(without_comment(sys.argv[1:] if arguments is None else arguments))
    try:
        check_working_folder()
        asked.command(asked)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("disent-data: interrupted; run the same command again", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        if os.environ.get("HYDRA_FULL_ERROR") == "1":
            raise
        _say(error)
        sys.exit(1)


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The arguments; argparse itself takes no settings after an option."""
    command_line = parser()
    offer(command_line)
    asked, others = command_line.parse_known_args(arguments)
    if others and ("overrides" not in asked or any(other.startswith("-") for other in others)):
        command_line.error(f"unrecognized arguments: {' '.join(others)}")
    if others:
        asked.overrides = [*asked.overrides, *others]
    return asked


def _list(asked: argparse.Namespace) -> None:
    from disent_runner.data_folder import listing

    if asked.markdown:
        print(listing.markdown(asked.data_dir, asked.config_dir))
    else:
        listing.say(asked.data_dir, asked.config_dir)


def _prepare(asked: argparse.Namespace) -> None:
    source = [] if asked.source is None else [f"dataset.source={asked.source}"]
    choice = _choice(asked, *source)

    from disent_runner.data_folder import preparing

    _print(preparing.describe(choice, preparing.prepare(choice)))


def _verify(asked: argparse.Namespace) -> None:
    choice = _choice(asked)

    from disent_runner.data_folder.verifying import verify

    is_wrong = False
    for finding in verify(choice):
        line = printable(finding.line)
        if finding.is_wrong:
            print(f"disent-data: {line}", file=sys.stderr)
        else:
            print(line)
        is_wrong |= finding.is_wrong
    if is_wrong:
        sys.exit(1)


def _info(asked: argparse.Namespace) -> None:
    choice = _choice(asked)

    from disent_runner.data_folder.describing import describe

    _print(describe(choice))


def _export(asked: argparse.Namespace) -> None:
    choice = _choice(asked)

    from disent_runner.data_folder import exporting, wording

    _print(wording.stored(exporting.export(choice, asked.file).info, asked.file))


def _choice(asked: argparse.Namespace, *overrides: str) -> "Choice":
    from disent_runner.assembly.dataset_choice import choose
    from disent_runner.machine.console import Formatter, Handler

    handler = Handler()
    handler.setFormatter(Formatter("%(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("disent_runner").setLevel(logging.INFO)
    return choose(asked.dataset, [*overrides, *asked.overrides], data_dir=asked.data_dir, config_dir=asked.config_dir)


def _print(text: str) -> None:
    """Lines in which what others wrote, such as names of factors, is text."""
    print("\n".join(map(printable, text.split("\n"))))


def _say(error: Exception) -> None:
    from disent_runner.assembly.conf import CONF
    from disent_runner.assembly.mistakes import in_one_line

    print(f"disent-data: {in_one_line(error, CONF)}", file=sys.stderr)
