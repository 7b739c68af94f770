"""A run on every data set that needs no file of a user's ends with tables and pictures."""

import pytest

from disent_runner.assembly.dataset_choice import Choice, choices
from disent_runner.runs.scores import read_scores
from disent_runner.stages.job import run_job

SLOW_TO_RENDER = {"toyfaces", "toychairs"}  # minutes; their own tests load a few
SAME_IMAGES = {"shapes3d"}  # those of shapes3d_rendered


def at_hand() -> list[str]:
    """Those that are rendered, or whose files come with a package that is installed here."""
    found = {name: choice for name, choice in choices() if isinstance(choice, Choice)}
    needs_nothing = [
        name
        for name, choice in found.items()
        if any(not origin.files or origin.package for origin in choice.card.origins)
        and any(None not in origin.find(choice.data_dir / "nowhere", name) for origin in choice.card.origins)
    ]
    return sorted(set(needs_nothing) - SLOW_TO_RENDER - SAME_IMAGES)


def test_some_are_at_hand() -> None:
    assert set(at_hand()) >= {"dsprites", "toydigits", "toylab8", "shapes3d_rendered", "mnist5k", "digits"}


@pytest.mark.slow
@pytest.mark.parametrize("name", at_hand())
def test_a_run_ends_with_tables_and_pictures(name: str, composed, tmp_path) -> None:
    config = composed(
        f"dataset={name}", "dataset.subset=null", "model=betavae", "trainer.max_steps=2", "metric=[mig,unsupervised]"
    )
    folder = tmp_path / "run"
    run_job(config, folder)
    scores = read_scores(folder)
    assert {score.making.metric for score in scores} == {"mig", "unsupervised"}
    assert all(score.value is not None for score in scores)
    assert {score.making.dataset.removesuffix("_texture") for score in scores} <= {name, f"{name}_rendered"}
    pictures = {path.name for path in (folder / "figures").glob("*.png")}
    assert pictures >= {"reconstructions.png", "samples.png", "traversals_prior.png", "mutual_information.png"}
