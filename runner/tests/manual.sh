#!/usr/bin/env bash
# manual.sh SMCRUN FOLDER: the manual page and the completions in FOLDER know every option that --help of a command tells of.
# Completion is tried in bash, and in fish and zsh, and the page read by mandoc and man, where these are installed.
set -euo pipefail
smcrun=$(realpath "$1") folder=$(realpath "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir sub
touch one.lua other.txt 'with blank.lua'
export LC_ALL=C HOME=$work

die() {
    printf '%s\n' "$*" >&2
    exit 1
}

is() { # is WHAT WANTED GOT
    [[ $2 == "$3" ]] || die "$1: wanted (<), and is (>)"$'\n'"$(diff <(echo "$2") <(echo "$3"))"
}

# options COMMAND: both names of each, sorted
options() {
    local names
    names=$("$smcrun" "$1" --help | sed -nE 's/^  (-[a-zA-Z], |    )(--[a-z-]+)( .*)?$/\1 \2/p' | tr -d ', ' | sed -E 's/^(-[a-zA-Z])--/\1\n--/')
    [[ $(grep -c '^--' <<<"$names") -ge 3 ]] || die "--help of $1 shows no options"
    sort -u <<<"$names"
}
mapfile -t commands < <("$smcrun" --help | sed -nE 's/^       smcrun ([a-z-]+) .*/\1/p' | sort -u)
[[ ${#commands[@]} -ge 3 ]] || die 'no commands in --help'

manual_page() {
    local plain command
    plain=$(sed 's/\\-/-/g' "$folder/smcrun.1")
    section() { # section COMMAND: its names of options, as the page has them
        local from='^\.SS '"$1"'$'
        [[ $1 != run ]] || from='^\.SH OPTIONS$'
        sed -n "/$from/,\$p" <<<"$plain" | awk -v run="$1" 'NR > 1 && (/^\.SH/ || run != "run" && /^\.SS/) { exit } { print }' |
            sed -nE 's/^\.B ((-[a-zA-Z]), )?(--[a-z-]+).*/\2\n\3/p' | grep . | sort -u
    }
    for command in run "${commands[@]}"; do
        is "options of $command in the page" "$(options "$command")" "$(section "$command")"
    done
    ! command -v man >/dev/null || is 'what man warns of' '' "$(man --warnings -E UTF-8 -l -Tutf8 -Z "$folder/smcrun.1" 2>&1 >/dev/null)"
    ! command -v mandoc >/dev/null || is 'what mandoc warns of' '' "$(mandoc -T lint -W warning "$folder/smcrun.1" 2>&1)"
}

# in_bash LINE: what bash would offer, sorted
in_bash() {
    local COMP_LINE=$1 COMP_POINT=${#1} COMPREPLY=()
    _smcrun
    printf '%s\n' "${COMPREPLY[@]}" | sort -u
}

bash_completion() {
    local command
    bash -n "$folder/smcrun.bash"
    # shellcheck disable=SC1091
    source "$folder/smcrun.bash"
    complete -p smcrun >/dev/null
    for command in run "${commands[@]}"; do
        is "options of $command in bash" "$(options "$command")" "$(in_bash "smcrun $command -")"
    done
    is 'without a command' "$(options run)" "$(in_bash 'smcrun -')"
    is 'first word' "$(printf '%s\n' run "${commands[@]}" sub one.lua 'with blank.lua' | sort -u)" "$(in_bash 'smcrun ')"
    is 'a path' $'one.lua\nsub\nwith blank.lua' "$(in_bash 'smcrun -v ')"
    is 'words' $'sandbox\ntestnet' "$(in_bash 'smcrun --target ')"
    is 'words of another command' 'testnet' "$(in_bash 'smcrun clean --target ')"
    is 'a word behind =' 'virtual' "$(in_bash 'smcrun --clock=v')"
    is 'a report' 'junit' "$(in_bash 'smcrun one.lua --report jun')"
    is 'its file' 'other.txt' "$(in_bash 'smcrun one.lua --report junit:oth')"
    is 'a file' 'other.txt' "$(in_bash 'smcrun --env-file oth')"
    is 'a folder' 'sub' "$(in_bash 'smcrun --transcripts ')"
    is 'a short name' '' "$(in_bash 'smcrun -j ')"
    is 'venues' $'binance\nbybit' "$(in_bash 'smcrun serve --tls b')"
}

in_fish() {
    fish -N -c 'source $argv[1]; complete -C $argv[2]' "$folder/smcrun.fish" "$1" | cut -f 1 | sort -u
}

fish_completion() {
    local command
    fish -n "$folder/smcrun.fish"
    for command in run "${commands[@]}"; do
        is "options of $command in fish" "$(options "$command" | grep '^--')" "$(in_fish "smcrun $command --")"
    done
    is 'first word' "$(printf '%s\n' run "${commands[@]}" | sort -u)" "$(in_fish 'smcrun ' | grep -v '\.\|sub')"
    is 'words' $'sandbox\ntestnet' "$(in_fish 'smcrun --target ')"
    is 'words of another command' 'testnet' "$(in_fish 'smcrun clean --target ')"
    is 'venues' $'binance\nbybit\noanda' "$(in_fish 'smcrun serve ')"
}

# There is no way to ask zsh for its offers but a terminal: what it would be asked to offer is listed instead.
zsh_completion() {
    local command
    zsh -n "$folder/_smcrun"
    for command in run "${commands[@]}"; do
        is "options of $command in zsh" "$(options "$command")" "$(zsh -f -c '
            _arguments() { print -rl -- "${@[@]:#(-s|-S|:)}" }
            _describe() { }
            words=(smcrun '"$command"' -) CURRENT=3
            source $1' zsh "$folder/_smcrun" | sed -nE 's/^\*(--?[a-zA-Z-]+)[]=+[].*/\1/p' | sort -u)"
    done
}

manual_page
bash_completion
! command -v fish >/dev/null || fish_completion
! command -v zsh >/dev/null || zsh_completion
# Where they are not installed, at least the table is the same in all three.
table() { grep '^[a-z-]*|' "$folder/$1"; }
is 'the table of zsh' "$(table smcrun.bash)" "$(table _smcrun)"
is 'the table of fish' "$(table smcrun.bash)" "$(table smcrun.fish)"
