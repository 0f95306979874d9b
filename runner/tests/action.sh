#!/usr/bin/env bash
# action.sh ROOT SMCRUN: the GitHub action, run step by step as GitHub does.  What it would do to the system is only written
# down: apt-get, sudo and the building of the package are stand-ins here.
set -euo pipefail
root=$(realpath "$1") smcrun=$(realpath "$2") composite=$(realpath "$(dirname "${BASH_SOURCE[0]}")/composite.py")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
unset GITHUB_STEP_SUMMARY
export LC_ALL=C RUNNER_TEMP=$work/temp PATH=$work/bin:/usr/bin:/bin

mkdir temp bin action action/vendor empty scenarios
cp "$root/action.yml" action
ln -s "$smcrun" bin/smcrun
for tool in sudo apt-get; do
    printf '#!/bin/sh\nprintf "%%s " %s "$@" >>"%s"; echo >>"%s"\n' $tool "$work/calls" "$work/calls" >bin/$tool
done
printf '#!/bin/sh\n[ "$1" = deb ] || exit 3\necho built >>"%s"\necho package >"%s/built.deb"\necho "%s/built.deb"\n' \
    "$work/calls" "$work" "$work" >action/vendor/bootstrap
chmod +x bin/* action/vendor/bootstrap
printf 'it("passes", function() assert.is_true(true) end)\n' >scenarios/good.lua
printf 'it("fails", function() assert.is_true(false) end)\n' >bad.lua

die() {
    printf '%s\n' "$*" >&2
    exit 1
}

# act STATUS ARGUMENT...: the action; its output is kept in $out
act() {
    local wanted=$1 status=0
    shift
    rm -rf calls smcrun-reports summary.md
    out=$(GITHUB_STEP_SUMMARY=$work/summary.md /usr/bin/python3 "$composite" action "$@" 2>&1) || status=$?
    [[ $status == "$wanted" ]] || die "status $wanted was wanted, not $status:"$'\n'"$out"
}

has() {
    local text
    for text; do
        [[ $out == *"$text"* ]] || die "wanted: $text"$'\n'"$out"
    done
}

# Everything by itself: what lies in scenarios/, built, installed, run, uploaded.
act 0
has "uses actions/cache {'path': '$work/temp/smcrun-package', 'key': 'smcrun-" 'good.lua' \
    "uses actions/upload-artifact {'name': 'smcrun', 'path': 'smcrun-reports'}" \
    'output counts=1 passed, 0 failed, 0 skipped' 'output status=0'
grep -q built calls || die 'it was not built'
grep -q "apt-get -q -y install --no-install-recommends $work/temp/smcrun-package/smcrun.deb" calls || die "$(cat calls)"
xmllint --noout smcrun-reports/junit.xml
[[ $(tail -n 1 smcrun-reports/report.html) == '</html>' ]] || die 'no page'
[[ $(tail -n 1 smcrun-reports/events.jsonl) == *'"type":"run_end","passed":1'* ]] || die 'no events'
key=$(grep -o "'key': '[^']*'" <<<"$out")

# What was built before is not built again, unless the action has changed.
act 0 cache.cache-hit=true
grep -q built calls && die 'it was built again'
echo more >action/more
act 0
[[ $key != "$(grep -o "'key': '[^']*'" <<<"$out")" ]] || die 'another version has the same key'

# A package that is there; a failing spec fails the job, after it was annotated and its reports were uploaded.
echo deb >mine.deb
act 1 deb=mine.deb $'paths=scenarios/good.lua\nbad.lua\n' artifact=shard-1 reports=out
has '::error file=bad.lua,line=1' 'output counts=1 passed, 1 failed, 0 skipped' 'output status=1' \
    "upload-artifact {'name': 'shard-1', 'path': 'out'}"
[[ $out != *actions/cache* ]] || die 'a package that is there needs no cache'
grep -q "install --no-install-recommends $work/mine.deb" calls || die "$(cat calls)"
grep -q 'bad.lua' summary.md || die 'no summary'

# Reports of several jobs become one: no annotation is made twice.
mkdir -p shards/a shards/b
"$smcrun" scenarios/good.lua --report json:shards/a/events.jsonl >/dev/null
"$smcrun" bad.lua --report json:shards/b/events.jsonl >/dev/null || true
act 1 deb=mine.deb merge=shards
has 'output counts=1 passed, 1 failed, 0 skipped'
[[ $out != *::error* ]] || die 'it was annotated'
grep -q bad.lua summary.md || die 'no summary'
grep -q bad.lua smcrun-reports/report.html || die 'no page'
act 3 deb=mine.deb merge=empty

act 0 deb=mine.deb paths=. filter=passes $'args=--seed=7\n--no-color\n' artifact=
has 'seed 7' '1 passed, 0 failed, 0 skipped'
[[ $out != *upload-artifact* ]] || die 'it was uploaded'
printf 'return { few = { "good.lua" } }\n' >scenarios/suites.lua
act 0 deb=mine.deb suite=few
has '1 passed, 0 failed, 0 skipped'
act 3 deb=mine.deb suite=other
has "there is no suite 'other'"
act 5 deb=mine.deb 'require=binance bybit'
has '--require binance' '--require bybit'
act 3 deb=mine.deb target=moon
has '--target wants sandbox or testnet'

# Inputs are text, whatever they look like.
act 3 deb=mine.deb 'paths=$(touch taken); touch taken; `touch taken`' 'filter="; touch taken; "'
act 3 deb=mine.deb paths=--version
act 3 deb=mine.deb 'target=$(touch taken)' 'require=$(touch taken)' 'args=;touch taken'
[[ ! -e taken ]] || die 'an input was executed'

# And one that is careless is refused.
sed -i 's/^        mkdir -p "$REPORTS"/        mkdir -p ${{ inputs.reports }}/' action/action.yml
act 1 deb=mine.deb
has 'has an expression in its script'
