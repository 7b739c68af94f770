"""`disent-concept RUN …`: what a trained model imagines of words, and says of pictures."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from disent_runner.commands.completion import completed, folders, offer, operators
from disent_runner.commands.options import Arguments, path, version_text, without_comment
from disent_runner.machine.files import check_working_folder, new_file
from disent_runner.machine.output import forgiving_output
from disent_runner.machine.texts import counted, file_stem, printable

if TYPE_CHECKING:
    import numpy as np

    from disent_runner.assembly.trained import TrainedRun
    from disent_runner.datasets.symbols.vocabulary import Vocabulary

_EPILOG = """
RUN is the folder of a run of scan, scan_concepts, jmvae, telbo, …, or a
checkpoint in it. Words are names of the data set's values; those of an
attribute that several factors have are said with it: "red wall".

examples:
  disent-concept RUN imagine "red wall, hat"            into red_wall_hat.png
  disent-concept RUN imagine "red wall AND hat" --out hats.png --seed 1
  disent-concept RUN recombine "red wall" AND "hat"     by a learned operator
  disent-concept RUN recombine "red wall, hat" IGNORE "hat"
  disent-concept RUN describe hat.png other.jpg         or arrays, FILE.npz
  disent-concept RUN describe --rows 0 4000             of its data set
"""
_MOST_IMAGES = 10_000
_IN_BLOCK = 256

Command = Callable[["TrainedRun", argparse.Namespace], None]


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    command_line = Arguments(
        prog="disent-concept",
        description="Imagine what words say, recombine concepts, describe pictures: by a run that learned concepts.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command_line.add_argument("--version", action="version", version=version_text())
    command_line.add_argument("--trust", action="store_true", help="run classes that are not disent-runner's own")
    run = command_line.add_argument("run", metavar="RUN", type=path, help="a run folder, or a checkpoint in one")
    completed(folders, run)
    commands = command_line.add_subparsers(required=True, metavar="COMMAND")

    def add(command: Command, what: str) -> argparse.ArgumentParser:
        added = commands.add_parser(command.__name__.strip("_"), help=what, description=what)
        added.set_defaults(command=command)
        return added

    imagining = add(_imagine, "images of a concept, by its symbols")
    imagining.add_argument("words", nargs="+", metavar="CONCEPT", help='such as "red wall, hat" or "red wall AND hat"')
    recombining = add(_recombine, "images of what a learned operator makes of two concepts")
    words = recombining.add_argument(
        "words", nargs="+", metavar="WORD", help="a concept, then AND, IN COMMON or IGNORE, then another"
    )
    completed(operators, words)
    for one in (imagining, recombining):
        one.add_argument(
            "--out", type=_picture, metavar="FILE.png", help="where to write (default: named by the words)"
        )
        one.add_argument("--num-samples", type=_count, default=16, metavar="N", help="so many images (default: 16)")
        one.add_argument("--seed", type=_whole, default=0, help="of the codes that are drawn (default: 0)")
    describing = add(_describe, "attributes of pictures, with their probabilities")
    describing.add_argument(
        "images", nargs="*", type=path, metavar="IMAGE", help="a PNG or JPEG of the run's size, or an npz file of many"
    )
    describing.add_argument(
        "--rows", nargs="+", type=_whole, default=[], metavar="ROW", help="images of the run's data set, from 0 on"
    )
    describing.add_argument(
        "--num-values", type=_count, default=1, metavar="N", help="so many values of each factor (default: 1)"
    )
    return command_line


def main(arguments: Sequence[str] | None = None) -> None:
    """Exit code 0 when all is done, 1 after a mistake, 130 after Ctrl-C."""
    forgiving_output()
    command_line = parser()
    offer(command_line)
    asked = command_line.parse_args(without_comment(sys.argv[1:] if arguments is None else arguments))
    if asked.command is _describe and not (asked.images or asked.rows):
        command_line.error("describe needs pictures: IMAGE…, or --rows ROW… of the run's data set")
    try:
        check_working_folder()
        if asked.command is not _describe:
            asked.out = asked.out or Path(f"{_stem(asked.words)}.png")
            _refuse_existing(asked.out)
        asked.command(_loaded(asked.run, trust=asked.trust), asked)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("disent-concept: interrupted", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        if os.environ.get("HYDRA_FULL_ERROR") == "1":
            raise
        _say(error)
        sys.exit(1)


def _loaded(run: Path, *, trust: bool) -> "TrainedRun":
    """ValueError for a run whose training has not ended, unless a checkpoint is named."""
    from disent_runner.runs.folder import run_folder_of

    run_folder_of(str(run))  # before seconds of imports

    from disent_runner.assembly.trained import load_run

    loaded = load_run(str(run), device="cpu", trust=trust)
    max_steps = loaded.config.trainer.max_steps
    if run.suffix != ".pt" and loaded.model.takes_steps and loaded.step < max_steps:
        raise ValueError(
            f"{run}: its training is at step {loaded.step} of {max_steps}; type its command again, which goes on, or "
            f"name a checkpoint in it"
        )
    return loaded


def _imagine(run: "TrainedRun", asked: argparse.Namespace) -> None:
    from disent_runner.datasets.symbols.phrases import parse, phrase_of

    said, vocabulary = " ".join(asked.words), run.symbols.vocabulary
    concept = phrase_of(parse(said, vocabulary).result, vocabulary)
    _write(run.imagine(said, asked.num_samples, seed=asked.seed), concept, asked.out)


def _recombine(run: "TrainedRun", asked: argparse.Namespace) -> None:
    from disent_runner.datasets.symbols.phrases import parse, phrase_of

    vocabulary = run.symbols.vocabulary
    said = parse(" ".join(asked.words), vocabulary)
    if said.operator is None or said.second is None:
        raise ValueError("recombine needs two concepts with AND, IN COMMON or IGNORE between them")
    first, second, result = (phrase_of(concept, vocabulary) for concept in (said.first, said.second, said.result))
    images = run.recombine(first, said.operator.name, second, asked.num_samples, seed=asked.seed)
    _write(images, f"{first} {said.operator.name} {second}, which is {result}", asked.out)


def _describe(run: "TrainedRun", asked: argparse.Namespace) -> None:
    vocabulary = run.symbols.vocabulary
    for names, images in _given(run, asked.images, asked.rows):
        for name, probabilities in zip(names, run.describe(images), strict=True):
            print(printable(name))
            for line in _attributes(vocabulary, probabilities, asked.num_values):
                print(printable(line))


def _given(run: "TrainedRun", paths: Sequence[Path], rows: Sequence[int]) -> Iterator[tuple[list[str], "np.ndarray"]]:
    """Images with what each is called, a block at a time: those of files, then those of rows of the data set."""
    from disent_runner.datasets.card import readers_errors
    from disent_runner.datasets.readers.image_files import read_picture
    from disent_runner.datasets.readers.labelled_arrays import OPENERS, read_arrays

    for file in paths:
        if not file.exists():
            raise FileNotFoundError(f"{file}: no such file; name pictures, or an npz file that holds images")
        if file.is_dir():
            raise IsADirectoryError(f"{file} is a folder; name the pictures in it")
        with readers_errors(str(file)):
            if file.suffix not in OPENERS:
                yield [str(file)], read_picture(file, run.info.image_shape)[None]
                continue
            start = 0
            for block in read_arrays(file).blocks:
                yield [f"{file}[{start + place}]" for place in range(len(block))], block
                start += len(block)
    if rows:
        yield from _of_data_set(run, rows)


def _of_data_set(run: "TrainedRun", rows: Sequence[int]) -> Iterator[tuple[list[str], "np.ndarray"]]:
    """Rows of the run's data set, each called by what it shows."""
    import numpy as np
    import torch

    from disent_runner.datasets.symbols.phrases import phrase_of

    dataset, symbols = run.dataset(), run.symbols
    if max(rows) >= len(dataset):
        raise ValueError(
            f"--rows {max(rows)}: the data set has {counted(len(dataset), 'image')}, 0 to {len(dataset) - 1}"
        )
    columns = [list(dataset.space.sizes).index(name) for name in symbols.factors]
    for start in range(0, len(rows), _IN_BLOCK):
        block = np.array(rows[start : start + _IN_BLOCK])
        shown = dataset.space.factors(block)[:, columns]
        names = [
            f"row {row}: {phrase_of(values[None], symbols.vocabulary)}"
            for row, values in zip(block.tolist(), shown, strict=True)
        ]
        yield names, dataset.gather(torch.from_numpy(block)).numpy()


