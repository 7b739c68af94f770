"""A run whose files were damaged or removed says so or makes them again; one that is stopped says so too."""

import gc
import os
import shutil
import signal
import weakref
from pathlib import Path

import pytest

from disent_runner.assembly import build
from disent_runner.machine.interruption import Interrupted
from disent_runner.runs.checkpoints import load_trained
from disent_runner.runs.identity import request_of, run_id
from disent_runner.runs.scores import numbers
from disent_runner.runs.status import is_finished, read_status
from disent_runner.runs.train_log import FILE, read_train_log
from disent_runner.stages.job import run_job

SUBSET = "{orientation: 2, pos_x: 8, pos_y: 4}"
FEW = ("model=vae", "metric=[mig]", "figure=[loss_curves]")


@pytest.fixture
def config(composed):
    return composed(*FEW, f"dataset.subset={SUBSET}")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("run") / "seed=0"


@pytest.fixture
def folder(config, place, tmp_path):
    """A finished run in its place, which is trained once."""
    if not place.exists():
        run_job(config, place)
    return Path(shutil.copytree(place, tmp_path / run_id(config) / "seed=0"))


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_damaged_results_are_made_again(config, folder):
    reference, table = numbers(folder), (folder / "metrics.md").read_text()
    for name in ("metrics.json", "metrics.csv", "metrics.md", "config.yaml", "figures/index.json"):
        content = (folder / name).read_bytes()
        for damage in (lambda path: path.write_bytes(path.read_bytes()[:9]), lambda path: path.unlink(), flip):
            damage(folder / name)
            assert not is_finished(folder, request_of(config)), name
            (folder / name).write_bytes(content)
        flip(folder / name)
        run_job(config, folder)
        assert is_finished(folder, request_of(config)), name
        assert numbers(folder) == reference
    assert (folder / "metrics.md").read_text() == table
    assert (folder / "metrics.json.damaged").exists()
    picture = folder / "figures" / "loss_curves.png"
    drawn = picture.read_bytes()
    for damage in (flip, lambda path: path.unlink()):
        damage(picture)
        run_job(config, folder)
        assert picture.read_bytes() == drawn


def test_a_damaged_table_that_another_command_made_anew_leaves_the_first_to_do(config, folder, composed):
    flip(folder / "metrics.json")
    other = composed(*FEW[:1], "metric=[sap]", "stages=[fit,evaluate]", f"dataset.subset={SUBSET}")
    run_job(other, folder)
    assert not is_finished(folder, request_of(config))
    assert is_finished(folder, request_of(other))


@pytest.mark.parametrize("damage", [flip, lambda path: path.write_text(""), lambda path: path.unlink()])
def test_a_damaged_log_is_said_and_kept(config, folder, damage):
    damage(folder / FILE)
    left = (folder / FILE).read_bytes() if (folder / FILE).exists() else None
    assert not is_finished(folder, request_of(config))
    with pytest.raises(ValueError, match=r"train.csv is damaged: .*put back a copy, or delete .*checkpoints"):
        run_job(config, folder)
    assert left is None or (folder / FILE).read_bytes() == left


def test_checkpoints_that_cannot_be_read_leave_the_log(config, folder):
    rows = read_train_log(folder)["step"].tolist()
    (folder / "checkpoints").rename(folder / "elsewhere")
    (folder / "checkpoints").write_text("no folder")
    with pytest.raises(OSError, match="checkpoints"):
        run_job(config, folder)
    assert read_train_log(folder)["step"].tolist() == rows


def test_any_changed_byte_of_a_checkpoint_is_noticed(config, folder):
    datamodule = build.build_data(config)
    model = build.build_model(config, datamodule.training.info)
    newest = max((folder / "checkpoints").iterdir())
    content = newest.read_bytes()
    for place in (5, len(content) // 2, len(content) - 20, len(content) - 200):
        newest.write_bytes(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
        with pytest.raises(ValueError, match="is damaged"):
            load_trained(model, folder)
    for stray in (folder / "checkpoints" / ".x.pt.host.1.partial", folder / "checkpoints" / "step=000000001.pt"):
        stray.write_bytes(content)
    reference = numbers(folder)
    run_job(config, folder)  # from the one before, with what a kill left
    assert sorted(path.name for path in newest.parent.iterdir()) == ["step=000000004.pt", "step=000000005.pt"]
    assert numbers(folder) == reference


@pytest.mark.parametrize("stage", ["evaluate", "draw"])
def test_a_signal_after_training_stops_the_run(config, folder, monkeypatch, stage):
    (folder / "codes.h5").unlink()
    config.stages = ["fit", stage]

    def stopped(*arguments, **options):
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr("disent_runner.stages.job.represented", stopped)
    (folder / "figures" / "index.json").unlink()
    with pytest.raises(Interrupted):
        run_job(config, folder)
    assert read_status(folder)["state"] == "interrupted"


def test_nothing_holds_a_model_after_its_run(config, folder, monkeypatch):
    models = []
    build_model = build.build_model

    def watched(*arguments, **keywords):
        model = build_model(*arguments, **keywords)
        models.append(weakref.ref(model))
        return model

    monkeypatch.setattr(build, "build_model", watched)
    before = [signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)]
    run_job(config, folder.with_name("seed=1"))
    gc.collect()
    assert [model() for model in models] == [None]
    after = [signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)]
    assert after == before
