"""Every metric on some codes, and what it declares of its numbers."""

import math
import re
import textwrap
import time
import zlib
from collections.abc import Callable, Iterable, Mapping

import numpy as np
from omegaconf import OmegaConf
from scripts.tables.pages import CONF, PAGES, ROOT, fill

from disent_runner.assembly.build import build_metrics
from disent_runner.commands.help import describe
from disent_runner.machine.markdown import markdown_table
from disent_runner.representations.numbers import Number, numbers_of
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import NotApplicable


def all_metrics() -> dict[str, Callable[..., Mapping[str, float]]]:
    """Every metric with the settings of its YAML; what has no target there is a list of metrics, not one of them."""
    nodes = [OmegaConf.load(path) for path in sorted(CONF.glob("*.yaml"))]
    entries = {name: entry for node in nodes for name, entry in node.items() if "_target_" in (entry or {})}
    return dict(build_metrics(OmegaConf.create({"metric": entries})))


def case_representations() -> dict[str, Representation]:
    """Codes of all 4,096 images of four factors with eight values each, with the width of their posteriors.

    Values lie evenly from -1 to 1, 0.29 apart (standard deviation 0.65); posteriors have a standard deviation of 0.05
    unless said. "noisy": both noise and posteriors of 0.1. "dead": three more codes as of latents that are not in use.
    """
    sizes = (8, 8, 8, 8)
    factors = np.stack(np.unravel_index(np.arange(math.prod(sizes)), sizes), axis=1)
    values = 2 * factors / 7 - 1
    scales = np.array([100, 1, 0.1, 0.01])
    turn = np.array([[1, -1], [1, 1]]) / math.sqrt(2)
    noise = np.random.default_rng(0).standard_normal((3, *values.shape))
    codes_and_widths = {
        "perfect": (values, 0.05),
        "permuted": (values[:, [2, 0, 3, 1]] * [1, -1, 1, -1], 0.05),
        "rescaled": (values * scales, 0.05 * scales),
        "rotated": (values @ np.kron(np.eye(2), turn), 0.05),
        "duplicated": (np.hstack([values, values]), 0.05),
        "missing": (values[:, :3], 0.05),
        "dead": (np.hstack([values, 1e-3 * noise[0, :, :3]]), np.repeat([0.05, 1], [4, 3])),
        "noisy": (values + 0.1 * noise[1], 0.1),
        "noise": (noise[2], 0.05),
    }
    reps = {}
    for case, (codes, width) in codes_and_widths.items():
        logvar = 2 * np.log(np.broadcast_to(width, codes.shape))
        reps[case] = Representation(codes.astype(np.float32), factors, sizes, logvar=logvar.astype(np.float32))
    return reps


def case_table(name: str, metric: Callable[..., Mapping[str, float]], reps: Mapping[str, Representation]) -> str:
    """Up to eight numbers of a metric by case, the headline first, and why it does not apply where it does not."""
    scores: dict[str, Mapping[str, float]] = {}
    reasons: dict[str, list[str]] = {}
    for case, rep in reps.items():
        try:
            scores[case] = metric(rep, rng=np.random.default_rng([0, zlib.crc32(name.encode())]))  # as the stage does
        except NotApplicable as reason:
            scores[case] = {}
            reasons.setdefault(str(reason), []).append(case)
    keys = list(dict.fromkeys(key for values in scores.values() for key in values if not re.search(r"_factor_\d", key)))
    keys = sorted(keys, key=lambda key: key != name)[:8] or [name]
    rows = [[f"`{key}`", *(shown(values.get(key)) for values in scores.values())] for key in keys]
    notes = [f"– {', '.join(cases) if len(cases) < len(reps) else 'all'}: {why}" for why, cases in reasons.items()]
    return markdown_table(["number", *reps], rows) + "".join(f"\n{textwrap.fill(note, 138)}\n" for note in notes)


def shown(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:z.3f}" if abs(value) < 100 else f"{value:.4g}"


def overview(cases: Iterable[str]) -> str:
    """First rows of the tables in the metrics' pages."""
    rows = []
    for path in sorted(PAGES.glob("*.md")):
        _, _, content = path.read_text(encoding="utf-8").partition("<!-- cases -->")
        row = re.search(r"^\| `(\w+)` \| (.*) \|$", content.partition("<!-- /cases -->")[0], flags=re.M)
        if row:
            rows.append([f"[{row[1]}]({path.name})", row[2]])
    return markdown_table(["number", *cases], rows)


def index(names: list[str]) -> str:
    rows = [
        [f"[{name}]" if (PAGES / f"{name}.md").exists() else name, describe(CONF / f"{name}.yaml")] for name in names
    ]
    links = [f"[{name}]: {name}.md" for name in names if (PAGES / f"{name}.md").exists()]
    return markdown_table(["`metric=`", "what it is"], rows) + "\n" + "\n".join(links) + "\n"


def numbers(metrics: Mapping[str, Callable[..., Mapping[str, float]]]) -> str:
    """Every number that a metric declares."""
    rows = [
        [
            f"`{number.name}{'_<size>' if number.sizes else ''}`" + _of_factors(number),
            f"[{name}]",
            {"higher": "↑", "lower": "↓"}.get(number.better or "", ""),
            number.unit or "",
        ]
        for name, metric in metrics.items()
        for number in numbers_of(metric)
    ]
    return markdown_table(["number", "`metric=`", "better", "unit"], rows)


def _of_factors(number: Number) -> str:
    return (", also of each factor" if number.of_all else ", of each factor") * number.per_factor


def write_numbers() -> None:
    fill(PAGES / "README.md", "numbers", numbers(all_metrics()))


def write_cases(chosen: list[str]) -> None:
    metrics, reps = all_metrics(), case_representations()
    if unknown := set(chosen) - metrics.keys():
        raise SystemExit(f"no such metric: {', '.join(sorted(unknown))}; there are {', '.join(metrics)}")
    for name in chosen or metrics:
        page = PAGES / f"{name}.md"
        if not page.exists():
            print(f"{name}: skipped, {page.relative_to(ROOT)} is missing", flush=True)
            continue
        start = time.monotonic()
        fill(page, "cases", case_table(name, metrics[name], reps))
        print(f"{name}: {time.monotonic() - start:.1f} s", flush=True)
    write_numbers()
    fill(PAGES / "README.md", "overview", overview(reps))
    fill(PAGES / "README.md", "index", index(list(metrics)))
