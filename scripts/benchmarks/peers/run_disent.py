"""Steps per second of disent's training: its frameworks, networks, data pipeline and Lightning as in its examples."""

import json
import sys
import time
import warnings

import numpy as np
import torch

if torch.version.cuda is None:
    # PyPI's torchvision belongs to the CUDA build of torch; beside another one its Python part, all that is used here,
    # loads once these names are known.
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

import lightning as pl
from disent.dataset import DisentDataset
from disent.dataset.data import ArrayDataset
from disent.dataset.sampling import SingleSampler
from disent.dataset.transform import ToImgTensorF32
from disent.frameworks.vae import BetaTcVae, BetaVae
from disent.model import AutoEncoder
from disent.model.ae import DecoderConv64, EncoderConv64
from torch.utils.data import DataLoader

warnings.simplefilter("ignore")
BATCH, SHAPE = 64, (1, 64, 64)
FRAMEWORKS = {"betavae": BetaVae, "btcvae": BetaTcVae}


class Clock(pl.Callback):
    def __init__(self) -> None:
        self.times = []

    def on_train_batch_end(self, *_):
        self.times.append(time.perf_counter())


def main(path, model, steps):
    images = np.load(path).transpose(0, 2, 3, 1)
    data = DisentDataset(ArrayDataset(images), SingleSampler(), transform=ToImgTensorF32())
    networks = AutoEncoder(
        encoder=EncoderConv64(x_shape=SHAPE, z_size=10, z_multiplier=2), decoder=DecoderConv64(x_shape=SHAPE, z_size=10)
    )
    settings = {"optimizer": "adam", "optimizer_kwargs": {"lr": 1e-4}, "recon_loss": "bernoulli", "beta": 4}
    framework = FRAMEWORKS[model]
    clock = Clock()
    trainer = pl.Trainer(max_steps=steps, accelerator="cpu", logger=False, callbacks=[clock])
    loader = DataLoader(data, batch_size=BATCH, shuffle=True, drop_last=True)
    trainer.fit(framework(model=networks, cfg=framework.cfg(loss_reduction="mean_sum", **settings)), loader)
    spare = steps // 5
    rate = (steps - spare) / (clock.times[-1] - clock.times[spare - 1])
    print(json.dumps({"steps_per_second": rate}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
