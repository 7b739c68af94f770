"""`disent-data prepare`: the published files where they are missing, and the images converted or rendered once."""

from disent_runner.assembly.dataset_choice import Choice, open_choice
from disent_runner.data_folder import wording
from disent_runner.datasets.card import OFFICIAL, RENDERED, Card, Origin, file_name
from disent_runner.datasets.dataset import Dataset


def prepare(choice: Choice) -> Dataset:
    """The data set, ready in the data folder.

    FileNotFoundError where a file is missing that has no url, ConnectionError where one does not come, ValueError where
    one is not the published one, OSError where the data folder cannot be written.
    """
    fetch(choice)
    return open_choice(choice)


def fetch(choice: Choice) -> None:
    """Download what is missing of the published files, where none of the wanted sources is complete but a renderer."""
    card, data_dir = choice.card, choice.data_dir
    wanted = [origin for origin in card.origins if choice.source in ("auto", origin.source)]
    if any(origin.source != RENDERED and not origin.missing(data_dir, card.name) for origin in wanted):
        return
    origin = _downloadable([origin for origin in wanted if origin.source == OFFICIAL], choice)
    if origin is None:
        return

    from disent_runner.data_folder.downloads import download

    folder = origin.places(data_dir, card.name)[0]
    for file in origin.missing(data_dir, card.name):
        if file.url is not None:
            try:
                download(file, folder / file.name, check_hash=choice.check_hash)
            except ConnectionError as error:
                raise ConnectionError(f"{error}{_instead(card)}") from error


def describe(choice: Choice, dataset: Dataset) -> str:
    """One line on what is there now."""
    origin = choice.card.choose(choice.data_dir, choice.source)
    return wording.stored(dataset.info, choice.data_dir / file_name(choice.card, origin, choice.transform))


def _downloadable(origins: list[Origin], choice: Choice) -> Origin | None:
    """The first whose missing files all have a url, else the first of which any has."""
    missing = [(origin, origin.missing(choice.data_dir, choice.card.name)) for origin in origins]
    complete = (origin for origin, files in missing if all(file.url for file in files))
    partial = (origin for origin, files in missing if any(file.url for file in files))
    return next(complete, next(partial, None))


def _instead(card: Card) -> str:
    return "; or take the rendered images, --source rendered" if RENDERED in card.sources else ""
