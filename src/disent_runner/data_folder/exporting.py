"""`disent-data export`: images and factors in one npz or HDF5 file, for other people's programs."""

import math
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8

from disent_runner.assembly.dataset_choice import Choice, open_choice
from disent_runner.data_folder.writers import WRITERS
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.labels.label_table import UNKNOWN
from disent_runner.datasets.layout import Labels, Layout
from disent_runner.machine.files import new_file, refuse_existing

_BYTES_AT_ONCE = 2**22


def export(choice: Choice, path: Path) -> Dataset:
    """The data set as written: in the layout of its published file, if it has one and the images are not transformed.

    Else as `dataset=custom` reads it: `images` (N, H, W) or (N, H, W, C), `factors` (N, K) and `factor_names`.
    ValueError for another kind of file, FileExistsError where it is there already, OSError where it cannot be written.
    """
    if path.suffix not in WRITERS:
        raise ValueError(f"{path} must end in {', '.join(WRITERS)}")
    refuse_existing(path)
    whole = open_choice(choice)
    dataset = whole.subset(choice.subset)
    published = choice.card.layout
    layout = published if published is not None and choice.transform.is_identity else PLAIN
    beside = layout.beside(labels_of(dataset, whole))
    with closing(_with_bar(_ahead(blocks(dataset, layout.white)), dataset)) as images, new_file(path) as partial:
        writer = WRITERS[path.suffix]
        _in_a_thread(lambda blocks: writer(partial, layout.images, shape_of(dataset), blocks, beside), images)
    return dataset


def labels_of(dataset: Dataset, whole: Dataset) -> Labels:
    """The labels of a data set that is a subset of the whole one, or all of it."""
    everything = np.arange(len(dataset))
    rows = everything if dataset.rows is None else dataset.rows.numpy()
    return Labels(
        sizes=dataset.info.factors,
        classes=dataset.space.factors(everything),
        originals=whole.space.factors(rows),
        source=dataset.info.source,
    )


def shape_of(dataset: Dataset) -> tuple[int, ...]:
    """Of the array of all images: (N, H, W), with a last axis for channels where there are several."""
    channels, height, width = dataset.info.image_shape
    return (len(dataset), height, width) if channels == 1 else (len(dataset), height, width, channels)


def blocks(dataset: Dataset, white: int) -> Iterator[UInt8[np.ndarray, "image ..."]]:
    """The images in order, in which a full pixel is `white`, in blocks of a few megabytes."""
    shape = shape_of(dataset)
    step = max(1, _BYTES_AT_ONCE // math.prod(shape[1:]))
    for start in range(0, len(dataset), step):
        images = dataset.gather(torch.arange(start, min(start + step, len(dataset))))
        pixels = images.mul_(white).round_().byte().permute(0, 2, 3, 1)
        yield np.ascontiguousarray(pixels.numpy()).reshape(-1, *shape[1:])


def _plain(labels: Labels) -> Mapping[str, np.ndarray]:
    if not labels.sizes:
        return {}
    is_known = labels.classes != UNKNOWN
    classes = labels.classes if is_known.all() else np.where(is_known, labels.classes, np.nan)
    return {"factors": classes, "factor_names": np.array(list(labels.sizes))}


PLAIN = Layout("images", _plain)


def _in_a_thread(write: Callable[[Iterable[np.ndarray]], None], images: Iterator[np.ndarray]) -> None:
    """`write(images)`, ended by Ctrl-C before its next block.

    HDF5 calls Python to write; in the main thread an interruption would be raised in there, and lost.
    """
    is_over = threading.Event()

    def until_it_is_over() -> Iterator[np.ndarray]:
        for block in images:
            if is_over.is_set():
                raise KeyboardInterrupt
            yield block

    with ThreadPoolExecutor(1) as thread:
        writing = thread.submit(write, until_it_is_over())
        try:
            writing.result()
        finally:
            is_over.set()


def _ahead(images: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """The same blocks, each made while the one before it is compressed.

    In another thread, which has memory of its own: large arrays between HDF5's small ones would leave gaps for good.
    """
    with ThreadPoolExecutor(1) as thread:
        following = thread.submit(next, images, None)
        while (block := following.result()) is not None:
            following = thread.submit(next, images, None)
            yield block


def _with_bar(images: Iterator[np.ndarray], dataset: Dataset) -> Generator[np.ndarray, None, None]:
    from rich.markup import escape
    from rich.progress import TaskProgressColumn, TimeRemainingColumn

    from disent_runner.machine.bars import Bars

    with Bars(TaskProgressColumn(), TimeRemainingColumn()) as bar:
        task = bar.add_task(f"{escape(dataset.info.name)}: images", total=len(dataset))
        for block in images:
            yield block
            bar.update(task, advance=len(block))
