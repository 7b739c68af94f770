from tests.report.folders import score, write_run
from tests.report.plots.conftest import views_in


def test_settings_that_cannot_be_compared_are_not_in_one_view(tmp_path):
    for place, facts in enumerate(({}, {"representation": "sampled"}, {"settings": {"num_bins": 9}})):
        write_run(tmp_path / f"{place}", [score("mig", 0.5, **facts)], seed=place)
    views, notes = views_in(tmp_path, most=2)
    assert [len(view.settings) for view in views] == [1, 1]
    assert notes == ["plots are of the 2 largest groups of settings that can be compared; 1 are not drawn"]
