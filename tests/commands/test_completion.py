import os
import sys
from pathlib import Path

from disent_runner.commands.completion import ZSH, shell_to_install
from tests import shells

ENVIRONMENT = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def typed(shell: str, script: str) -> list[str]:
    return shells.typed(shell, "-c", script, environment=ENVIRONMENT).split()


BASH = """
offered() {
    COMP_LINE="$*" COMP_POINT=${#COMP_LINE} COMP_TYPE=9 COMPREPLY=()
    _python_argcomplete "${1%% *}" && printf '%s\\n' "${COMPREPLY[@]}"
}
"""


def test_the_shell_is_read_from_the_command():
    assert shell_to_install(["-sc", "install=zsh"]) == "zsh"
    assert shell_to_install(["--shell-completion", "install=bash"]) == "bash"
    assert shell_to_install(["-sc", "install=csh"]) is None
    assert shell_to_install(["model=vae"]) is None


def test_zsh_offers_choices(tmp_path):
    stubs = 'compdef() { }; compadd() { shift 3; print -l -- "$@" }'
    script = f"{stubs}\n{ZSH}\nwords=(disent-run model=bt); CURRENT=2; _disent_run"
    assert typed("zsh", f"cd {tmp_path}; {script}") == ["model=btcvae"]


def test_zsh_without_a_set_up_loads_what_completes(tmp_path):
    environment = {**ENVIRONMENT, "HOME": str(tmp_path)}
    assert shells.typed("zsh", "-fc", f"{ZSH}\nprint $_comps[disent-run]", environment=environment) == "_disent_run\n"


def test_zsh_reads_the_words_for_all_commands(tmp_path):
    ready = 'autoload -U compinit; compinit -u -D; eval "$(disent-run -sc install=zsh)"'
    script = f"{ready}; print -l ${{(k)_comps[(I)disent*]}}"
    assert sorted(typed("zsh", f"cd {tmp_path}; {script}")) == [
        *("disent-concept", "disent-data", "disent-report", "disent-run"),
    ]


def test_zsh_offers_datasets(tmp_path):
    stubs = 'compdef() { }; _describe() { print -l -- "${(P@)2%:}" }'  # of its WORD:HELP
    asked = "BUFFER='disent-data prepare toyl'; CURSOR=$#BUFFER; words=(${=BUFFER}); _python_argcomplete"
    script = f'{stubs}; eval "$(disent-run -sc install=zsh)"; {asked}'
    assert typed("zsh", f"cd {tmp_path}; {script}") == ["toylab", "toylab8"]


def test_fish_offers_recipes_datasets_and_folders(tmp_path):
    (tmp_path / "outputs" / "blob").mkdir(parents=True)
    asked = ["disent-run +experiment=chen2018/", "disent-data prepare toyl", "disent-report out"]
    script = "; ".join(f'complete -C"{line}"' for line in asked)
    assert typed("fish", f"cd {tmp_path}; disent-run -sc install=fish | source; {script}") == [
        *("+experiment=chen2018/bias", "+experiment=chen2018/bias_smoke"),
        *("toylab", "toylab8"),
        "outputs/",
    ]


def test_bash_offers_commands_datasets_settings_and_folders(tmp_path):
    (tmp_path / "outputs" / "blob").mkdir(parents=True)
    (tmp_path / "own" / "dataset").mkdir(parents=True)
    (tmp_path / "own" / "dataset" / "mine.yaml").write_text("path: mine.npz\n")
    offers = {
        "disent-data ": ["list", "prepare", "verify", "info", "export"],
        "disent-data prepare toyl": ["toylab", "toylab8"],
        "disent-data prepare --config-dir own mi": ["mine"],
        "disent-data prepare blob --source r": ["rendered"],
        "disent-data info custom dataset.p": ["dataset.path="],
        "disent-data verify --d": ["--data-dir"],
        "disent-report ou": ["outputs/"],
        "disent-report --out outputs/": ["outputs/blob/"],
        "disent-report --w": ["--watch"],
        "disent-concept ou": ["outputs/"],
        "disent-concept outputs ": ["imagine", "recombine", "describe"],
        "disent-concept outputs imagine hat --n": ["--num-samples"],
        "disent-concept outputs recombine hat A": ["AND"],
    }
    script = "\n".join(f"offered {line!r}; echo ." for line in offers)
    said = typed("bash", f'cd {tmp_path}; eval "$(disent-run -sc install=bash)"; {BASH}\n{script}')
    assert [part.split() for part in " ".join(said).split(" .")][:-1] == list(offers.values())
