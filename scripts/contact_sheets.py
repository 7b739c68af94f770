"""Pictures and checks of every data set that is rendered here: docs/datasets/*.png and docs/datasets/checks.md.

python scripts/contact_sheets.py              all of them, a quarter of an hour on two cores
python scripts/contact_sheets.py toylab8      some of them, and no table

A sheet has a row for each factor, in which only that factor varies. The table says how well a linear probe on raw
pixels tells each factor, by how much one step of the factor changes a picture, and how many pictures are there twice.
"""

import argparse
import io
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from rich.progress import track

from disent_runner.assembly.dataset_choice import Choice, choices, choose
from disent_runner.datasets.card import RENDERED
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.images.transform import Transform
from disent_runner.datasets.load import load
from disent_runner.figures.grid import labelled_grid
from disent_runner.machine.markdown import markdown_table

DOCS = Path("docs/datasets")
COLUMNS = 12
PROBE_SIDE = 32
NUM_TRAIN, NUM_TEST = 8000, 2000
NUM_STEPS = 256
NUM_COLOURS = 64
"""Of a sheet: a third of the bytes, and hardly to be told."""
HEAD = ("data set", "factor", "values", "chance", "linear probe", "changed pixels")


def main(names: list[str]) -> None:
    DOCS.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(2)
    rows: list[list[str]] = []
    repeats = ""
    for name in names or rendered_sets():
        dataset = opened(name)
        draw_sheet(name, dataset)
        rows += [[name, *cells] for cells in probe_rows(dataset)]
        repeats += f"- {name}: {repeated(dataset)}\n"
        print(markdown_table(HEAD, rows), repeats, sep="\n", flush=True)
    if not names:
        (DOCS / "checks.md").write_text(CHECKS.format(rows=markdown_table(HEAD, rows), repeats=repeats))


CHECKS = f"""# Checks of the rendered data sets
By `python scripts/contact_sheets.py`. The probe is ridge regression on the raw pixels of {PROBE_SIDE}x{PROBE_SIDE}
images, {NUM_TRAIN:,} for training and {NUM_TEST:,} others for the accuracy; changed pixels are the share that a step to
the next value of the factor changes by more than 2 of 255 levels, the mean over {NUM_STEPS} random steps.

{{rows}}
Pictures that are there more than once, among all images:

{{repeats}}"""


def rendered_sets() -> list[str]:
    """Those whose images go by their own name: the stand-in of another set is a set of its own."""
    found = {name: choice.card for name, choice in choices() if isinstance(choice, Choice)}
    return [name for name, card in found.items() if RENDERED in card.sources and RENDERED not in card.names]


def opened(name: str, transform: Transform | None = None) -> Dataset:
    choice = choose(name)
    return load(choice.card, data_dir=choice.data_dir, source=RENDERED, transform=transform)


def draw_sheet(name: str, dataset: Dataset) -> None:
    """From one image, one factor at a time; factors with more values than columns show evenly spaced ones."""
    rng = np.random.default_rng(1)
    sizes = dataset.space.sizes
    start = rng.integers(list(sizes.values()))
    rows = np.tile(start, (len(sizes), COLUMNS, 1))
    for row, size in enumerate(sizes.values()):
        steps = np.arange(COLUMNS)
        rows[row, :, row] = steps * size // COLUMNS if size > COLUMNS else np.minimum(steps, size - 1)
    indices = dataset.space.indices(rows.reshape(-1, len(sizes)))
    images = dataset.gather(torch.from_numpy(indices)).numpy().reshape(len(sizes), COLUMNS, *dataset.info.image_shape)
    for row, size in enumerate(sizes.values()):
        images[row, size:] = 1.0  # no further values
    figure = labelled_grid(images, row_labels=[f"{factor} {size}" for factor, size in sizes.items()])
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=75)
    Image.open(drawn).convert("RGB").quantize(NUM_COLOURS).save(DOCS / f"{name}.png", optimize=True)


def probe_rows(dataset: Dataset) -> list[list[str]]:
    rng = np.random.default_rng(0)
    indices = rng.choice(len(dataset), min(NUM_TRAIN + NUM_TEST, len(dataset)), replace=False)
    num_test = len(indices) // 5
    pixels = Transform(image_size=PROBE_SIDE)(bytes_of(dataset, indices)).reshape(len(indices), -1) / 255.0
    labels = dataset.space.factors(indices)
    rows = []
    for column, (factor, size) in enumerate(dataset.space.sizes.items()):
        accuracy = ridge_accuracy(pixels, labels[:, column], size, num_test)
        changed = changed_share(dataset, column, rng)
        rows.append([factor, str(size), f"{1 / size:.3f}", f"{accuracy:.3f}", f"{changed:.3f}"])
    return rows


def ridge_accuracy(pixels: np.ndarray, labels: np.ndarray, size: int, num_test: int) -> float:
    """Accuracy on the last `num_test` images of the class with the highest linear score, fitted to the others."""
    features = np.concatenate([pixels, np.ones((len(pixels), 1))], axis=1)
    train, test = features[:-num_test], features[-num_test:]
    gram = train.T @ train + 1.0 * np.eye(train.shape[1])
    scores = test @ np.linalg.solve(gram, train.T @ np.eye(size)[labels[:-num_test]])
    return float((scores.argmax(axis=1) == labels[-num_test:]).mean())


def changed_share(dataset: Dataset, column: int, rng: np.random.Generator) -> float:
    sizes = list(dataset.space.sizes.values())
    before = rng.integers(sizes, size=(NUM_STEPS, len(sizes)))
    before[:, column] = rng.integers(sizes[column] - 1, size=NUM_STEPS)
    after = before.copy()
    after[:, column] += 1
    first, second = (bytes_of(dataset, dataset.space.indices(rows)).astype(int) for rows in (before, after))
    return float((np.abs(first - second).max(axis=1) > 2).mean())


def repeated(dataset: Dataset) -> str:
    counts: Counter[int] = Counter()
    for start in track(range(0, len(dataset), 1024), description="compare", transient=True):
        block = bytes_of(dataset, np.arange(start, min(start + 1024, len(dataset))))
        counts.update(hash(image.tobytes()) for image in block)
    twice = len(dataset) - len(counts)
    return f"{len(dataset):,} images, {len(counts):,} different" if twice else f"all {len(dataset):,} differ"


def bytes_of(dataset: Dataset, indices: np.ndarray) -> np.ndarray:
    return np.concatenate(
        [
            dataset.gather(torch.from_numpy(part)).mul(255).round().byte().numpy()
            for part in np.array_split(indices, 1 + len(indices) // 1024)
        ]
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="data sets (default: all that can be rendered)")
    main(parser.parse_args().names)
