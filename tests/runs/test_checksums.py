import json

import pytest

from disent_runner.runs.checksums import FILE, changed_bytes, fit, forget, read_file, whole, write_files


@pytest.mark.parametrize("content", [b"other", b"abcd", b"", b"abcdef"])
def test_content_that_was_not_written_is_noticed(tmp_path, content):
    write_files(tmp_path, {"a.json": "abcde", "figures/a.png": b"abcde"})
    assert read_file(tmp_path, "a.json") == b"abcde"
    assert whole(tmp_path) == ["a.json", "figures/a.png"]
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(ValueError, match="not what was written"):
        read_file(tmp_path, "a.json")
    assert whole(tmp_path) == ["figures/a.png"]
    assert not fit(tmp_path, ["a.json"])
    has_the_length = len(content) == 5
    assert (
        fit(tmp_path, ["a.json"], by_size=lambda name: True)
        == changed_bytes(tmp_path, "a.json", content)
        == has_the_length
    )
    (tmp_path / "a.json").unlink()
    assert not fit(tmp_path, ["a.json"], by_size=lambda name: True)


def test_a_kill_between_two_writes_leaves_no_file_that_looks_damaged(tmp_path, monkeypatch):
    def killed(path, content):
        raise KeyboardInterrupt

    write_files(tmp_path, {"a": "first"})
    for text in ("second", "third"):
        monkeypatch.setattr("disent_runner.runs.checksums.write_whole", killed)
        with pytest.raises(KeyboardInterrupt):
            write_files(tmp_path, {"a": text})
        monkeypatch.undo()
        assert read_file(tmp_path, "a") == b"first"
    write_files(tmp_path, {"a": "fourth"})
    assert read_file(tmp_path, "a") == b"fourth"
    write_files(tmp_path, {"a": "fifth"})
    assert len(json.loads((tmp_path / FILE).read_text())["a"]) == 2


def test_a_growing_file_is_vouched_for_up_to_where_it_was(tmp_path):
    log = tmp_path / "log"
    log.write_text("one\n")
    write_files(tmp_path, {"checkpoints/a": "x"}, growing=["log"])
    log.write_text("one\ntwo\n")
    assert read_file(tmp_path, "log") == b"one\ntwo\n"
    for damage in ("0ne\ntwo\n", "on", ""):
        log.write_text(damage)
        assert not fit(tmp_path, ["log"])
    log.unlink()
    write_files(tmp_path, {"b": "other files do not make it forgotten"})
    assert not fit(tmp_path, ["log"])
    log.write_text("0ne\n")
    forget(tmp_path, "log")
    assert fit(tmp_path, ["log"])


def test_checkpoints_that_went_are_forgotten(tmp_path):
    write_files(tmp_path, {"checkpoints/1": "x"})
    (tmp_path / "checkpoints" / "1").unlink()
    write_files(tmp_path, {"checkpoints/2": "x"})
    assert list(json.loads((tmp_path / FILE).read_text())) == ["checkpoints/2"]


@pytest.mark.parametrize("content", [None, "{", "[]", '{"a": 3}', '{"a": [3]}'])
def test_what_is_not_known_is_taken_as_it_is(tmp_path, content):
    (tmp_path / "a").write_text("anything")
    if content is not None:
        (tmp_path / FILE).write_text(content)
    assert read_file(tmp_path, "a") == b"anything"
    assert fit(tmp_path, ["a"])
    assert not fit(tmp_path, ["b"])
