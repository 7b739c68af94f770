"""The script that makes the tables of docs/metrics, and that the pages hold what it makes."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from scripts.tables import cases, estimators, pages, reference

from disent_runner.representations.requirements import NotApplicable

pytestmark = pytest.mark.slow  # many fits; `make test` runs them

ROOT = Path(__file__).parents[1]


def between_markers(page: str, mark: str) -> str:
    text = (ROOT / "docs" / "metrics" / page).read_text()
    (content,) = re.findall(rf"<!-- {mark} -->\n\n?(.*?)\n?<!-- /{mark} -->", text, flags=re.DOTALL)
    return content


def metric_names() -> list[str]:
    return [path.stem for path in sorted(pages.CONF.glob("*.yaml")) if "_target_" in path.read_text()]


def test_every_metric_is_enrolled_and_no_preset():
    assert sorted(cases.all_metrics()) == metric_names()


def test_every_metric_has_a_page_with_a_table_of_all_cases():
    header = f"| number | {' | '.join(cases.case_representations())} |"
    for name in metric_names():
        assert between_markers(f"{name}.md", "cases").startswith(header), name
        assert f"[{name}]: {name}.md" in between_markers("README.md", "index")
        first = between_markers(f"{name}.md", "cases").splitlines()[2]
        key, _, values = first.removeprefix("| `").partition("` | ")
        assert f"| [{key}]({name}.md) | {values}" in between_markers("README.md", "overview")


def test_a_page_holds_what_the_script_gives():
    assert between_markers("mig.md", "cases") == cases.case_table(
        "mig", cases.all_metrics()["mig"], cases.case_representations()
    )


def test_cases_are_what_their_names_say():
    reps = cases.case_representations()
    perfect = reps["perfect"].codes.astype(float)
    assert len(np.unique(reps["perfect"].factors, axis=0)) == len(perfect) == 8**4
    np.testing.assert_allclose(np.abs(np.corrcoef(perfect.T, reps["perfect"].factors.T)[:4, 4:]), np.eye(4), atol=1e-6)
    rotated = np.corrcoef(reps["rotated"].codes.T, perfect.T)[:4, 4:]
    np.testing.assert_allclose(np.abs(rotated), np.kron(np.eye(2), np.full((2, 2), 0.5**0.5)), atol=1e-6)
    permuted = np.corrcoef(reps["permuted"].codes.T, perfect.T)[:4, 4:]
    np.testing.assert_allclose(np.sort(permuted.ravel()), [-1] * 2 + [0] * 12 + [1] * 2, atol=1e-6)
    np.testing.assert_allclose(reps["rescaled"].codes / perfect, np.broadcast_to([100, 1, 0.1, 0.01], (4096, 4)), 1e-6)
    np.testing.assert_array_equal(reps["duplicated"].codes[:, :4], reps["duplicated"].codes[:, 4:])
    assert reps["missing"].codes.shape == (4096, 3)
    np.testing.assert_allclose(reps["dead"].codes[:, 4:].std(axis=0), 1e-3, rtol=0.05)
    np.testing.assert_allclose((reps["noisy"].codes - perfect).std(axis=0), 0.1, rtol=0.05)
    assert np.abs(np.corrcoef(reps["noise"].codes.T, perfect.T)[:4, 4:]).max() < 0.06  # four standard errors
    logvar = reps["rescaled"].logvar
    assert logvar is not None
    np.testing.assert_allclose(np.exp(logvar[0] / 2), [5, 0.05, 0.005, 0.0005], rtol=1e-5)


def test_a_case_table_puts_the_headline_first_and_says_why_a_cell_is_empty():
    def score(rep, *, rng):
        if rep.codes.shape[1] > 4:
            raise NotApplicable("score needs at most 4 codes")
        return {"other": -1e-9, "score": 1234.5678, "score_factor_0": 0.5}

    lines = cases.case_table("score", score, cases.case_representations()).splitlines()
    assert lines[2] == "| `score` | 1235 | 1235 | 1235 | 1235 | – | 1235 | – | 1235 | 1235 |"
    assert lines[3] == "| `other` | 0.000 | 0.000 | 0.000 | 0.000 | – | 0.000 | – | 0.000 | 0.000 |"
    assert lines[4:] == ["", "– duplicated, dead: score needs at most 4 codes"]


def test_the_overview_takes_first_rows_of_case_tables_and_of_no_others(tmp_path, monkeypatch):
    monkeypatch.setattr(cases, "PAGES", tmp_path)
    settings = "| `setting` | 1 |\n"
    rows = "| number | one |\n| --- | --- |\n| `score` | 0.500 |\n| `other` | 0.700 |\n"
    (tmp_path / "full.md").write_text(f"{settings}<!-- cases -->\n{rows}<!-- /cases -->\n{settings}")
    (tmp_path / "empty.md").write_text(f"<!-- cases -->\n<!-- /cases -->\n{settings}")
    assert cases.overview(["one"]).splitlines()[2:] == ["| [score](full.md) | 0.500 |"]


def test_every_reference_value_is_compared_by_one_call():
    expected = json.loads((ROOT / "tests" / "metrics" / "oracles" / "expected.json").read_text())
    for oracle in expected:
        group, _, suffix = oracle.split("/", 2) if oracle.count("/") > 1 else (*oracle.split("/"), "")
        if group not in reference.TRUTHS:
            assert sum(re.fullmatch(pattern, suffix) is not None for pattern in reference.CALLS) == 1, oracle


def test_comparisons_of_numbers_dictionaries_and_arrays():
    ours = {"pairwise": np.array([[0.0, 0.5], [0.7, 0.0]]), "scores": np.array([0.1, 0.2])}
    expected = {"pairwise": [[0.0, 0.5], [0.4, 0.0]], "scores": [0.1, 0.2]}
    first, second = reference.compare("udr", "set", ours, expected, {"pairwise": 0.1, "scores": 0.2})
    assert (first.number, first.ours, first.reference, first.outside) == ("udr, pairwise", 0.7, 0.4, True)
    assert (second.number, second.difference, second.tolerance, second.outside) == ("udr, scores", 0.0, 0.2, False)
    (undefined,) = reference.compare("tc", "set", 3.0, None, 0.1)
    assert (undefined.ours, undefined.reference, undefined.outside) == (3.0, None, False)


def test_filling_keeps_the_rest_of_the_page_and_needs_the_markers(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- cases -->\nold \\1\n<!-- /cases -->\nafter\n")
    for _ in range(2):
        pages.fill(page, "cases", "| new \\1 |\n")
        assert page.read_text() == "before\n<!-- cases -->\n\n| new \\1 |\n\n<!-- /cases -->\nafter\n"
    with pytest.raises(
        ValueError, match=r"page.md needs the lines <!-- index --> and <!-- /index --> once, got them 0"
    ):
        pages.fill(page, "index", "")


def test_minibatch_errors_of_the_whole_set_are_the_missing_logarithms():
    """The weighted estimate from all N images lacks log N in the joint and in each of the three marginals."""
    mean, logvar = (torch.from_numpy(array).double() for array in estimators.posterior_arrays("mixture", "curved"))
    log_n = np.log(200)
    found = estimators.batch_error(mean, logvar, 200, "weighted", 0)
    assert found == pytest.approx((-log_n, -3 * log_n, 2 * log_n), abs=1e-9)


def test_the_page_lists_what_the_metrics_declare():
    """`python scripts/metric_tables.py numbers` writes it."""
    assert between_markers("README.md", "numbers") == cases.numbers(cases.all_metrics())
