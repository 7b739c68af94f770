import re
from pathlib import Path

import pytest

from disent_runner.runs.places import place_of


def recorded(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "config.yaml").write_text(text)
    return folder


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("seed: 3\nrun: {data_name: blob, model_name: vae, id: 0123abcd}", "blob/vae/0123abcd/seed=3"),
        (
            "seed: 3\nrun: {data_name: ../.., model_name: a/b, id: ../0123}",
            r"[0-9a-f]{8}/a_b_[0-9a-f]{8}/\w{8}/seed=3",
        ),
        ("seed: a/b\nrun: 3", r"unknown/unknown/\w{8}/seed=unknown"),
    ],
)
def test_a_run_goes_where_it_was_made_and_no_name_leads_elsewhere(tmp_path, text, place):
    found = str(place_of(recorded(tmp_path / "run", text)))
    assert re.fullmatch(place, found), found
