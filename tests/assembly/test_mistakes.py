import errno

import pytest
from hydra import compose, initialize_config_dir
from hydra.errors import MissingConfigException

from disent_runner.assembly.conf import CONF
from disent_runner.assembly.mistakes import in_one_line
from disent_runner.stages.interrupts import Interrupted


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("model=facvae", "model=facvae: no such model, did you mean factorvae?; choose from a2c, adagvae,"),
        (
            "metric=[mig,migg]",
            "metric=migg: no such metric, did you mean mig?; choose from active_units, beta_vae_score,",
        ),
        ("dataset=dsprite", "dataset=dsprite: no such dataset, did you mean dsprites?; choose from "),
        ("model.gama=3", "model.gama: no such key, did you mean gamma?; keys here: _target_,"),
        (
            "+experiment=chen2018/bas",
            "experiment=chen2018/bas: no such experiment, did you mean chen2018/bias?; choose from chen2018/bias,",
        ),
        (
            "joint=traeuble2021/dsprites_a",
            "joint=traeuble2021/dsprites_a: no such joint, did you mean traeuble2021/dsprites_b",
        ),
        ("joint=nowhere/dsprites_b", "joint=nowhere/dsprites_b: no such joint; choose from chen_correlated,"),
        ("+experiment=bias", "experiment=bias: no such experiment"),
        ("modle=vae", "modle: no such key, did you mean model?; keys here: continuous, data_dir,"),
        ("hydra.sweep.dir=null", "hydra.sweep.dir=null: field 'hydra.sweep.dir' is not Optional"),
        ("model.beta=1,,2", "model.beta=1,,2: nothing stands between two commas"),
        ("trainer.max_steps=[1", "trainer.max_steps=[1: [ and ] do not match"),
    ],
)
def test_a_mistyped_command_is_told_in_one_line(override, expected):
    with initialize_config_dir(version_base="1.3", config_dir=str(CONF)), pytest.raises(Exception) as caught:
        compose("run", overrides=[override])
    message = in_one_line(caught.value, CONF)
    assert message.startswith(expected)
    assert "\n" not in message


@pytest.mark.parametrize(
    ("name", "install"), [("joblib", "pip install 'disent-runner[sweep]'"), ("ray", "pip install hydra-ray-launcher")]
)
def test_a_launcher_whose_plugin_is_not_there_says_what_to_install(name, install):
    error = MissingConfigException("…", f"hydra/launcher/{name}", ["basic", "slurm"])
    assert in_one_line(error, CONF) == f"hydra/launcher={name} needs a plugin of Hydra: {install}"


def test_a_file_that_is_not_there_is_told_in_a_sentence():
    with initialize_config_dir(version_base="1.3", config_dir=str(CONF)), pytest.raises(Exception) as caught:
        compose("nothere")
    assert in_one_line(caught.value, CONF).startswith(f"--config-name=nothere: there is no nothere.yaml in {CONF}")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError("two\n  lines"), "two lines"),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "the disk is full: [Errno 28] No space left on device; free",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "outputs/blob"),
            "outputs/blob: Permission denied; where it was to be written, choose another folder: output_root=DIR",
        ),
        (
            OSError(
                errno.EROFS, "cannot write outputs/sweep.json: Read-only file system; what was there before is kept"
            ),
            "cannot write outputs/sweep.json: Read-only file system; what was there before is kept; where it was to be",
        ),
        (KeyError("x"), "unexpected KeyError: 'x'; HYDRA_FULL_ERROR=1 shows the traceback"),
        (Interrupted(15, 7), "stopped by SIGTERM after step 7; the same command goes on from there"),
    ],
)
def test_other_errors(error, expected):
    assert in_one_line(error, CONF).startswith(expected)


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 8 bytes")]
)
def test_too_little_memory_is_said_with_what_to_do(error):
    assert "there is too little memory" in in_one_line(error, CONF)
    assert "smaller dataset.batch_size" in in_one_line(error, CONF)
