"""`disent-run -sc install=zsh`: Hydra's own words for zsh are those for bash, which zsh cannot read.

A zsh without an own set-up has not loaded its completion, to which `compdef` belongs.
"""

from collections.abc import Sequence

ZSH = """_disent_run() {
    local -a choices
    choices=(${=$(COMP_LINE="${(j: :)words[1,CURRENT]}" disent-run -sc query=bash)})
    compadd -S '' -- $choices
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _disent_run disent-run"""


def is_asked_for_zsh(arguments: Sequence[str]) -> bool:
    return list(arguments) in (["-sc", "install=zsh"], ["--shell-completion", "install=zsh"])
