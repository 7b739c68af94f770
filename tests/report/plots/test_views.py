from tests.report.folders import score, write_run
from tests.report.plots.conftest import views_in

MODELS = ("betavae", "factorvae", "pca", "vae")


def test_settings_that_cannot_be_compared_are_not_in_one_view(tmp_path):
    for place, facts in enumerate(({}, {"representation": "sampled"}, {"settings": {"num_bins": 9}})):
        write_run(tmp_path / f"{place}", [score("mig", 0.5, **facts)], seed=place)
    views, notes = views_in(tmp_path, most=2)
    assert [len(view.settings) for view in views] == [1, 1]
    assert notes == ["plots are of the 2 largest groups of settings that can be compared; 1 are not drawn"]


def test_no_two_views_have_one_title(tmp_path):
    """Of one data set, evaluated otherwise: the titles of their plots say in what."""
    kinds = [{}, {"factors": ("scale",)}, {"num_images": 500}, {"settings": {"num_bins": 9}}, {"version": "0.0.1"}]
    for seed, facts in enumerate(kinds):
        write_run(tmp_path / f"{seed}", [score("mig", 0.5, **facts)], seed=seed)
    views, _ = views_in(tmp_path, most=9)
    titles = [view.title for view in views]
    assert len(set(titles)) == len(kinds)
    assert "dsprites (rendered) factors=scale" in titles


def test_a_model_has_one_place_in_all_views(tmp_path):
    for place, model in enumerate(MODELS):
        write_run(tmp_path / "a" / model, [score("mig", 0.5)], model=model)
        if place % 3 == 1:
            write_run(tmp_path / "b" / model, [score("mig", 0.5, representation="sampled")], model=model, seed=1)
    first, second = views_in(tmp_path, most=2)[0]
    assert first.places == second.places == {model: place for place, model in enumerate(MODELS)}
    assert len(second.models) < len(first.models)
