#!/usr/bin/env bash
# merge.sh SMCRUN FIXTURES SCHEMA: what several runs have reported, as one report.
set -euo pipefail
smcrun=$(realpath "$1") schema=$(realpath "$3")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$2"/*.lua "$work" && cd "$work"
unset GITHUB_STEP_SUMMARY
export LC_ALL=C

die() {
    printf '%s\n' "$*" >&2
    exit 1
}

run() { # run STATUS ARGS: smcrun ends so
    local status=0
    "$smcrun" "${@:2}" >out.txt 2>&1 || status=$?
    [[ $status == "$1" ]] || die "smcrun ${*:2}: $1 was wanted, not $status"$'\n'"$(cat out.txt)"
}

says() {
    grep -qF -- "$1" out.txt || die "'$1' is not said:"$'\n'"$(cat out.txt)"
}

# Real time differs from run to run, all else is the same.
plain() {
    sed -E 's/"real_us":[0-9]+/"real_us":0/' "$1"
}

# Shards by file: the report of the whole run, line for line.
whole() {
    local first=(pass.lua fail.lua xfail.lua) second=(skip.lua task_left.lua load_error.lua names.lua many.lua)
    run 2 --seed 7 "${first[@]}" "${second[@]}" --report json:whole.jsonl --report tap:whole.tap
    run 1 --seed 7 "${first[@]}" --report json:first.jsonl
    run 2 --seed 7 "${second[@]}" --report json:second.jsonl
    run 2 merge first.jsonl second.jsonl --report json:merged.jsonl --report tap:merged.tap --report html:merged.html \
        --report junit:merged.xml --transcripts told
    diff <(plain whole.jsonl) <(plain merged.jsonl) >differs.txt || die "$(head -c 2000 differs.txt)"
    diff <(sed -E 's/ # time=.*//' whole.tap) <(sed -E 's/ # time=.*//' merged.tap) >differs.txt || die "$(head differs.txt)"
    xmllint --noout merged.xml
    [[ $(tail -n 1 merged.html) == '</html>' ]] || die 'no page'
    grep -q '"again":"smcrun .*--seed 7' merged.jsonl || die 'no way to repeat a failure'
    run 2 merge merged.jsonl --report json:again.jsonl
    cmp merged.jsonl again.jsonl || die 'a merged report can not be merged again'
    run 2 merge first.jsonl second.jsonl
    tail -n 1 out.txt | grep -q "^$(tail -n 1 <("$smcrun" --seed 7 "${first[@]}" "${second[@]}" 2>/dev/null || true))\$" ||
        die 'the last line is another one'
}

# Shards as smcrun makes them, a spec here, a spec there: each spec once, and none is lost.
shards() {
    local files=(many.lua names.lua pass.lua xfail.lua) given=() i
    for i in 1 2 3; do
        "$smcrun" --seed 7 "${files[@]}" --shard "$i/3" --report "json:shard$i.jsonl" >out.txt 2>&1 || true
        given+=("shard$i.jsonl")
    done
    run 1 --seed 7 "${files[@]}" --report json:whole.jsonl
    run 1 merge "${given[@]}" --report json:merged.jsonl
    ends() { grep '"type":"spec_end"' "$1" | sed -E 's/"real_us":[0-9]+/"real_us":0/' | sort; }
    diff <(ends whole.jsonl) <(ends merged.jsonl) >differs.txt || die "$(head -c 2000 differs.txt)"
    diff <(plain whole.jsonl | tail -n 1) <(plain merged.jsonl | tail -n 1) >differs.txt || die "$(cat differs.txt)"
    run 3 merge shard1.jsonl shard3.jsonl
    says 'the report of shard 2/3 is missing: name it, too'
    sed '1s/"shard":"2/"shard":"1/' shard2.jsonl >wrong.jsonl
    run 3 merge shard1.jsonl wrong.jsonl
    says 'wrong.jsonl:1: another report is shard 1/3, too'
    sed '1s/"shard":"2.3/"shard":"2\/4/' shard2.jsonl >wrong.jsonl
    run 3 merge shard1.jsonl wrong.jsonl
    says 'it is one of 4 shards, another report one of 3'
    sed '1s/"shard":"2.3/"shard":"9\/4/' shard2.jsonl >wrong.jsonl
    run 3 merge shard1.jsonl wrong.jsonl
    says 'wrong.jsonl:1: '
}

