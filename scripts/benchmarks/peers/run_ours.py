"""Steps per second of this program's training on the same images."""

import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from loops import real_loop
from measure import config_of

from disent_runner.assembly import build
from disent_runner.datasets.data_module import DataModule, StepPlan
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.images.image_store import ByteImages
from disent_runner.datasets.info import DatasetInfo
from disent_runner.datasets.labels.factor_space import FactorSpace


def main(path: str, model: str, steps: int) -> None:
    images = np.load(path)
    space = FactorSpace({"image": len(images)})
    info = DatasetInfo("images", images.shape[1:], space.sizes, len(images), "rendered")
    dataset = Dataset(info, space, ByteImages(images), content_hash="")
    plan = StepPlan(max_steps=steps, log_every=steps // 5, checkpoint_every=steps)
    datamodule = DataModule(dataset, batch_size=64, seed=0, plan=plan, on_device=True)
    built = build.build_model(config_of(f"model={model}", "network=conv64"), info)
    second = real_loop(built, datamodule, accelerator="cpu", precision="32-true")  # pyright: ignore[reportArgumentType]
    print(json.dumps({"steps_per_second": 1 / second}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
