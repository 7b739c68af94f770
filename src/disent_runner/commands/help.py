"""`disent-run --help`: the groups with their choices, read from the config folder itself."""

import re
from pathlib import Path

from disent_runner.machine.texts import hanging

_HEAD = """disent-run trains a disentanglement model, scores it by the metrics of the field
and draws it.

usage: disent-run [group=choice …] [key=value …]
           one run; the same command again resumes it or says it is done
       disent-run -m key=v1,v2 'seed=range(5)'
           a sweep over every combination

examples:
  disent-run model=factorvae dataset=dsprites trainer=quick
  disent-run model=betavae model.beta=8 optimizer.lr=5e-4 seed=3
  disent-run -m model=betavae model.beta=1,4,16 'seed=range(3)' trainer=quick
  disent-run +experiment=chen2016infogan/fig1_bound_smoke
  disent-run 'stages=[evaluate]' 'metric=[mig,dci]' evaluation.num_images=50_000

groups (several choices as 'metric=[a,b]'; * is the default):"""
_TAIL = """
sweeps:     hydra/launcher=joblib       processes here; slurm: a job array; ray
            hydra/sweeper=optuna        a search, with objective=mig or another
options:    --cfg job                   print the composed config
            --info                      how it was composed
            --config-dir DIR            your own groups
            --hydra-help                all of Hydra's options
            HYDRA_FULL_ERROR=1          in the environment: tracebacks
completion: eval "$(disent-run -sc install=bash)"
            eval "$(disent-run -sc install=zsh)"
            disent-run -sc install=fish | source"""
_DEFAULT = re.compile(r"^  - (?P<group>[a-z_]+): (?P<choice>\[[^\]]*\]|\S+) # (?P<what>.+)$", re.MULTILINE)


def help_text(conf: Path, columns: int | None = None) -> str:
    """Groups in the order of run.yaml's defaults list, which also says what each is; then those it leaves out.

    Of `columns` is the terminal that it is for; None: each choice is a line.
    """
    defaults = {match["group"]: match for match in _DEFAULT.finditer((conf / "run.yaml").read_text(encoding="utf-8"))}
    others = sorted(path.name for path in conf.iterdir() if path.is_dir() and path.name not in {*defaults, "hydra"})
    sections = [_section(conf / group, match["choice"], match["what"], columns) for group, match in defaults.items()]
    sections += [
        _section(conf / group, "", f"added as +{group}=…", columns) for group in others if any((conf / group).iterdir())
    ]
    return "\n".join([_HEAD, *sections, _TAIL])


def _section(folder: Path, default: str, what: str, columns: int | None) -> str:
    chosen = set(default.strip("[]").split(", "))
    files = [path for path in sorted(folder.rglob("*.yaml")) if not path.stem.startswith("_")]  # parts of others
    names = {str(path.relative_to(folder).with_suffix("")): path for path in files}
    width = max(len(name) for name in names)
    heads = {f"  {'*' if name in chosen else ' '} {name:<{width}}  ": path for name, path in names.items()}
    lines = [hanging(head, describe(path), columns) for head, path in heads.items()]
    return "\n".join(["", hanging(f" {folder.name}: ", what, columns), *lines])


def describe(path: Path) -> str:
    """A config file's first comment that is not a directive: one line on what it is."""
    comments = (line[1:].strip() for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#"))
    return next((comment for comment in comments if not comment.startswith("@")), "")