# Shards by spec: one file in two reports, whose own error is told once.
shared() {
    printf 'it("a", function() print "of a" assert(true) end)\nit("b", function() assert(true) end)\nteardown(function() error "oh" end)\n' >two.lua
    run 2 --seed 1 two.lua -k ::a --report json:a.jsonl
    run 2 --seed 2 two.lua -k ::b --report json:b.jsonl
    run 2 merge a.jsonl b.jsonl --report json:two.jsonl
    [[ $(grep -c '"type":"file_start"' two.jsonl) == 1 ]] || die 'the file is told of twice'
    [[ $(grep -c '"type":"file_error"' two.jsonl) == 1 ]] || die 'its error is told twice'
    grep -q '"type":"file_end","file":"two.lua","declared":2,"selected":2' two.jsonl || die 'wrong counts'
    tail -n 1 two.jsonl | grep -q '"passed":2,"failed":1,' || die "$(tail -n 1 two.jsonl)"
    split -l 1 -a 4 two.jsonl line.
    local given=()
    for line in line.*; do given+=(-i "$line"); done
    PYTHONWARNINGS=ignore jsonschema "${given[@]}" "$schema" >errors.txt 2>&1 || die "$(head -c 2000 errors.txt)"
    # Each failure is repeated with the seed of its own run.
    run 1 --seed 5 fail.lua --report json:a.jsonl
    run 1 --seed 6 names.lua --report json:b.jsonl
    run 1 merge a.jsonl b.jsonl
    says "again: smcrun 'fail.lua::a failing file::shows both values' --seed 5"
    says '--seed 6'
}

status() {
    run 0 pass.lua --report json:pass.jsonl
    run 1 fail.lua --report json:fail.jsonl
    run 2 error.lua --report json:error.jsonl
    run 4 many.lua -k nothing --report json:none.jsonl
    run 4 pass.lua::missing --report json:missing.jsonl
    run 0 merge pass.jsonl none.jsonl
    run 1 merge pass.jsonl fail.jsonl none.jsonl
    run 2 merge fail.jsonl error.jsonl
    run 4 merge none.jsonl
    says 'nothing was selected in that run'
    run 4 merge none.jsonl missing.jsonl
    sed 's/"interrupted":false/"interrupted":true/' pass.jsonl >cut.jsonl
    run 130 merge cut.jsonl fail.jsonl
    # A venue that one part has talked to is there; one that none has is not.
    printf 'it("asks", function() assert(require("smc").venue "bybit":time()) end)\n' >bybit.lua
    run 5 bybit.lua --require bybit --require oanda --report json:bybit.jsonl
    run 5 pass.lua --require bybit --report json:asks.jsonl
    run 5 merge bybit.jsonl asks.jsonl
    says '--require oanda: no spec of these runs talks to it'
    sed 's/"require":.*"files"/"require":["bybit"],"files"/' bybit.jsonl >only.jsonl
    run 0 merge asks.jsonl only.jsonl
}

refused() {
    run 3 merge
    says 'name the reports to merge'
    run 3 merge missing_report.jsonl
    says 'missing_report.jsonl: No such file'
    run 3 merge pass.jsonl pass.jsonl
    says 'pass.jsonl:3: pass.jsonl:3 has the spec, too: pass.lua::'
    head -c 300 pass.jsonl >torn.jsonl
    run 3 merge torn.jsonl --report junit:never.xml
    says 'torn.jsonl:4: the line is torn'
    [[ ! -e never.xml ]] || die 'a report was begun'
    head -n 4 pass.jsonl >headless.jsonl
    run 3 merge fail.jsonl headless.jsonl
    says 'headless.jsonl: there is no run_end behind its 4 lines'
    : >empty.jsonl
    run 3 merge empty.jsonl
    says 'empty.jsonl: there is no run_end behind its 0 lines'
    sed 's/"v":2/"v":1/' pass.jsonl >old.jsonl
    run 3 merge old.jsonl
    says 'old.jsonl:1: its version is 1, this program reads 2'
    sed '5s/"id"/"Id"/' pass.jsonl >wrong.jsonl
    run 3 merge wrong.jsonl
    says "wrong.jsonl:5: 'Id' is no field of this version"
    sed '2s/.*/{"v":2/' pass.jsonl >wrong.jsonl
    run 3 merge wrong.jsonl
    says 'wrong.jsonl:2: it is no whole JSON'
    echo 'local smc = require "smc"' >wrong.jsonl
    run 3 merge wrong.jsonl
    says 'wrong.jsonl:1: it is no whole JSON, as --report json:FILE writes it: '
    sed 1d pass.jsonl >wrong.jsonl
    run 3 merge wrong.jsonl
    says 'wrong.jsonl:1: the first line is no run_start'
    cat pass.jsonl fail.jsonl >wrong.jsonl
    run 3 merge wrong.jsonl
    says 'it comes behind run_end: one report a file'
    sed '1s/virtual/real/' fail.jsonl >wrong.jsonl
    run 3 merge pass.jsonl wrong.jsonl
    says 'wrong.jsonl:1: its run has another target, clock or sabotage than that of pass.jsonl'
    run 3 merge --seed 1 pass.jsonl
    says "unknown option '--seed'"
}

for part in whole shards shared status refused; do $part; done
