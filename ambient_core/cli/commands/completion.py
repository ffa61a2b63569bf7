"""``ambient completion``."""

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

_PLACES = {
    "bash": 'eval "$(ambient completion bash)" in ~/.bashrc',
    "zsh": 'eval "$(ambient completion zsh)" in ~/.zshrc',
    "fish": "ambient completion fish > ~/.config/fish/completions/ambient.fish",
}


class _Bash(BashComplete):
    """Bash takes `:` for the end of a word, and names of roles have one: the line is cut at spaces instead."""

    source_template = """\
%(complete_func)s() {
    local line="${COMP_LINE:0:COMP_POINT}" response type value
    local begun="${line##* }" before=""
    local -a words=($line)
    [[ $COMP_WORDBREAKS == *:* && $begun == *:* ]] && before="${begun%%"${begun##*:}"}"
    response=$(env COMP_WORDS="$line" COMP_CWORD=$((${#words[@]} - (${#begun} > 0))) %(complete_var)s=bash_complete $1)
    while IFS=, read -r type value; do
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain) COMPREPLY+=("${value#"$before"}") ;;
        esac
    done <<< "$response"
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""


class _Fish(FishComplete):
    """A name may have a comma; what stands before `=` is a part of the word."""

    source_template = """\
function %(complete_func)s
    set -l begun (commandline -t)
    set -l before (string match -r -- '^-.*?=' $begun)
    for line in (env %(complete_var)s=fish_complete COMP_WORDS=(commandline -cp) COMP_CWORD=$begun %(prog_name)s)
        set -l parts (string split -m 1 , -- $line)
        switch $parts[1]
            case dir
                __fish_complete_directories $parts[2]
            case file
                __fish_complete_path $parts[2]
            case plain
                echo "$before$parts[2]"
        end
    end
end

complete --no-files --command %(prog_name)s --arguments "(%(complete_func)s)"
"""


_SHELLS: dict[str, type[ShellComplete]] = {"bash": _Bash, "zsh": ZshComplete, "fish": _Fish}


@click.command("completion", epilog="; ".join(f"{shell}: {place}" for shell, place in _PLACES.items()))
@click.argument("shell", type=click.Choice(list(_PLACES)))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print what makes a shell complete commands, kinds, names and fields."""
    made = _SHELLS[shell](context.find_root().command, {}, "ambient", "_AMBIENT_COMPLETE")
    click.echo(made.source())
