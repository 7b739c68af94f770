"""docs/settings.md: every key and what it may be, from where it is declared. `python scripts/setting_tables.py`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from disent_runner.assembly import schema
from disent_runner.assembly.checking import READ, hints, is_section, parts_of
from disent_runner.assembly.conf import CONF, choices
from disent_runner.assembly.declared import signature_of
from disent_runner.assembly.kinds import described
from disent_runner.machine.markdown import markdown_table

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"
HEAD = """# Settings
What each key may be. Every value is held against this once a command is composed, before data are opened or anything
is written, and what does not fit is one line: `model.beta=-1: expected a number of at least 0`. `true` is no number and
text is none; NaN and infinity are never taken. A key that nothing reads is refused as well, and so is a key that is
typed twice. What a key means stands beside it in its file in `conf/`.

The tables are made by `python scripts/setting_tables.py` from the schema (`assembly/schema.py`) and from the
annotations of classes and functions, in the words of `machine/ranges.py`; a setting that you add to a model is checked
and listed by its annotation, `beta: NonNegative`.
"""
SECTIONS = {"": schema.Run, "dataset.": schema.Dataset, "trainer.": schema.Trainer, "evaluation.": schema.Evaluation}
GROUPS = {"model": "model", "metric": "metric", "figure": "figure", "likelihood": "likelihood"}
GROUPS |= {"split": "dataset.split", "joint": "dataset.joint", "dataset": "dataset.card"}
TORCH = {"optimizer": schema.Optimizer, "schedule": schema.Schedule}


def page() -> str:
    parts = [HEAD, "## Every run\n" + of_sections(SECTIONS)]
    for group, place in GROUPS.items():
        parts.append(f"## {group}\n" + markdown_table(("key", "may be", "of"), of_group(group, place)))
    parts += [f"## {group}\n" + of_sections({f"{group}.": keys}) for group, keys in TORCH.items()]
    return "\n".join(parts)


def of_sections(sections: Mapping[str, type]) -> str:
    rows = [(f"`{start}{key}`", words(kind)) for start, keys in sections.items() for key, kind in hints(keys).items()]
    return markdown_table(("key", "may be"), [row for row in rows if row[1]])


def of_group(group: str, place: str) -> Iterator[tuple[str, str, str]]:
    """Rows of keys, what they may be, and the choices of the group that have them."""
    found: dict[tuple[str, str], list[str]] = {}
    for name in choices(group):
        for inner, node in parts_of(_loaded(group, name), place):
            target = str(node["_target_"])
            signature = None if target.startswith("torch.") else signature_of(target)
            is_whole = inner == place and group != "dataset"  # elsewhere the code passes some of them
            for key, kind in signature.types.items() if signature is not None else ():
                if words(kind) and (is_whole or key in node):
                    read = READ.fullmatch(str(node.get(key))) if group == "dataset" else None
                    found.setdefault((f"`{read[1] if read else f'{inner}.{key}'}`", words(kind)), []).append(name)
    for (key, kind), names in found.items():
        yield key, kind, ", ".join(names)


def _loaded(group: str, name: str) -> Mapping[str, Any]:
    node: Any = OmegaConf.to_container(OmegaConf.load(CONF / group / f"{name}.yaml"))
    return node["card"] if group == "dataset" else node


def words(kind: Any) -> str:
    """Nothing for objects, which are chosen by the name of a file, and for what only the code passes."""
    said = "" if is_section(kind) else described(kind)
    is_told = not any(words in said for words in ("anything", "_target_", "a list of values"))
    return said.replace("|", "\\|") if is_told else ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
