"""A report from run folders, and all its files but the page."""

import dataclasses
import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from disent_runner.machine.files import write_whole
from disent_runner.report import studies, tables, udr
from disent_runner.report.columns import names
from disent_runner.report.headlines import directions, headline_numbers
from disent_runner.report.notes import notes
from disent_runner.report.plots.plots import MOST_VIEWS, UDR_DRAWN, Plotter
from disent_runner.report.plots.views import views_of
from disent_runner.report.pooling import pool, without_copies
from disent_runner.report.report import Report
from disent_runner.report.run import Omission, Run
from disent_runner.report.runs import read_runs
from disent_runner.report.settings import described
from disent_runner.report.verdicts import read_verdicts

_PROCESSES = 2
"""Each draws, or compares codes, with a core of its own and some 150 MB."""


@contextmanager
def _no_search_for_garbage() -> Iterator[None]:
    """Nothing that is read becomes garbage, and of thousands of runs looking for it takes seconds."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def at_work() -> Iterator[ProcessPoolExecutor]:
    """Processes that end with this one, however that ends."""
    with ProcessPoolExecutor(_PROCESSES, initializer=_begin_work) as processes:
        try:
            yield processes
        except BaseException:
            processes.shutdown(wait=False, cancel_futures=True)
            raise


def _begin_work() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one says that it was interrupted
    threading.Thread(target=_end_with, args=(multiprocessing.parent_process(),), daemon=True).start()


def _end_with(parent: Any) -> None:
    """Killed, it can tell nobody, and those that it started would wait for work for good."""
    parent.join()
    os._exit(1)


def make(folders: Sequence[Path], out: Path) -> Report:
    """Read the runs below the folders and write tables and plots into `out`.

    Raises ValueError where no run can be used.
    """
    runs, omissions = read(folders)
    verdicts, damaged = read_verdicts(folders)
    report = dataclasses.replace(tabulated(runs, [*omissions, *damaged]), verdicts=verdicts)
    views, plot_notes = views_of(report.settings, list(report.metrics), report.directions, most=MOST_VIEWS)
    with at_work() as processes:
        finish_udr = udr.start_udr(report.runs, processes)
        plotter = Plotter(processes, out / "plots")
        plotter.start(views)
        write_whole(out / "runs.csv", tables.runs_csv(report.runs))
        groups, udr_notes = finish_udr()
        plotter.start_udr(views, {run.codes.folder: run.values[UDR_DRAWN] for group in groups for run in group})
        beside = udr.pairs(groups, report.settings, report.metrics)
        report = dataclasses.replace(
            report,
            notes=[*report.notes, *udr_notes, *plot_notes],
            udr=udr.medians(groups),
            udr_correlation=udr.correlations(beside),
            udr_choice=udr.choices(beside, report.directions),
        )
        write_whole(out / "udr.csv", udr.udr_csv(groups))
        _write_tables(report, out)
        return dataclasses.replace(report, plots=plotter.finish())


def read(folders: Sequence[Path]) -> tuple[list[Run], list[Omission]]:
    """The runs that count, each once and labelled, and the folders that do not. Raises ValueError without a run."""
    with _no_search_for_garbage():
        everything, damages = read_runs(folders)
    runs, copies = without_copies(everything)
    omissions = sorted([*damages, *copies], key=lambda omission: omission.folder)
    if not runs:
        first = f"; {omissions[0].folder}: {omissions[0].reason}" if omissions else ""
        raise ValueError(f"no run that can be used in {', '.join(map(str, folders))}{first}")
    return described(runs), omissions


def tabulated(runs: list[Run], omissions: list[Omission]) -> Report:
    """All of a report but UDR and plots, which take other processes."""
    settings = pool(runs)
    metrics = headline_numbers(runs)
    better = {number: direction for number, direction in directions(runs).items() if number in metrics}
    table = tables.mean_table(settings, metrics)
    formatted = tables.formatted_table(table)
    return Report(
        runs=runs,
        settings=settings,
        labels=names(settings),
        verdicts=[],
        omissions=omissions,
        notes=notes(runs, settings),
        metrics=metrics,
        directions=better,
        table=table,
        formatted=formatted,
        best=tables.best_cells(formatted, table, settings, metrics, better),
        plots=[],
        udr=udr.medians([]),
        udr_correlation=udr.correlations({}),
        udr_choice=udr.choices({}, {}),
        explained=studies.explained(settings, metrics),
        transfer=studies.transfer(settings, metrics, better),
        version=version("disent-runner"),
        time=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _write_tables(report: Report, out: Path) -> None:
    texts = {
        "table.csv": tables.table_csv(report.table),
        "table.md": tables.markdown(report.formatted, report.best, report.directions),
        "table.tex": tables.latex(report.formatted, report.best, report.directions),
        "left_out.csv": tables.left_out_csv(report.omissions, report.notes),
        "udr_correlation.csv": tables.frame_csv(report.udr_correlation),
        "udr_choice.csv": tables.frame_csv(report.udr_choice),
        "variance_explained.csv": tables.frame_csv(report.explained),
        "transfer.csv": tables.frame_csv(report.transfer),
    }
    for name, text in texts.items():
        write_whole(out / name, text)
