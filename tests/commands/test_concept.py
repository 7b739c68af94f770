"""The command, on a run that was trained for a few steps: what it says is right, and no more than it knows."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import disent_runner
from disent_runner.commands import completion
from disent_runner.commands.concept import main
from disent_runner.datasets.symbols.recombinations import OPERATORS
from disent_runner.figures.grid import tile
from disent_runner.runs.checkpoints import load_newest_checkpoint, save_checkpoint

HEAVY = ("torch", "pandas", "matplotlib", "numpy", "sklearn", "scipy", "h5py", "PIL")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def parent(concept_run: Path) -> Path:
    (folder,) = concept_run.parents[2].glob("jmvae/*/seed=0")
    return folder


def moved(concept_run: Path, place: Path) -> Path:
    """A copy of the run and of what it stands on, as if these had been made there."""
    outputs = concept_run.parents[3]
    run = shutil.copytree(outputs, place / "outputs") / concept_run.relative_to(outputs)
    record = (run / "config.yaml").read_text(encoding="utf-8")
    (run / "config.yaml").write_text(record.replace(str(outputs.parent), str(place)), encoding="utf-8")
    (run / "checksums.json").unlink()
    return run


def pixels(path: str) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def mistake(capsys: pytest.CaptureFixture, *arguments: object, code: int = 1) -> str:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    assert ended.value.code == code
    said = capsys.readouterr().err
    assert said.startswith("disent-concept")
    assert said.count("\n") == 1
    return said.rstrip("\n").partition(": ")[2]


def test_help_and_mistakes_import_nothing_heavy():
    for arguments in (["--help"], [], ["nowhere", "imagine", "hat"], ["nowhere", "describe"]):
        code = (
            "import sys\nfrom disent_runner.commands.concept import main\n"
            f"try:\n    main({arguments!r})\nexcept SystemExit:\n    pass\n"
            f"loaded = set({HEAVY!r}) & set(sys.modules)\nassert not loaded, loaded"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_the_command_exists():
    done = subprocess.run([Path(sys.executable).with_name("disent-concept"), "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert 'disent-concept RUN imagine "red wall, hat"' in done.stdout


def test_images_of_words_are_those_of_the_run(concept_run, capsys):
    main([str(concept_run), "imagine", "red wall,", "hat", "--num-samples", "5", "--seed", "3"])
    assert capsys.readouterr().out == "5 images of red wall, hat: red_wall_hat.png\n"
    images = disent_runner.load(concept_run).imagine("red wall, hat", 5, seed=3)
    grid = np.concatenate([images, np.ones_like(images[:1])]).reshape(2, 3, 3, 32, 32)
    np.testing.assert_array_equal(pixels("red_wall_hat.png"), tile(grid))


def test_an_operator_between_words(concept_run, capsys):
    main([str(concept_run), "recombine", "red wall, hat", "IN", "COMMON", "suitcase, red wall", "--out", "common.png"])
    said = "16 images of red wall, hat IN COMMON red wall, suitcase, which is red wall: common.png\n"
    assert capsys.readouterr().out == said
    main([str(concept_run), "imagine", "red wall, hat IGNORE hat", "--out", "imagined.png"])
    assert capsys.readouterr().out == "16 images of red wall: imagined.png\n"
    images = disent_runner.load(concept_run).recombine("red wall, hat", "IN COMMON", "red wall, suitcase")
    np.testing.assert_array_equal(pixels("common.png"), tile(images.reshape(4, 4, 3, 32, 32)))
    assert (pixels("common.png") != pixels("imagined.png")).any()


def test_a_picture_is_described_as_it_was_imagined(concept_run, capsys):
    main([str(concept_run), "imagine", "hat", "--num-samples", "1", "--out", "sub/hat.png"])
    run = disent_runner.load(concept_run)
    (image,) = run.imagine("hat", 1)
    assert pixels("sub/hat.png").shape == (32, 32, 3)
    np.savez("hats.npz", images=np.stack([image, image[::-1]]))
    capsys.readouterr()
    main([str(concept_run), "describe", "sub/hat.png", "hats.npz", "--num-values", "9"])
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == ["sub/hat.png", "hats.npz[0]", "hats.npz[1]"]
    assert lines[1:5] == lines[6:10] != lines[11:15]
    assert [line.split()[0] for line in lines[1:5]] == ["wall", "floor", "object", "identity"]
    said = {value.rsplit(" ", 1)[0]: value.rsplit(" ", 1)[1] for line in lines[1:5] for value in line[12:].split(", ")}
    rounded = np.rint(image[None] * 255).astype(np.uint8)
    (probabilities,) = run.describe(rounded)
    assert said == {name: f"{value:.2f}" for name, value in zip(run.attributes, probabilities, strict=True)}
    walls = [float(value.rsplit(" ", 1)[1]) for value in lines[1][12:].split(", ")]
    assert walls == sorted(walls, reverse=True)


def test_rows_of_the_data_set_are_told_with_what_they_show(concept_run, capsys):
    main([str(concept_run), "describe", "--rows", "0", "767"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "row 0: red wall, red floor, red object, hat"
    assert lines[5] == "row 767: yellow wall, yellow floor, yellow object, suitcase"
    run = disent_runner.load(concept_run)
    import torch

    (last,) = run.describe(run.dataset().gather(torch.tensor([767])))
    best = int(last[:4].argmax())
    assert lines[6] == f"  wall      {run.attributes[best]} {last[best]:.2f}"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["imagine", "red wal"], "no attribute is called 'red wal'; did you mean 'red wall'?"),
        (
            ["imagine", "red wall AND blue wall"],
            "'red wall' and 'blue wall' contradict each other: an image has one wall",
        ),
        (["recombine", "red wall", "IGNORE", "hat"], "IGNORE 'hat': that is no part of 'red wall'"),
        (["recombine", "red wall"], "recombine needs two concepts with AND, IN COMMON or IGNORE between them"),
        (["describe", "none.png"], "none.png: no such file; name pictures, or an npz file that holds images"),
        (["describe", "."], ". is a folder; name the pictures in it"),
        (["describe", "large.png"], "large.png in . is 40x48, expected 32x32; resize it"),
        (
            ["describe", "text.png"],
            "text.png in . is no readable JPEG, PNG or PGM (cannot identify image file); get it again",
        ),
        (
            ["describe", "large.npz"],
            "images have shape (2, 1, 48, 48), expected (N, 3, 32, 32): N, channels, height, width",
        ),
        (
            ["describe", "empty.npz"],
            "empty.npz must hold an array `images`, got nothing; rename the one that holds them",
        ),
        (["describe", "torn.npz"], "torn.npz cannot be read (File is not a zip file); download it again"),
        (["describe", "--rows", "768"], "--rows 768: the data set has 768 images, 0 to 767"),
        (["imagine", "hat", "--out", "text.png"], "text.png is already there; remove it, or name another file: "),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(arguments, said, concept_run, capsys):
    Image.fromarray(np.zeros((40, 48, 3), np.uint8)).save("large.png")
    Path("text.png").write_text("no picture", encoding="utf-8")
    np.savez("large.npz", images=np.zeros((2, 48, 48)))
    np.savez("empty.npz")
    Path("torn.npz").write_bytes(Path("large.npz").read_bytes()[:900])
    before = {path: path.read_bytes() for path in Path().iterdir()}
    assert mistake(capsys, concept_run, *arguments).startswith(said)
    assert {path: path.read_bytes() for path in Path().iterdir()} == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["describe"], "describe needs pictures: IMAGE…, or --rows ROW… of the run's data set"),
        (["imagine"], "the following arguments are required: CONCEPT"),
        (["imagine", "hat", "--out", "hat.jpg"], "argument --out: expected a name that ends in .png, got hat.jpg"),
        (["imagine", "hat", "--num-samples", "0"], "argument --num-samples: expected 1 to 10,000, got 0"),
        (["imagine", "hat", "--seed=-1"], "argument --seed: expected a whole number of at least 0, got -1"),
        (["describe", "--rows", "1.5"], "argument --rows: expected a whole number of at least 0, got 1.5"),
    ],
)
def test_a_mistake_of_use(arguments, said, capsys):
    assert mistake(capsys, "nowhere", *arguments, code=2).startswith(said)


def test_a_run_has_to_be_there_and_trained_to_its_end(concept_run, tmp_path, capsys):
    assert mistake(capsys, "nowhere", "imagine", "hat").startswith("run=nowhere: no run there; name a folder that")
    run = moved(concept_run, tmp_path)
    (run / "checkpoints" / "step=000000005.pt").unlink()
    said = mistake(capsys, run, "imagine", "hat")
    assert said == (
        f"{run}: its training is at step 4 of 5; type its command again, which goes on, or name a checkpoint in it"
    )
    main([str(run / "checkpoints" / "step=000000004.pt"), "imagine", "hat"])  # with the run below that moved with it
    shutil.rmtree(run / "checkpoints")
    assert mistake(capsys, run, "imagine", "suitcase").startswith("no checkpoint in")
    assert not Path("suitcase.png").exists()


def test_a_run_below_has_to_be_what_it_was(concept_run, tmp_path, capsys):
    run = moved(concept_run, tmp_path)
    below = parent(run)
    weights = load_newest_checkpoint(below)
    assert weights is not None
    weights["model"] = {name: value + value.dtype.is_floating_point for name, value in weights["model"].items()}
    save_checkpoint(below, {key: value for key, value in weights.items() if key != "random"})
    said = mistake(capsys, run, "imagine", "hat")
    assert said.startswith(f"{run} stands on concepts {below.parent.name} seed=0 at step 5 with weights ")
    assert "put that run back" in said
    shutil.rmtree(below)
    assert mistake(capsys, run, "imagine", "hat").startswith("concepts: there is no run in ")


def test_what_a_run_was_not_taught_is_said_with_what_was(concept_run, tmp_path, capsys, composed):
    from disent_runner.stages.job import run_job

    below = parent(concept_run)
    main([str(below), "imagine", "red wall AND hat"])  # by symbols
    assert mistake(capsys, below, "recombine", "red wall", "AND", "suitcase") == (
        f"{below}: jmvae was taught no operators; a run that stands on it learns them: disent-run model=scan "
        f"concepts.run={below}, of the same data set"
    )
    run_job(composed("model=pca", "stages=[fit]"), tmp_path / "pca", model_name="pca")
    for arguments in (["imagine", "hat"], ["recombine", "hat"], ["describe", "--rows", "0"]):
        said = mistake(capsys, tmp_path / "pca", *arguments)
        assert said == f"{tmp_path}/pca: pca was taught no symbols; take a run of scan or the like"


def test_another_s_run_names_classes_of_ours_alone_unless_it_is_trusted(concept_run, tmp_path, capsys):
    run = moved(concept_run, tmp_path)
    record = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text(record.replace("disent_runner.models.recombination.Recombination", "os.system"))
    assert "names what is not disent-runner's own: os.system" in mistake(capsys, run, "imagine", "hat")


def test_a_grey_picture_is_grey(concept_run, monkeypatch, capsys):
    """Of a single channel, so that a run of grey images takes it."""
    from disent_runner.assembly.trained import TrainedRun

    grey = np.linspace(0, 1, 2 * 64, dtype=np.float32).reshape(2, 1, 8, 8)
    monkeypatch.setattr(TrainedRun, "imagine", lambda *_, **__: grey)
    main([str(concept_run), "imagine", "hat"])
    with Image.open("hat.png") as picture:
        assert picture.mode == "L"
    np.testing.assert_array_equal(pixels("hat.png"), tile(grey[None])[..., 0])


def test_completion_offers_the_operators_that_there_are():
    assert list(completion.operators()) == [operator.name for operator in OPERATORS]


def test_names_of_values_are_in_the_record_of_the_run(concept_run):
    info = disent_runner.load(concept_run).info
    assert info.value_names["identity"] == ("hat", "ice lolly", "suitcase")
    assert json.loads((concept_run / "status.json").read_text())["state"] == "done"
