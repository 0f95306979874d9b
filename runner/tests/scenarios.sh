#!/usr/bin/env bash
# scenarios.sh LAW SMCRUN: what must hold of all of scenarios/, whatever is in it.  Run from the root of the tree.
# Laws: pass (and every spec names its venues, and leaves nothing that it does not say), repeat, seeds (SEEDS of them, and EVERY so many all of scenarios/: from the
# environment), real_clock, sabotage, gc_stress.
set -euo pipefail
law=$1 smcrun=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

die() {
    printf '%s\n' "$*" >&2
    exit 1
}

quietly() { # quietly ARG...: a run that must pass; shown when it does not
    timeout 280 "$smcrun" --no-color "$@" >"$work/out" 2>&1 || {
        cat "$work/out" >&2
        die "smcrun $* failed"
    }
}

# Every venue that a spec opens is in its id or a tag of it, so that -k finds the spec by that name.
named_venues() { # named_venues JSON: lines of --report json
    awk '
        match($0, /"id":".*","file"/) { id = substr($0, RSTART + 6, RLENGTH - 14) }
        /"type":"declared"/ { match($0, /"tags":\[[^]]*/); tags[id] = substr($0, RSTART, RLENGTH) }
        /"type":"spec_end"/ && match($0, /"venues":\["[^]]*"/) {
            n = split(substr($0, RSTART + 11, RLENGTH - 12), venues, "\",\"")
            for (i = 1; i <= n; i++) {
                seen++
                if (!index(id, venues[i]) && !index(tags[id], "\"" venues[i] "\"")) print id " does not name " venues[i]
            }
        }
        END { if (seen == 0) print "no spec opens a venue" }' "$1" >"$work/unnamed"
    [[ ! -s $work/unnamed ]] || die "$(cat "$work/unnamed")"
}

pass() {
    quietly scenarios --strict-leaks --report pretty --report "json:$work/run.json"
    named_venues "$work/run.json"
}

# The same seed gives the same bytes, with one worker or several; and the same events, but for real time and for whose come
# first of workers that run beside each other.
repeat() {
    quietly scenarios --seed 11 -j1 --report "tap:$work/a.tap" --report "json:$work/a.json" --transcripts "$work/a"
    quietly scenarios --seed 11 -j3 --report "tap:$work/b.tap" --report "json:$work/b.json" --transcripts "$work/b"
    for run in a b; do
        sed -E 's/"real_us":[0-9]+/"real_us":0/' "$work/$run.json" | sort >"$work/$run.events"
    done
    grep -q '"type":"spec_end"' "$work/a.events" || die 'the JSON report holds no result'
    cmp "$work/a.events" "$work/b.events" || die 'two runs of one seed have other events'
    grep -q '^ok 1' "$work/a.tap" || die 'the TAP report holds no result'
    [[ -n $(find "$work/a" -type f -size +0 -print -quit) ]] || die 'no transcript was written'
    cmp "$work/a.tap" "$work/b.tap" && diff -r "$work/a" "$work/b" || die 'two runs of one seed differ'
}

# No spec depends on what the market happens to do, or on who ran before it.  Every tenth seed is enough for those that say
# how clients get over it: they take longer, and what they ask of the market the others ask as well.  A long check is
# SEEDS=1000 EVERY=1.
seeds() {
    for seed in $(seq 1 "$SEEDS"); do
        where=scenarios/connection
        ((seed % ${EVERY:-10} == 0)) && where=scenarios
        quietly "$where" --seed "$seed" --shuffle
    done
}

# A spec that passes while its venue is dead, or never answers, proves nothing.
sabotage() {
    for how in dead mute; do
        timeout 140 "$smcrun" scenarios --no-color --seed 1 --sabotage $how >"$work/out" 2>&1 && die "passes with venues $how"
        grep -q '^0 passed, [1-9][0-9]* failed, [0-9]* skipped$' "$work/out" || {
            grep -E ' passed' "$work/out" >&2
            die "some specs pass with venues $how"
        }
    done
}

case $law in
pass | repeat | seeds | sabotage) $law ;;
real_clock) quietly scenarios --clock real -j6 ;; # they wait more than they work
# What every venue must do; bindings/tests/ stresses what the others use.
gc_stress) quietly scenarios/connection/{venues,orders,streams}.lua --gc-stress --seed 1 ;;
*) die "no such law: $law" ;;
esac
