#!/usr/bin/env bash
# checks.sh: for tests of the real binary, to be sourced.  $smcrun is the program; a check that fails is printed with what
# was printed instead, and the others go on.
# shellcheck disable=SC2154
failures=0 checks=0 out='' called=''

complain() {
    failures=$((failures + 1))
    printf '%s\n  wanted: %s\n' "smcrun $called" "$1"
    printf '  | %s\n' "${out//$'\n'/$'\n  | '}"
}

# run STATUS ARG...: runs smcrun; its output, both streams, is kept in $out.
run() {
    local wanted=$1 status
    shift
    called="$*"
    out=$(timeout "${PATIENCE:-60}" "$smcrun" "$@" 2>&1)
    status=$?
    checks=$((checks + 1))
    [[ $status == "$wanted" ]] || complain "exit status $wanted, not $status"
}

last() {
    checks=$((checks + 1))
    [[ ${out##*$'\n'} == "$1" ]] || complain "as the last line: $1"
}

has() {
    local text
    for text; do
        checks=$((checks + 1))
        [[ $out == *"$text"* ]] || complain "somewhere: $text"
    done
}

lacks() {
    checks=$((checks + 1))
    [[ $out != *"$1"* ]] || complain "nowhere: $1"
}

is() { # is WHAT WANTED GOT
    checks=$((checks + 1))
    [[ $2 == "$3" ]] || complain "$1: $2, not $3"
}
