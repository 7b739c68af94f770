import os

from disent_runner.machine.digests import is_as_noted, remembered, touched


def test_a_hash_is_taken_once_until_the_file_is_touched(tmp_path):
    path, note, taken = tmp_path / "data", tmp_path / "note", []
    path.write_text("one")

    def take():
        taken.append(path.read_text())
        return {"content": taken[-1]}

    def known():
        return remembered(repr(touched(path)), note, take)

    assert known() == known() == {"content": "one"}
    times = path.stat()
    path.write_text("two")  # as long, and by its times as old
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert known() == {"content": "two"}
    whole = note.read_text()
    for damaged in ("{", "[]", whole.replace("two", "too"), whole.replace("content", "contend")):
        note.write_text(damaged)
        assert known() == {"content": "two"}
    assert taken == ["one"] + ["two"] * 5


def test_without_a_place_for_notes_a_hash_is_taken_each_time(tmp_path):
    assert remembered("state", tmp_path / "nowhere" / "note", lambda: {"a": "b"}) == {"a": "b"}
    assert not (tmp_path / "nowhere").exists()


def test_a_changed_byte_is_noticed_and_a_copy_is_not_another_file(tmp_path):
    path, note = tmp_path / "data", tmp_path / "note"
    path.write_bytes(b"12345")
    assert not is_as_noted(path, note, lambda: False)  # nothing known: who can tell says no
    assert is_as_noted(path, note, lambda: True)
    path.write_bytes(b"12345")
    assert is_as_noted(path, note, lambda: False)
    path.write_bytes(b"12346")
    assert not is_as_noted(path, note, lambda: True)
