"""What a GPU computes is what the CPU computes. Run by scripts/gpu_check.sh where there is one."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from disent_runner.assembly import build
from disent_runner.assembly.conf import choices
from disent_runner.representations.encoding import encode_once
from disent_runner.runs.train_log import read_train_log
from disent_runner.stages.fit import fit

pytestmark = [pytest.mark.gpu, pytest.mark.slow]
DEVICE = "cuda"
MODELS = choices("model")


@pytest.fixture
def same_noise(monkeypatch):
    """Noise drawn on the CPU whatever the device, and convolutions in full float32."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    for name in ("randn", "rand"):
        draw = getattr(torch, name)

        def on_cpu(*shape, draw=draw, device=None, **options):
            return draw(*shape, **options).to(device)

        monkeypatch.setattr(torch, name, on_cpu)


@pytest.mark.usefixtures("same_noise")
@pytest.mark.parametrize("network", ["tiny", "conv64"])
@pytest.mark.parametrize("name", MODELS)
def test_loss_terms_and_gradients_agree_with_the_cpu(name, network, untrained):
    """Each logged value to 1e-4 of itself, each parameter's gradient to 1e-3 of its largest entry."""
    results = []
    for device in ("cpu", DEVICE):
        model, batch = untrained(f"model={name}", f"network={network}", device=device)
        torch.manual_seed(1)
        logged = {key: value.cpu() for key, value in model.update(batch).items()}
        results.append((logged, {key: value.grad.cpu() for key, value in model.named_parameters()}))
    (logged, gradients), (logged_there, gradients_there) = results
    torch.testing.assert_close(logged_there, logged, rtol=1e-4, atol=1e-4)
    for key, gradient in gradients.items():
        difference = (gradients_there[key] - gradient).abs().max()
        assert difference <= 1e-3 * gradient.abs().max() + 1e-7, key


@pytest.mark.parametrize("switch", ["data_on_device=true", "data_on_device=false", "precision=bf16-mixed"])
@pytest.mark.parametrize("name", MODELS)
def test_training_learns_under_every_switch(name, switch, composed, tmp_path):
    config = composed(f"model={name}", "trainer.max_steps=60", "trainer.log_every=20", f"trainer.{switch}")
    datamodule = build.build_data(config)
    model = build.build_model(config, datamodule.dataset.info)
    fit(model, datamodule, folder=tmp_path, seed=0, accelerator=DEVICE, precision=config.trainer.precision)
    check_learning(tmp_path)


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
@pytest.mark.parametrize("mode", build.COMPILE_MODES)
@pytest.mark.parametrize("name", MODELS)
def test_training_learns_with_compiled_networks(name, mode, precision, disent_run, tmp_path):
    """At the command line, because the checks of shapes that tests put into functions cannot be compiled."""
    done = disent_run(
        f"model={name}",
        "network=conv64",
        "trainer=smoke",
        "trainer.max_steps=60",
        "trainer.log_every=20",
        f"trainer.accelerator={DEVICE}",
        f"trainer.compile={mode}",
        f"trainer.precision={precision}",
        "stages=[fit]",
    )
    assert done.returncode == 0, done.stderr
    (log,) = tmp_path.rglob("train.csv")
    check_learning(log.parent)


def check_learning(folder: Path) -> None:
    reconstruction = read_train_log(folder / "train.csv")["reconstruction"]
    assert len(reconstruction) == 3
    assert reconstruction[-1] < reconstruction[0]


def test_codes_agree_with_the_cpu(composed, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    config = composed("model=betavae", "network=conv64")
    dataset = build.build_data(config).dataset
    model = build.build_model(config, dataset.info)
    indices = torch.arange(0, len(dataset), 7).numpy()
    codes = []
    for device in ("cpu", DEVICE):
        encoded = encode_once(
            model.to(device), dataset.to(device), folder=tmp_path / device, indices=indices, batch_size=64
        )
        codes.append(torch.from_numpy(encoded.representation.codes))
    torch.testing.assert_close(*codes, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_a_step_never_waits_for_the_gpu(name, untrained):
    """Between two rows of the log nothing is read back: the step can be queued, or captured as a CUDA graph."""
    model, batch = untrained(f"model={name}", device=DEVICE)
    model.update(batch)
    torch.cuda.set_sync_debug_mode("error")
    try:
        model.update(replace(batch, step=1, is_logged=False))
    finally:
        torch.cuda.set_sync_debug_mode("default")
