"""Images: seconds to gather a batch, by kind and by size of the data set, and images encoded per second."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from loops import build_run
from measure import BATCH, config_of, messages_on_stderr, row, seconds

from disent_runner.assembly.build import build_data
from disent_runner.datasets.images.image_store import BitImages, ByteImages, ImageStore
from disent_runner.representations.encoding import encode_once

WINDOWS, CALLS = 7, 300


def gather(what: str, store: ImageStore) -> None:
    """Milliseconds of one random batch on one core."""
    rng = np.random.default_rng(0)
    batches = iter(torch.from_numpy(rng.integers(len(store), size=(WINDOWS * CALLS + 1, BATCH))))
    times = seconds(lambda: store.gather(next(batches)), windows=WINDOWS, calls=CALLS)
    row(f"batch of {BATCH}, {what}", [1000 * second for second in times], "ms").print()


def random_bytes(num_images: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(256, size=(num_images, *shape), dtype=np.uint8)


def encode(num_images: int) -> None:
    """The evaluation's pass over images of dSprites, codes.h5 included."""
    with messages_on_stderr():
        model, datamodule = build_run(config_of("model=betavae", "network=conv64"))
        indices = np.arange(num_images)

        def once() -> None:
            with TemporaryDirectory() as folder:
                encode_once(model, datamodule.dataset, folder=Path(folder), indices=indices, batch_size=128)

        times = seconds(once, windows=3)
    row("encoding, conv64, to codes.h5", [num_images / second for second in times], "images/s").print()


def main() -> None:
    encode(20_000)
    torch.set_num_threads(1)
    for num_images in (10_000, 100_000, 737_280):
        packed = BitImages(random_bytes(num_images, 512), height=64, width=64)
        gather(f"1×64×64 in bits, of {num_images:,}", packed)
    for num_images in (10_000, 100_000):
        gather(f"1×64×64 in bytes, of {num_images:,}", ByteImages(random_bytes(num_images, 1, 64, 64)))
        gather(f"3×64×64 in bytes, of {num_images:,}", ByteImages(random_bytes(num_images, 3, 64, 64)))
    for name in ("shapes3d_rendered", "noisy_dsprites", "scream_dsprites"):
        with messages_on_stderr():
            images = build_data(config_of(f"dataset={name}")).dataset.images
        gather(f"{name}, made on the fly, of {len(images):,}", images)


if __name__ == "__main__":
    main()
