"""Every file of conf/model keeps the contract of a model; nothing here lists their names."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from disent_runner.assembly import build
from disent_runner.assembly.conf import choices as names
from disent_runner.datasets.batches import Batch
from disent_runner.datasets.labels.label_table import LabelTable
from disent_runner.models.base import AbstractModel
from disent_runner.models.frozen import Frozen
from disent_runner.stages.fit import fit
from tests.models.names import learners

pytestmark = pytest.mark.usefixtures("untrained_below")

FEW = "dataset.batch_size=16"
"""Images: what is tried here does not depend on how many there are."""


def networks_of(model: AbstractModel) -> list[nn.Module]:
    """Its own, and those of what it stands on."""
    below = [value.model for value in vars(model).values() if isinstance(value, Frozen)]
    return [*model.children(), *(network for one in below for network in networks_of(one))]


@pytest.mark.slow
@pytest.mark.parametrize("name", names("model"))
def test_every_parameter_of_every_model_learns(name, composed, tmp_path):
    config = composed(f"model={name}", "trainer.max_steps=3", FEW)
    datamodule = build.build_data(config)
    model = build.build_model(config, datamodule.dataset.info)
    before = {key: value.clone() for key, value in model.named_parameters() if value.requires_grad}
    fit(model, datamodule, folder=tmp_path, seed=0, accelerator="cpu", precision="32-true")
    frozen = [key for key, value in model.named_parameters() if key in before and torch.equal(value, before[key])]
    assert not frozen
    assert model.step == (3 if model.takes_steps else 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", learners())
def test_a_model_that_learns_from_labels_says_so(name, composed):
    """Others have the same weights, whatever the images are said to show."""
    weights = []
    for turn in (1, -1):
        config = composed(f"model={name}", "trainer.max_steps=1", FEW)
        datamodule = build.build_data(config)
        training = datamodule.training
        table = LabelTable(training.space.sizes, training.space.factors(np.arange(len(training)))[::turn])
        training = dataclasses.replace(training, space=table)
        model = build.build_model(config, training.info)
        batches = model.batches(training, datamodule.source, batch_size=config.dataset.batch_size, seed=0)
        model.configure_optimizers()
        np.random.seed(0)  # noqa: NPY002 - of those who draw from it
        batch = Batch(step=0, is_logged=False, source=batches, dataset=training, device=torch.device("cpu"))
        model.update(batch)
        weights.append(
            torch.cat([torch.zeros(0), *(value.flatten() for value in model.parameters())])
        )  # some have none
    assert model.learns_from_labels or torch.equal(*weights)


@pytest.mark.slow
@pytest.mark.parametrize("name", names("model"))
def test_every_model_encodes_and_decodes(name, composed):
    config = composed(f"model={name}")
    datamodule = build.build_data(config)
    model = build.build_model(config, datamodule.training.info)
    model.learn(datamodule.training, np.random.default_rng(0))
    rows = torch.arange(4)
    mean, logvar = model.represent(datamodule.dataset, rows)
    assert mean.shape == (4, model.latent_dim)
    assert logvar is None or logvar.shape == mean.shape
    assert model.sample_codes(3, np.random.default_rng(0)).shape == (3, model.latent_dim)
    if model.has_decoder:
        decoded = model.decode(mean)
        assert decoded.shape == datamodule.dataset.gather(rows).shape
        assert decoded.min() >= 0
        assert decoded.max() <= 1


@pytest.mark.slow
@pytest.mark.parametrize("name", learners())
def test_bfloat16_is_for_networks_alone(name, untrained):
    """With the networks kept exact, autocast changes no loss term: none is a matrix product that it would round."""
    logged = []
    for rounding in (False, True):
        model, batch = untrained(f"model={name}", FEW)
        for parameter in model.parameters():
            parameter.data *= 1.5  # codes far from zero, so that every term counts
        for network in networks_of(model):
            network.forward = torch.autocast("cpu", enabled=False)(network.forward)
        with torch.autocast("cpu", torch.bfloat16, enabled=rounding):
            logged.append(model.update(batch))
    assert all(value.dtype == torch.float32 for value in logged[1].values())
    torch.testing.assert_close(*logged, rtol=1e-3, atol=1e-4)  # bfloat16 rounds to 4e-3


@pytest.mark.slow
@pytest.mark.parametrize("name", learners())
def test_every_model_trains_in_bfloat16(name, untrained):
    """Within a few per cent of float32 on the first step."""
    logged = []
    for rounding in (False, True):
        model, batch = untrained(f"model={name}", FEW)
        with torch.autocast("cpu", torch.bfloat16, enabled=rounding):
            logged.append(model.update(batch)["loss"])
    torch.testing.assert_close(*logged, rtol=0.05, atol=0.02)


def test_networks_are_compiled_on_request(composed, monkeypatch):
    compiled = []
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self, mode: compiled.append((type(self).__name__, mode)))
    info = build.build_data(composed()).dataset.info
    build.build_model(composed(), info)
    assert compiled == []
    build.build_model(composed("trainer.compile=reduce-overhead"), info)
    assert [mode for _, mode in compiled] == ["reduce-overhead"] * 3
    with pytest.raises(ValueError, match=r"^trainer\.compile=fast: expected false, or default"):
        composed("trainer.compile=fast")
