"""Contracts of conf/experiment: whatever is added there is tested without an edit here."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.utils import setup_globals
from hydra.types import RunMode
from hydra.utils import get_method

from disent_runner.assembly.conf import CONF
from disent_runner.representations.numbers import numbers_of
from disent_runner.study.claims import Quantity
from disent_runner.study.study import by_setting
from disent_runner.sweep.grid import grid
from disent_runner.sweep.jobs import plan
from disent_runner.sweep.judging import study_of, study_run
from disent_runner.sweep.loader import SweepLoader

FOLDER = CONF / "experiment"
FILES = [path for path in sorted(FOLDER.rglob("*.yaml")) if not path.stem.startswith("_")]
NAMES = [str(path.relative_to(FOLDER).with_suffix("")) for path in FILES]
FILES_OF: Mapping[str, str] = {"code_grids": "code_grid"}
"""Figures whose files begin otherwise."""


@pytest.fixture(scope="module")
def loader() -> SweepLoader:
    """One for all recipes: it reads a file once."""
    with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
        setup_globals()
        return SweepLoader(GlobalHydra.instance().config_loader().get_search_path())


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_is_a_sweep_whose_study_can_be_judged(name: str, loader: SweepLoader) -> None:
    """Its runs are composed, and its claims are about runs that there are and numbers that its metrics give."""
    config = loader.load_configuration("run", [f"+experiment={name}", "hydra.job.name=disent-run"], RunMode.MULTIRUN)
    sweeper = config.hydra.sweeper
    assert config.hydra.mode == RunMode.MULTIRUN
    is_long = str(sweeper.params.get("dataset", "")).count(",") > 3
    one = ["dataset=dsprites"] if is_long else []  # of seven, of one recipe
    typed = [f"+experiment={name}", "seed=0", *one]
    jobs = plan(loader, config, grid(sweeper.params, sweeper.cases, sweeper.zip, typed, loader.options))
    study = study_of(config)
    assert study is not None
    assert study.scale == ("smoke" if name.endswith("_smoke") else "paper")
    runs = [study_run(job) for job in jobs if not job.role]
    if study.scale == "paper":  # of models that are still among its cases
        published = {label for label in study.published if any(run.overrides["model"] in label.split() for run in runs)}
        assert published <= by_setting(runs).keys()
    sides = [side for claim in study.claims.values() for side in (claim.less, claim.than)]
    for side in (*sides, *study.numbers.values()):
        if isinstance(side, Quantity):
            assert any(run.has(side.where) for run in runs), side
            assert side.number is None or side.number.startswith(tuple(_numbers(config.metric))), side
    assert all("_target_" in node for node in (*config.metric.values(), *config.figure.values()))  # none half set
    drawn = tuple(FILES_OF.get(figure, figure) for figure in config.figure)
    assert all(picture.startswith(drawn) for picture in study.pictures)


def _numbers(metrics: Mapping[str, Any]) -> Iterator[str]:
    """What the metrics say that they return."""
    for node in metrics.values():
        yield from (number.name for number in numbers_of(get_method(node["_target_"])))


@pytest.mark.parametrize("name", [name for name in NAMES if not name.endswith("_smoke")])
def test_a_recipe_has_a_smoke_size(name: str) -> None:
    assert f"{name}_smoke" in NAMES
