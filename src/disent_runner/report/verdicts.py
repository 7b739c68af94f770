"""What the recipes' sweeps in a report came to, from the verdict.json that each leaves."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from disent_runner.machine.files import read_json
from disent_runner.report.run import Omission

_FILE = "verdict.json"


@dataclass(frozen=True)
class Claim:
    """A claim of a study, its verdict in words, and the gain with its interval."""

    text: str
    verdict: str
    words: str
    gain: str


@dataclass(frozen=True)
class Verdict:
    """A study and how it was judged; all are texts as the file has them."""

    folder: Path
    experiment: str
    shows: str
    source: str
    scale: str
    verdict: str
    """holds, against, not shown or n/a"""
    judged_by: str
    """interval, or direction where a claim has too few seeds for one"""
    claims: list[Claim]
    head: list[str]
    lines: list[list[str]]
    """the study's table: a line per setting"""

    @property
    def words(self) -> str:
        return self.verdict + (" by direction alone" if self.judged_by == "direction" else "")


def read_verdicts(folders: Iterable[Path]) -> tuple[list[Verdict], list[Omission]]:
    """Of the sweeps that the folders are or hold in `sweeps/`, by path, each once; and files that are damaged."""
    verdicts: dict[Path, Verdict] = {}
    damaged: dict[Path, Omission] = {}
    for folder in folders:
        for sweep in sorted([folder, *folder.glob("sweeps/*")]):
            path = sweep / _FILE
            if path.is_file() and not path.is_symlink():
                try:
                    verdicts[path.resolve()] = _verdict(sweep, read_json(path, default={}))
                except (OSError, ValueError) as error:
                    damaged[path.resolve()] = Omission(sweep, str(error))
                except (AttributeError, KeyError, TypeError, IndexError):
                    damaged[path.resolve()] = Omission(sweep, f"{_FILE} is damaged: it is no verdict of disent-run")
    return list(verdicts.values()), list(damaged.values())


def _verdict(folder: Path, node: Mapping[str, Any]) -> Verdict:
    from disent_runner.study.study import texts  # statistics, of no use to a report without a verdict

    head, lines = texts(node.get("table") or [])
    return Verdict(
        folder,
        *(str(node.get(key) or "") for key in ("experiment", "shows", "source", "scale")),
        verdict=str(node["verdict"]),
        judged_by=str(node.get("judged_by", "direction")),
        claims=[_claim(claim) for claim in node["claims"].values()],
        head=head if lines else [],
        lines=lines,
    )


def _claim(node: Mapping[str, Any]) -> Claim:
    from disent_runner.study.claims import gain_text, verdict_text

    gain = gain_text(node) if "gain" in node else str(node.get("reason", ""))
    return Claim(str(node["claim"]), str(node["verdict"]), verdict_text(node), gain)
