"""A report from run folders, and all its files but the page."""

import gc
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from disent_runner.report import tables, udr
from disent_runner.report.headlines import directions, headline_numbers
from disent_runner.report.notes import notes
from disent_runner.report.plots import MOST_VIEWS, UDR_DRAWN, Plotter
from disent_runner.report.pooling import each_once, pool
from disent_runner.report.report import Report
from disent_runner.report.runs import read_runs
from disent_runner.report.settings import described
from disent_runner.report.views import views_of
from disent_runner.run_folder import write_whole

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


def _processes() -> ProcessPoolExecutor:
    ignore_interrupts = (signal.SIGINT, signal.SIG_IGN)  # this process says that it was interrupted
    return ProcessPoolExecutor(_PROCESSES, initializer=signal.signal, initargs=ignore_interrupts)


def make(folders: Sequence[Path], out: Path) -> Report:
    """Read the runs below the folders and write tables and plots into `out`.

    Raises ValueError where no run can be used.
    """
    with _no_search_for_garbage():
        found, damaged = read_runs(folders)
    once, copies = each_once(found)
    left_out = sorted([*damaged, *copies], key=lambda each: each.folder)
    if not once:
        first = f"; {left_out[0].folder}: {left_out[0].reason}" if left_out else ""
        raise ValueError(f"no run that can be used in {', '.join(map(str, folders))}{first}")
    runs = described(once)
    settings = pool(runs)
    metrics = headline_numbers(runs)
    better = {number: direction for number, direction in directions(runs).items() if number in metrics}
    views, not_drawn = views_of(settings, list(metrics), better, most=MOST_VIEWS)
    table = tables.mean_table(settings, metrics)
    formatted = tables.formatted_table(table)
    best = tables.best_cells(formatted, table, settings, metrics, better)
    with _processes() as processes:
        finish_udr = udr.start_udr(runs, processes)
        plots = Plotter(processes, out / "plots")
        plots.start(views)
        every_number = tables.runs_csv(runs)
        of_settings, without_codes = finish_udr()
        plots.start_udr(views, {each.run.folder: each.values[UDR_DRAWN] for group in of_settings for each in group})
        correlations = udr.correlations(udr.pairs(of_settings, settings, metrics))
        said = [*notes(runs, settings), *without_codes, *not_drawn]
        written = {
            "runs.csv": every_number,
            "table.csv": tables.table_csv(table),
            "table.md": tables.markdown(formatted, best, better),
            "table.tex": tables.latex(formatted, best, better),
            "left_out.csv": tables.left_out_csv(left_out, said),
            "udr.csv": udr.udr_csv(of_settings),
            "udr_correlation.csv": correlations.to_csv(index=False, lineterminator="\n"),
        }
        for name, text in written.items():
            write_whole(out / name, text)
        drawn = plots.finish()
    return Report(
        runs=runs,
        settings=settings,
        left_out=left_out,
        notes=said,
        table=table,
        formatted=formatted,
        best=best,
        directions=better,
        plots=drawn,
        udr=udr.medians(of_settings),
        udr_correlation=correlations,
        version=version("disent-runner"),
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
