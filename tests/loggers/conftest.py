import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from disent_runner.loggers.mirror import RunNotes
from disent_runner.runs.score_rows import Making, Score

mpl.use("agg")


@pytest.fixture
def notes(tmp_path):
    folder = tmp_path / "seed=3"
    (folder / "figures").mkdir(parents=True)
    (folder / "config.yaml").write_text("seed: 3\n")
    (folder / "run.log").write_text("messages\n")
    settings = {"model.beta": 4.0, "dataset.batch_size": 64.0}
    return RunNotes(folder, "0123abcd", 3, "betavae", "blob", "train", settings, sweep="8d6e", recipe="me2026/fig1")


@pytest.fixture
def scores():
    made = Making("mig", {}, 3, 5, "blob", "rendered", 64, "mean", ("x", "y"), "0.1.0")
    skipped = Making("sap", {}, 3, 5, "blob", "rendered", 64, "mean", ("x", "y"), "0.1.0")
    return [
        Score("mig", None, 0.25, "higher", None, made, seconds=0.5),
        Score("mig", "x", 0.5, "higher", None, made, seconds=0.5),
        Score("sap", None, None, "higher", None, skipped, skipped="sap needs factors"),
    ]


@pytest.fixture
def pictures(notes):
    paths = [notes.folder / "figures" / name for name in ("samples.png", "traversals.gif")]
    frames = [Image.fromarray(np.full((8, 12), grey, np.uint8)) for grey in (0, 255)]
    frames[0].save(paths[0])
    frames[0].save(paths[1], save_all=True, append_images=frames[1:])
    return paths
