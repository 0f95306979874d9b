#!/usr/bin/env bash
# many_specs.sh memory SMCRUN PEAK_MEMORY: 10 000 trivial specs in 100 files, all reports written: under 64 MiB?
# many_specs.sh bench SMCRUN PEAK_MEMORY BUSTED: the same on two cores against busted, in turns; prints the median ratio.
set -euo pipefail
mode=$1 smcrun=$2 peak=$3 busted=${4:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/specs"
for file in {001..100}; do
    printf 'describe("file %s", function()\n' "$file"
    printf '  it("adds %d", function() assert.equal(%d, 1 + %d) end)\n' $(for n in {1..100}; do echo $n $((n + 1)) $n; done)
    echo 'end)'
done | split -l 102 -a 3 -d --additional-suffix=_spec.lua - "$work/specs/x"

quietly() { "$@" >"$work/out" 2>&1 || { cat "$work/out" >&2; exit 1; }; }

case $mode in
memory)
    quietly "$peak" 64 "$smcrun" -j2 --no-color "$work/specs" --report pretty --report "junit:$work/junit.xml" \
        --report "json:$work/json.jsonl" --report "tap:$work/tap"
    grep -qx '10000 passed, 0 failed, 0 skipped' "$work/out" || { tail -n 3 "$work/out" >&2; exit 1; }
    [[ $(grep -c '"type":"spec_end"' "$work/json.jsonl") == 10000 ]] || { echo 'not every spec is in the report' >&2; exit 1; }
    tail -n 1 "$work/out"
    ;;
bench)
    for _ in {1..5}; do
        quietly "$peak" 64 taskset -c 0,1 "$smcrun" -j2 --no-color "$work/specs"
        read -r ours _ memory _ < <(tail -n 1 "$work/out")
        quietly "$peak" 4096 taskset -c 0,1 "$busted" -o plainTerminal "$work/specs"
        read -r theirs _ < <(tail -n 1 "$work/out")
        awk "BEGIN { print $ours, $theirs, $ours / $theirs, $memory }"
    done >"$work/rounds"
    median() { cut -d' ' -f"$1" "$work/rounds" | sort -n | sed -n 3p; }
    printf '10 000 specs in 100 files, median of 5: smcrun -j2 %.2f s (%.1f MiB), busted %.2f s, ratio %.2f\n' \
        "$(median 1)" "$(median 4)" "$(median 2)" "$(median 3)"
    ;;
*) exit 2 ;;
esac
