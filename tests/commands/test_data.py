"""The command: arguments, exit codes, one line for each mistake."""

import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from disent_runner.commands import data as cli
from disent_runner.data_folder import preparing

HEAVY = ("torch", "pandas", "numpy", "h5py", "hydra", "omegaconf", "rich", "pooch", "requests")


@dataclass
class Printed:
    code: int
    out: str
    err: str


DisentData = Callable[..., Printed]


@pytest.fixture
def disent_data(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """`disent-data ARGUMENTS` in this process, with a data folder of its own: exit code, output, errors."""
    monkeypatch.setenv("DISENT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(sys, "path", list(sys.path))

    def call(*arguments: str) -> Printed:
        capsys.readouterr()
        code = 0
        try:
            cli.main(arguments)
        except SystemExit as ending:
            code = int(ending.code or 0)
        printed = capsys.readouterr()
        return Printed(code, printed.out, printed.err)

    return call


def test_help_and_wrong_arguments_import_nothing_heavy():
    for arguments in (["--help"], [], ["prepare", "--help"], ["list", "--nothing"]):
        code = (
            "import sys\nfrom disent_runner.commands.data import main\n"
            f"try:\n    main({arguments!r})\nexcept SystemExit:\n    pass\n"
            f"loaded = set({HEAVY!r}) & set(sys.modules)\nassert not loaded, loaded"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_from_nothing_to_an_export(disent_data: DisentData, tmp_path: Path):
    printed = disent_data("verify", "blob")
    assert (printed.code, printed.out) == (1, "")
    assert printed.err == f"disent-data: nothing of blob is in {tmp_path}/data; run `disent-data prepare blob`\n"
    printed = disent_data("prepare", "blob")
    assert printed.code == 0
    assert printed.out.startswith("blob: 1,024 images, 64x64 grey, rendered; ")
    printed = disent_data("verify", "blob")
    assert (printed.code, printed.err) == (0, "")
    assert printed.out.endswith(", as written\n")
    printed = disent_data("export", "blob", str(tmp_path / "blob.npz"), "dataset.subset={pos_x: 2}")
    assert printed.code == 0
    assert printed.out.startswith("blob: 64 images, 64x64 grey, rendered; ")
    printed = disent_data("prepare", "custom", f"dataset.path={tmp_path}/blob.npz")
    assert printed.out.startswith("blob: 64 images, 64x64 grey, file; ")
    assert "factors  pos_x 2, pos_y 32" in disent_data("info", "custom", f"dataset.path={tmp_path}/blob.npz").out


def test_settings_may_follow_options(disent_data: DisentData, tmp_path: Path):
    printed = disent_data(
        "prepare", "blob", "--source", "rendered", "dataset.image_size=16", "--data-dir", f"{tmp_path}/a"
    )
    assert printed.code == 0
    assert (tmp_path / "a" / "blob_rendered_16.h5").exists()


def test_a_wrong_file_is_one_line_and_exit_code_1(disent_data: DisentData, tmp_path: Path):
    disent_data("prepare", "blob")
    path = tmp_path / "data" / "blob_rendered.h5"
    path.write_bytes(path.read_bytes()[:-1])
    printed = disent_data("verify", "blob")
    assert (printed.code, printed.out) == (1, "")
    assert printed.err.startswith(f"disent-data: {path} ")
    assert len(printed.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["prepare", "blobs"], "dataset=blobs: no such dataset, did you mean blob?; choose from "),
        (["prepare", "blob", "dataset.crp=2"], "dataset.crp: no such key, did you mean crop?"),
        (["prepare", "blob", "--source", "official"], "dataset.source must be rendered or auto, got 'official'"),
        (["prepare", "blob", "dataset.crop=65"], "dataset.crop is 65, but the images are 64x64"),
        (["info", "blob", "dataset.crop=65"], "dataset.crop is 65, but the images are 64x64"),
        (["info", "custom"], "dataset.path must be your file"),
        (["verify", "custom", "dataset.path=no.npz"], "dataset.path=no.npz: there is no file "),
        (["export", "blob", "out.zip"], "out.zip must end in .npz, .h5, .hdf5"),
        (
            ["export", "blob", "out.npz", "dataset.subset={x: 2}"],
            "dataset.subset names 'x'; the factors are pos_x, pos",
        ),
        (["prepare", "blob", "dataset=dsprites"], "dataset=dsprites: the data set is blob by now; name one of them"),
        (["prepare", "blob,dsprites"], "dataset=blob,dsprites: expected one value; several are several commands"),
        (["prepare", "blob", "dataset.crop=1,2"], "dataset.crop=1,2: expected one value; several are several comman"),
        (["list", "--config-dir", "nowhere"], "--config-dir=nowhere: no such folder"),
        (["prepare", "mpi3d_real_complex"], "no file of MPI3D real_complex in "),
    ],
)
def test_mistakes(arguments: list[str], message: str, disent_data: DisentData, monkeypatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)
    printed = disent_data(*arguments)
    assert (printed.code, printed.out) == (1, "")
    assert printed.err.startswith(f"disent-data: {message}")
    assert len(printed.err.splitlines()) == 1
    assert not (tmp_path / "out.npz").exists()


def test_a_data_folder_that_cannot_be_written(disent_data: DisentData, tmp_path: Path):
    (tmp_path / "data").write_text("a file")
    printed = disent_data("prepare", "blob")
    assert printed.code == 1
    assert printed.err.startswith(f"disent-data: cannot read or write {tmp_path}/data/blob_rendered.h5: ")


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".npz", ".h5"])
def test_a_disk_that_is_full_during_an_export(ending: str, disent_data: DisentData, tmp_path: Path):
    """In a process of its own: HDF5 crashed there at the exit."""
    disent_data("prepare", "blob")
    out = tmp_path / "out"
    code = (
        "import resource\nfrom disent_runner.commands.data import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        f"main(['export', 'blob', '{out}/x{ending}'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"disent-data: cannot write {out}/x{ending}: File too large; make room there or choose another folder\n"
    )
    assert list(out.iterdir()) == []


def test_unknown_arguments(disent_data: DisentData):
    for arguments in (["list", "blob"], ["prepare", "blob", "--nothing"], ["prepare"], ["nothing"], []):
        assert disent_data(*arguments).code == 2


def test_an_interruption(disent_data: DisentData, monkeypatch: pytest.MonkeyPatch):
    def interrupted(choice: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(preparing, "prepare", interrupted)
    printed = disent_data("prepare", "blob")
    assert (printed.code, printed.err) == (130, "disent-data: interrupted; run the same command again\n")


@pytest.mark.slow
def test_ctrl_c_leaves_nothing_of_an_export(tmp_path: Path):
    """Of images that take long, once the file has been begun."""
    code = (
        "import signal, time\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from disent_runner.commands import data\nfrom disent_runner.data_folder import exporting\n"
        "blocks = exporting.blocks\n"
        "def slow(*given):\n    yield from blocks(*given)\n    print('begun', flush=True)\n    time.sleep(1)\n"
        f"exporting.blocks = slow\ndata.main(['export', 'blob', '{tmp_path}/x.h5', '--data-dir', '{tmp_path}/data'])"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=-1, stderr=-1, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
    assert (process.returncode, err) == (130, "disent-data: interrupted; run the same command again\n")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_reader_that_has_seen_enough():
    code = "from disent_runner.commands.data import main\nmain(['list', '--markdown'])"
    with subprocess.Popen([sys.executable, "-c", code], stdout=-1, stderr=-1, text=True) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_a_traceback_on_request(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(ValueError, match="must end in"):
        cli.main(["export", "blob", "out.zip"])


def test_the_list(disent_data: DisentData):
    printed = disent_data("list")
    assert (printed.code, printed.err) == (0, "")
    assert printed.out.startswith("data set")
    assert disent_data("list", "--markdown").out.startswith("| data set |")


def test_one_s_own_card_is_found_beside_the_command(tmp_path: Path, monkeypatch, disent_data: DisentData):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own_cards.py").write_text("from disent_runner.datasets.blob import card\n")
    printed = disent_data("info", "blob", "dataset.card._target_=own_cards.card")
    assert printed.code == 0, printed.err
    assert printed.out.startswith("blob")


def test_one_s_own_groups_and_what_an_own_file_holds(tmp_path: Path, disent_data: DisentData):
    path = tmp_path / "größe (1).npz"
    np.savez(path, images=np.zeros((6, 8, 8), bool), labels=np.arange(6) % 2, weights=np.zeros(3))
    (tmp_path / "own" / "dataset").mkdir(parents=True)
    (tmp_path / "own" / "dataset" / "mine.yaml").write_text(f"defaults: [custom]\npath: {path}\n", encoding="utf-8")
    own = ("--config-dir", f"{tmp_path}/own")
    for asked in (("mine", *own), ("custom", f"dataset.path={path}")):
        said = disent_data("info", *asked).out
        for line in (
            "holds    6 images, 8x8 grey",
            "factors  factor_0 2",
            "note     factors are those called `labels`",
            "note     not read: weights; arrays that are: images, factors, factor_names",
        ):
            assert line in said
    assert disent_data("prepare", "mine", *own).out.startswith("größe (1): 6 images, 8x8 grey, file; ")
    assert "factors are those called `labels`" in disent_data("info", "mine", *own).out