def _attributes(vocabulary: "Vocabulary", probabilities: "np.ndarray", num_values: int) -> Iterator[str]:
    """A line for each factor: its most probable values."""
    width = max(map(len, vocabulary.sizes))
    for start, (factor, size) in zip(vocabulary.starts.tolist(), vocabulary.sizes.items(), strict=True):
        best = sorted(range(start, start + size), key=lambda symbol: -probabilities[symbol])[:num_values]
        values = ", ".join(f"{vocabulary.names[symbol]} {probabilities[symbol]:.2f}" for symbol in best)
        yield f"  {factor:<{width}}  {values}"


def _write(images: "np.ndarray", what: str, out: Path) -> None:
    """The images in rows and columns as one PNG; a single one is as it is, for `describe` too."""
    import math

    import numpy as np
    from PIL import Image

    from disent_runner.figures.grid import tile

    count, channels, height, width = images.shape
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    whole = np.ones((rows * columns, channels, height, width), np.float32)
    whole[:count] = images
    picture = tile(whole.reshape(rows, columns, channels, height, width))
    with new_file(out) as partial:
        Image.fromarray(picture if channels == 3 else picture[..., 0]).save(partial, format="PNG")
    print(printable(f"{counted(count, 'image')} of {what}: {out}"))


def _stem(words: Sequence[str]) -> str:
    """A name for a file by what was typed."""
    return file_stem("_".join(" ".join(words).replace(",", " ").split()))


def _refuse_existing(out: Path) -> None:
    if out.exists():
        raise FileExistsError(f"{out} is already there; remove it, or name another file: --out FILE.png")


def _picture(typed: str) -> Path:
    out = path(typed)
    if out.suffix.lower() != ".png":
        raise argparse.ArgumentTypeError(f"expected a name that ends in .png, got {typed}")
    return out


def _whole(typed: str) -> int:
    if not (typed.isascii() and typed.isdecimal()) or len(typed) > 18:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 0, got {typed}")
    return int(typed)


def _count(typed: str) -> int:
    if not 1 <= (number := _whole(typed)) <= _MOST_IMAGES:
        raise argparse.ArgumentTypeError(f"expected 1 to {_MOST_IMAGES:,}, got {typed}")
    return number


def _say(error: Exception) -> None:
    from disent_runner.assembly.conf import CONF
    from disent_runner.assembly.mistakes import in_one_line

    print(f"disent-concept: {in_one_line(error, CONF)}", file=sys.stderr)
