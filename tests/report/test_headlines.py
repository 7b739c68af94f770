from disent_runner.report.headlines import directions, headline_numbers
from disent_runner.report.runs import read_runs
from tests.report.folders import score, write_run


def runs_of(folder):
    return read_runs([folder])[0]


def headlines(tmp_path, *scores) -> dict[str, str]:
    write_run(tmp_path / "seed=0", scores)
    return headline_numbers(runs_of(tmp_path))


def test_the_number_of_the_metric_s_own_name_is_its_headline(tmp_path):
    most = score("mig_most", 1.0, metric="mig", better="higher")
    assert headlines(tmp_path, score("mig", 0.1), score("mig", 0.2, factor="shape"), most) == {"mig": "mig"}


def test_without_it_those_with_a_better_side_are(tmp_path):
    scores = [
        score("infom", 0.1, metric="infomec", better="higher"),
        score("infom", 0.1, metric="infomec", better="higher", factor="shape"),
        score("codes", 10.0, metric="infomec"),
    ]
    assert headlines(tmp_path, *scores) == {"infom": "infomec"}


def test_without_those_all_but_the_factors_are(tmp_path):
    scores = [score(name, 0.1, metric="kl_decomposition") for name in ("kl", "index_code_mi")]
    scores.append(score("kl", 0.1, metric="kl_decomposition", factor="scale"))
    assert headlines(tmp_path, *scores) == {"kl": "kl_decomposition", "index_code_mi": "kl_decomposition"}


def test_two_metrics_with_a_number_of_one_name_stay_apart(tmp_path):
    assert headlines(tmp_path, score("mig", 0.25), score("mig", 0.75, metric="mig30")) == {
        "mig/mig": "mig",
        "mig30/mig": "mig30",
    }


def test_a_direction_that_one_folder_knows_holds_for_all(tmp_path):
    write_run(tmp_path / "a", [score("mig", 0.25, better=None)], seed=0)
    write_run(tmp_path / "b", [score("mig", 0.25), score("active_units", 3.0)], seed=1)
    assert directions(runs_of(tmp_path)) == {"mig": "higher", "active_units": None}
