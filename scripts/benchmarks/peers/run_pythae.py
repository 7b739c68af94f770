"""Steps per second of pythae's own trainers, with the conv64 network that its user brings along."""

import json
import sys
import tempfile
import time
from itertools import pairwise

import numpy as np
import torch
from pythae.data.datasets import BaseDataset
from pythae.models import BetaTCVAE, BetaTCVAEConfig, BetaVAE, BetaVAEConfig, FactorVAE, FactorVAEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from pythae.trainers import AdversarialTrainer, AdversarialTrainerConfig, BaseTrainer, BaseTrainerConfig
from pythae.trainers.training_callbacks import TrainingCallback
from torch import nn

BATCH, LATENTS = 64, 10
COMMON = {"input_dim": (1, 64, 64), "latent_dim": LATENTS, "reconstruction_loss": "bce"}


class Encoder(BaseEncoder):
    def __init__(self):
        super().__init__()
        channels = [1, 32, 32, 64, 64]
        layers = []
        for before, after in pairwise(channels):
            layers += [nn.Conv2d(before, after, 4, 2, 1), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(1024, 256), nn.ReLU())
        self.mean, self.logvar = nn.Linear(256, LATENTS), nn.Linear(256, LATENTS)

    def forward(self, images):
        hidden = self.layers(images)
        return ModelOutput(embedding=self.mean(hidden), log_covariance=self.logvar(hidden))


class Decoder(BaseDecoder):
    def __init__(self):
        super().__init__()
        channels = [64, 64, 32, 32, 1]
        layers = [nn.Linear(LATENTS, 256), nn.ReLU(), nn.Linear(256, 1024), nn.ReLU(), nn.Unflatten(1, (64, 4, 4))]
        for before, after in pairwise(channels):
            layers += [nn.ConvTranspose2d(before, after, 4, 2, 1), nn.ReLU()]
        self.layers = nn.Sequential(*layers[:-1], nn.Sigmoid())

    def forward(self, codes):
        return ModelOutput(reconstruction=self.layers(codes))


class Clock(TrainingCallback):
    def __init__(self):
        self.times = []

    def on_epoch_begin(self, training_config, **kwargs):
        self.times.append(time.perf_counter())

    def on_epoch_end(self, training_config, **kwargs):
        self.times.append(time.perf_counter())


def main(path, name, steps):
    """One epoch of a fifth of the steps to warm up, then one of all; FactorVAE halves its batch: 128 is 64 and 64."""
    batch = 2 * BATCH if name == "factorvae" else BATCH
    images = np.load(path)[: steps * batch].astype(np.float32) / 255
    model = {
        "betavae": lambda: BetaVAE(BetaVAEConfig(beta=4.0, **COMMON), Encoder(), Decoder()),
        "btcvae": lambda: BetaTCVAE(BetaTCVAEConfig(beta=6.0, **COMMON), Encoder(), Decoder()),
        "factorvae": lambda: FactorVAE(FactorVAEConfig(gamma=35.0, **COMMON), Encoder(), Decoder()),
    }[name]()
    trainer, config = (
        (AdversarialTrainer, AdversarialTrainerConfig) if name == "factorvae" else (BaseTrainer, BaseTrainerConfig)
    )
    for part in (steps // 5, steps):
        clock = Clock()
        with tempfile.TemporaryDirectory() as folder:
            settings = config(output_dir=folder, num_epochs=1, per_device_train_batch_size=batch, no_cuda=True)
            data = BaseDataset(torch.from_numpy(images[: part * batch]), torch.zeros(part * batch))
            trainer(model=model, train_dataset=data, training_config=settings, callbacks=[clock]).train()
    print(json.dumps({"steps_per_second": steps / (clock.times[1] - clock.times[0])}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
