from typing import Any

import pytest
from omegaconf import OmegaConf

from disent_runner.runs.score_rows import Making, Score
from disent_runner.runs.scores import write_scores
from disent_runner.sweep.objective import check_objective, direction_of, objective


def score(name: str, value: float | None, step: int, codes: str) -> Score:
    made = Making("mig", {}, 0, step, "dsprites", "rendered", 64, codes, ("scale",), "0.1.0")
    return Score(name, None, value, None, None, made, skipped=None if value else "no codes")


def test_the_number_of_the_last_step_and_the_codes_asked_for(tmp_path):
    values = [(0.1, 4, "mean"), (0.2, 5, "mean"), (0.3, 5, "sampled")]
    write_scores(tmp_path, [*(score("mig", *value) for value in values), score("dci", None, 5, "mean")])
    config = OmegaConf.create({"objective": "mig", "representation": "mean", "factors": None})
    assert objective(config, tmp_path) == 0.2
    config.representation = "sampled"
    assert objective(config, tmp_path) == 0.3
    config.update(objective="dci", representation="mean")
    with pytest.raises(ValueError, match=r"objective=dci: .* has no number dci of mean codes; it has mig"):
        objective(config, tmp_path)
    (tmp_path / "metrics.json").unlink()
    with pytest.raises(ValueError, match="it has none, no metric was computed"):
        objective(config, tmp_path)


def test_only_a_number_that_a_chosen_metric_gives_is_an_objective(composed):
    metrics = "metric=[mig,reconstruction,downstream]"
    for name in ("mig", "mig_scale", "reconstruction", "downstream_logistic_100"):
        assert check_objective(composed(metrics, f"objective={name}"))
    for overrides, message in {
        (
            "objective=[mig,dci]",
        ): r"objective=\[mig, dci\]: expected text, or null; for a run of each: -m objective=mig,dci",
        ("objective=3",): "objective=3: expected text, or null",
        ("objective=sap",): r"that metric is not chosen; 'metric=\[mig,reconstruction,downstream,sap\]' has it",
        ("objective=mig_exact",): "that metric is not chosen",
        ("objective=migg",): "no chosen metric gives that number, did you mean mig?",
        ("objective=mig", "stages=[fit,draw]"): r"of the stage evaluate, which 'stages=\[fit,draw\]' leaves out",
    }.items():
        with pytest.raises(ValueError, match=message):
            check_objective(composed(metrics, *overrides))


def test_the_direction_follows_from_the_objective_and_is_not_the_wrong_way(composed):
    def direction(objective: str, asked: Any) -> str:
        config = composed("metric=[mig,reconstruction,active_units]", f"objective={objective}")
        OmegaConf.update(config, "hydra", {"sweeper": {"direction": asked}}, force_add=True)
        return direction_of(config, check_objective(config))

    assert direction("mig", None) == direction("mig", "maximize") == "maximize"
    assert direction("reconstruction", None) == "minimize"
    assert direction("active_units", "minimize") == "minimize"
    with pytest.raises(ValueError, match=r"has no better way; add hydra.sweeper.direction=maximize or minimize"):
        direction("active_units", None)
    with pytest.raises(ValueError, match=r"mig is better when it is higher, .* set hydra.sweeper.direction=maximize"):
        direction("mig", "minimize")
    with pytest.raises(ValueError, match="is better when it is lower"):
        direction("reconstruction", "maximize")
    with pytest.raises(ValueError, match="must be maximize or minimize, for one objective, got"):
        direction("mig", ["maximize", "minimize"])
