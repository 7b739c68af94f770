import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from disent_runner.machine.files import write_whole
from disent_runner.runs.figures import write_picture
from disent_runner.runs.scores import write_scores
from disent_runner.study.claims import StudyRun
from disent_runner.study.study import Keep, by_setting, direction, judge, overall, study_from
from tests.study.rows import score

NODE = {
    "shows": "a larger β disentangles",
    "source": "Someone 2017, table 1",
    "scale": "smoke",
    "numbers": {"MIG": "mig", "DCI": "dci"},
    "published": {"betavae beta=4": {"MIG": "0.5 ± 0.1"}},
    "quantities": {"highest": {"column": "kl", "take": "max"}},
    "cases": {"four": {"model": "betavae", "model.beta": 4}},
    "claims": {"more": {"quantity": "MIG", "less": "vae", "than": "four"}},
    "pictures": ["samples", "absent"],
}


def png(color: str) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (30, 10), color).save(content, format="PNG")
    return content.getvalue()


@pytest.fixture
def runs(tmp_path: Path) -> list[StudyRun]:
    settings = [({"model": "vae"}, 0.2), ({"model": "betavae", "model.beta": "4"}, 0.4)]
    settings.append(({"model": "betavae", "model.beta": "8"}, 0.3))
    studied = []
    for setting, value in settings:
        for seed in (0, 1):
            folder = tmp_path / "_".join(setting.values()) / f"seed={seed}"
            write_scores(folder, [score("mig", value + 0.1 * seed)])
            write_picture(folder, "samples.png", png("red" if setting["model"] == "vae" else "blue"))
            studied.append(StudyRun(folder, seed, {**setting, "network": "tiny", "seed": str(seed)}))
    return studied


def kept_in(folder: Path) -> Keep:
    return lambda name, content: write_whole(folder / name, content)


def test_the_verdict_the_table_and_the_pictures_of_a_study(runs, tmp_path):
    verdict = judge(study_from(NODE), runs, kept_in(tmp_path / "study"), experiment="someone2017/table")
    assert verdict == json.loads((tmp_path / "study" / "verdict.json").read_text())
    assert verdict["experiment"] == "someone2017/table"
    assert verdict["scale"] == "smoke"
    assert (verdict["verdict"], verdict["judged_by"], verdict["direction_holds"]) == ("holds", "direction", True)
    assert verdict["claims"]["more"]["claim"] == "mig of model=vae < mig of model=betavae, model.beta=4, on average"
    assert verdict["claims"]["more"]["gain"]["mean"] == pytest.approx(0.2)
    assert len(verdict["runs"]) == 6
    assert (tmp_path / "study" / "table.md").read_text() == (
        "a larger β disentangles (Someone 2017, table 1), smoke size\n\n"
        "| setting | MIG | published | DCI | n |\n"
        "| --- | --- | --- | --- | --- |\n"
        "| vae | 0.250 ± 0.071 |  | – | 2 |\n"
        "| betavae beta=4 | 0.450 ± 0.071 | 0.5 ± 0.1 | – | 2 |\n"
        "| betavae beta=8 | 0.350 ± 0.071 |  | – | 2 |\n"
        "\n"
        "| claim | verdict | gain [95 %] |\n"
        "| --- | --- | --- |\n"
        "| mig of model=vae \\< mig of model=betavae, model.beta=4, on average "
        "| holds by direction alone (2 seeds, an interval needs 3) | 0.2 [0.2, 0.2] |\n"
    )
    picture = np.asarray(Image.open(tmp_path / "study" / "samples.png"))
    reds = (picture == [255, 0, 0]).all(-1).sum()
    blues = (picture == [0, 0, 255]).all(-1).sum()
    assert (reds, blues) == (300, 600)  # one of each setting
    assert not (tmp_path / "study" / "absent.png").exists()


@pytest.mark.parametrize(
    ("holds", "expected"),
    [([True, True], True), ([True, False, None], False), ([True, None], "n/a"), ([], "n/a")],
)
def test_the_direction_holds_when_every_claim_does(holds, expected):
    assert direction(holds) == expected


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (["holds", "holds"], "holds"),
        (["holds", "not shown", "cannot be said"], "not shown"),
        (["holds", "not shown", "against"], "against"),
        (["holds", "cannot be said"], "n/a"),
        ([], "n/a"),
    ],
)
def test_the_verdict_of_all_claims_is_the_worst(verdicts, expected):
    assert overall(verdicts) == expected


def test_numbers_are_of_the_factors_that_the_recipe_evaluates(runs, tmp_path):
    for run in runs:
        write_scores(run.folder, [score("mig", 0.1 * run.seed, factors=("scale",)), score("mig", 0.9)])
    study = study_from(NODE, factors=("scale",))
    judge(study, runs, kept_in(tmp_path / "study"), experiment=None)
    assert "| vae | 0.050 ± 0.071 |" in (tmp_path / "study" / "table.md").read_text()


def test_labels_name_what_tells_settings_apart(tmp_path):
    def labels(*overrides: dict[str, str]) -> list[str]:
        return list(by_setting([StudyRun(tmp_path, 0, choices) for choices in overrides]))

    assert labels({"model": "vae", "network": "tiny"}, {"model": "pca", "network": "tiny"}) == ["vae", "pca"]
    assert labels({"model": "vae"}, {"model": "dcign", "metric.x": "1"}) == ["vae", "dcign"]
    assert labels({"model": "vae"}, {"model": "vae", "dataset.grey": "true"}) == ["vae", "vae dataset.grey=true"]
    assert labels({"model": "vae", "network": "tiny"}) == ["vae"]
    assert labels({"network": "tiny"}) == ["all runs"]
    chains = ({"model": "scan", "below": "1", "steps": "3"}, {"model": "scan", "below": "2", "steps": "3"})
    assert labels(*chains, {"model": "jmvae", "steps": "1"}) == ["scan below=1", "scan below=2", "jmvae"]
    assert labels({"model.beta": "1", "joint": "null"}, {"model.beta": "4", "joint": "null"}) == ["beta=1", "beta=4"]


def test_a_claim_that_a_recipe_takes_back_is_none():
    assert study_from({**NODE, "claims": {"more": None}}).claims == {}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scale": "large"}, "study.scale must be paper or smoke, got 'large'"),
        ({"title": "x"}, "study.title: a study has no such key"),
    ],
)
def test_mistakes_in_a_recipe(change, message):
    with pytest.raises(ValueError, match=message):
        study_from({**NODE, **change})
