"""`disent-report FOLDER…`: many run folders become one table, plots and a page."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from disent_runner.commands.completion import completed, folders, offer
from disent_runner.commands.options import Arguments, path, version_text, without_comment
from disent_runner.machine.files import check_working_folder
from disent_runner.machine.output import forgiving_output
from disent_runner.machine.texts import printable

_EPILOG = """
It writes runs.csv (every number of every run), table.csv, table.md and
table.tex (mean ± std over seeds), udr.csv, udr_correlation.csv, udr_choice.csv,
variance_explained.csv, transfer.csv (between data sets), left_out.csv (what
does not count, and why), plots/ and index.html, a page with all of it.

examples:
  disent-report outputs                                 into outputs/report
  disent-report outputs/dsprites/betavae old/dsprites   into ./report
  disent-report outputs --out paper/results
  disent-report outputs/sweeps/*                        the runs of these sweeps
  disent-report outputs --watch                         how far the sweeps are
"""


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    command = Arguments(
        prog="disent-report",
        description="Make one table, plots and a page of many run folders, which are only read.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("--version", action="version", version=version_text())
    completed(
        folders,
        command.add_argument(
            "folders", nargs="+", type=path, metavar="FOLDER", help="run folders, or what they lie below"
        ),
        command.add_argument(
            "--out", type=path, help="where to write (default: FOLDER/report, or ./report for several folders)"
        ),
    )
    command.add_argument(
        "--watch", action="store_true", help="only show how far the sweeps in the folders are, as they go on"
    )
    return command


def main(arguments: Sequence[str] | None = None) -> None:
    """Exit code 0 when the report is written, 1 after a mistake or without a run that can be used."""
    forgiving_output()
    command = parser()
    offer(command)
    options = command.parse_args(without_comment(sys.argv[1:] if arguments is None else arguments))
    if options.watch and options.out is not None:
        command.error("--watch only shows, and --out is where a report is written; leave one of them out")
    try:
        check_working_folder()
        show_sweeps(options.folders) if options.watch else write(options.folders, options.out)
    except KeyboardInterrupt:
        print("disent-report: interrupted", file=sys.stderr)
        sys.exit(130)
    except (OSError, ValueError, RuntimeError) as error:  # the last where a process of its own was killed
        print(f"disent-report: {printable(' '.join(str(error).split()))}", file=sys.stderr)
        sys.exit(1)


def show_sweeps(folders: Sequence[Path]) -> None:
    """Until all of their runs have ended."""
    from disent_runner.sweep.watch import watch

    watch(folders)


def write(folders: Sequence[Path], out: Path | None) -> None:
    """Read, write all files, and say what came out.

    Raises FileNotFoundError for a folder that is not there, FileExistsError for a file where to write, PermissionError
    where one may only read, ValueError where no run can be used.
    """
    for folder in folders:
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder}: no such folder; name run folders, or a folder that they lie below")
    if len({folder.is_absolute() for folder in folders}) > 1:
        folders = [folder.absolute() for folder in folders]  # the page names runs by where they lie below all of them
    if out is None:
        out = folders[0] / "report" if len(folders) == 1 else Path("report")
        if out.is_symlink():
            raise FileExistsError(f"{out}: a link is in the way, and may lead anywhere; name another folder: --out DIR")
    if not os.access(next(place for place in (out, *out.absolute().parents) if place.exists()), os.W_OK):
        raise PermissionError(f"{out} cannot be written; name another folder to write to: --out DIR")
    if out.exists() and not out.is_dir():
        raise FileExistsError(f"{out}: a file is in the way; name another folder to write to: --out DIR")

    from disent_runner.report.making import make

    report = make(folders, out)
    from disent_runner.report.page.page import write_page
    from disent_runner.report.terminal import say

    write_page(report, out)
    say(report, out)
