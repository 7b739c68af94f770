import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from disent_runner.loggers.tensorboard import TensorBoardMirror


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_numbers_table_settings_and_pictures_are_in_the_event_files(notes, scores, pictures, tmp_path):
    logger = TensorBoardMirror(run=notes, save_dir=tmp_path, name="tensorboard", version="")
    logger.log_metrics({"train/loss": 3.0}, step=1)
    logger.log_scores(scores, 5)
    logger.log_pictures(pictures, 5)
    logger.finalize("success")
    events: dict[str, dict] = {"scalars": {}, "images": {}, "tensors": {}, "plugins": {}}
    for folder in {path.parent for path in (tmp_path / "tensorboard").rglob("events.out.*")}:
        read = EventAccumulator(str(folder)).Reload()
        tags = read.Tags()
        events["scalars"] |= {tag: [event.value for event in read.Scalars(tag)] for tag in tags["scalars"]}
        events["images"] |= {tag: read.Images(tag)[0] for tag in tags["images"]}
        events["tensors"] |= {tag: read.Tensors(tag)[0] for tag in tags["tensors"]}
        events["plugins"] |= read.PluginTagToContent("hparams")
    assert events["scalars"] == {"train/loss": [3.0], "mig_x": [0.5], "mig": [0.25]}
    assert b"| sap |" in events["tensors"]["metrics/text_summary"].tensor_proto.string_val[0]
    for path in pictures:
        shown = events["images"][f"figures/{path.stem}"]
        assert (shown.encoded_image_string, shown.width, shown.height) == (path.read_bytes(), 12, 8)
    start = str(events["plugins"]["_hparams_/session_start_info"])
    assert all(name in start for name in ("model.beta", "betavae", "8d6e"))
