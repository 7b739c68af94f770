import pytest
import torch

from disent_runner.assembly import build
from disent_runner.runs.checkpoints import load_newest_checkpoint
from disent_runner.runs.train_log import read_train_log
from disent_runner.stages.fit import check_precision, fit


@pytest.fixture
def train(composed, tmp_path):
    """Train in one folder; returns the model."""

    def run(*overrides: str, folder: str = "run", before=None):
        config = composed(*({} if any(o.startswith("model=") for o in overrides) else {"model=betavae"}), *overrides)
        datamodule = build.build_data(config)
        model = build.build_model(config, datamodule.dataset.info)
        if before is not None:
            before(model)
        fit(model, datamodule, folder=tmp_path / folder, seed=config.seed, accelerator="cpu", precision="32-true")
        return model

    return run


def steps_in(folder) -> list[int]:
    return sorted(int(path.stem.removeprefix("step=")) for path in (folder / "checkpoints").iterdir())


@pytest.mark.slow
def test_training_goes_on_from_the_newest_checkpoint(train, tmp_path):
    whole = train("trainer.max_steps=7", folder="whole")
    train("trainer.max_steps=4", folder="parts")
    parts = train("trainer.max_steps=7", folder="parts")
    assert all(map(torch.equal, whole.parameters(), parts.parameters()))
    assert (tmp_path / "whole" / "train.csv").read_text() == (tmp_path / "parts" / "train.csv").read_text()


VAE_KNOBS = [
    *("model=factorvae", "model.beta=2", "model.free_bits=0.1", "model.warmup={kl: 5, objective_total_correlation: 6}"),
    *("model.discriminator.width=20", "model.discriminator.depth=1"),
]
GAN_KNOBS = [
    *("model=infogan", "model.noise_prior=uniform", "model.spectral_norm=true", "model.generator_ema=0.9"),
    *("model.discriminator_steps=2", "model.warmup={continuous: 6}"),
    *("gan.generator.channels=[8,8,8,8]", "gan.trunk.channels=[8,8,8,8]"),
]


@pytest.mark.parametrize(
    "knobs",
    [[*VAE_KNOBS, "likelihood=gaussian_learned"], [*VAE_KNOBS, "likelihood=gaussian_optimal"], GAN_KNOBS],
    ids=["learned", "optimal", "gan"],
)
def test_training_with_every_option_goes_on_bit_for_bit(knobs, train, tmp_path):
    knobs = [*knobs, "model.gradient_clip=3", "schedule=multi_step", "schedule.milestones=[2,5]"]
    whole = train(*knobs, "trainer.max_steps=7", folder="whole")
    train(*knobs, "trainer.max_steps=4", folder="parts")
    parts = train(*knobs, "trainer.max_steps=7", folder="parts")
    (group,) = parts.optimizer_of["discriminator"].param_groups
    assert group["lr"] == pytest.approx(0.01 * group["initial_lr"])
    assert all(map(torch.equal, whole.state_dict().values(), parts.state_dict().values()))
    assert (tmp_path / "whole" / "train.csv").read_text() == (tmp_path / "parts" / "train.csv").read_text()


def test_a_finished_run_is_not_trained_further(train, tmp_path):
    train("trainer.max_steps=4")
    before = (tmp_path / "run" / "train.csv").read_text()
    assert train("trainer.max_steps=4").step == 4
    assert (tmp_path / "run" / "train.csv").read_text() == before


@pytest.mark.slow
def test_another_seed_starts_elsewhere_and_sees_other_batches(train, tmp_path):
    train("seed=0", folder="zero")
    train("seed=1", folder="one")
    logs = [read_train_log(tmp_path / name)["loss"] for name in ("zero", "one")]
    assert (logs[0] != logs[1]).all()


def test_a_value_that_is_not_finite_keeps_the_last_good_checkpoint(train, tmp_path):
    train("trainer.max_steps=4")

    def poison(model):
        original = model.infer

        def infer(images):
            inference = original(images)
            return inference._replace(logits=inference.logits * float("nan")) if model.step == 6 else inference

        model.infer = infer

    with pytest.raises(FloatingPointError, match="reconstruction became nan at step 7"):
        train("trainer.max_steps=10", before=poison)
    assert steps_in(tmp_path / "run") == [4, 6]
    state = load_newest_checkpoint(tmp_path / "run")
    assert state is not None
    assert all(value.isfinite().all() for value in state["model"].values())


def test_parameters_that_are_not_finite_are_not_saved(train, tmp_path):
    def poison(model):
        original = model.update

        def update(batch):
            logged = original(batch)
            if batch.step == 3:  # the loss of step 4 is still finite, its update is not
                torch.nn.init.constant_(next(model.parameters()), float("inf"))
            return logged

        model.update = update

    with pytest.raises(FloatingPointError, match=r"parameter encoder\.\S+ is not finite after step 4"):
        train("trainer.max_steps=8", before=poison)
    assert steps_in(tmp_path / "run") == [2]


def test_a_checkpoint_of_another_model_is_refused(train):
    train("trainer.max_steps=2")
    with pytest.raises(ValueError, match=r"is of another model .* delete that folder to train from the start"):
        train("trainer.max_steps=4", "model.latent_dim=7")


@pytest.mark.parametrize("precision", ["16-mixed", "64-true", "bf16-true", 32])
def test_another_precision_is_refused_before_training_starts(precision):
    with pytest.raises(ValueError, match=f"trainer.precision must be 32-true or bf16-mixed, got {precision!r}"):
        check_precision(precision)
