#!/usr/bin/env bash
# running.sh SMCRUN FIXTURES XSD SCHEMA [PART...]: runs that go on after a failure, stop at one, or run again.
set -uo pipefail
# shellcheck source=checks.sh
source "$(dirname "$0")/checks.sh"
smcrun=$(realpath "$1") xsd=$(realpath "$3") schema=$(realpath "$4")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$2"/*.lua "$work" && cd "$work" || exit 1
unset NO_COLOR GITHUB_STEP_SUMMARY
export LC_ALL=C

# ends_with STATUS LAST ARG...
ends_with() {
    local last=$2
    run "$1" "${@:3}"
    last "$last"
}

# ends FILE: "pass fail:assertion ..", from a JSON report.
ends() { sed -n 's/.*"type":"spec_end","status":"\([a-z]*\)".*/\1/p' "$1" | paste -sd' '; }

# Every line of these reports is what the schema describes.
sound() {
    local line given=()
    rm -f line.*
    cat "$@" | split -l 1 -a 4 - line.
    for line in line.*; do given+=(-i "$line"); done
    checks=$((checks + 1))
    PYTHONWARNINGS=ignore jsonschema "${given[@]}" "$schema" >errors.txt 2>&1 || complain "$(head -c 2000 errors.txt)"
}

retries() {
    ends_with 0 '3 passed, 0 failed, 0 skipped' flaky.lua --retries 2 --seed 7 --report json:a.json --report tap:a.tap --report junit:a.xml
    has 'flky flaky.lua  3 passed (1 flaky)' 'flaky: assertion at flaky.lua:12' 'failed in 1 of 2 runs of one seed' 'found: true' \
        'again: smcrun flaky.lua --seed 7' $'\n1 flaky\n'
    is 'verdicts in the order of the file' 'pass flaky pass' "$(ends a.json)"
    is 'runs' 1 "$(grep -c '"status":"flaky".*"attempts":2,"failures":1' a.json)"
    grep -q '^ok 2 - flaky.lua::.*::finds it$' a.tap || complain 'TAP: ok'
    grep -q '^  severity: flaky$' a.tap || complain 'TAP: why it is flaky'
    xmllint --noout --schema "$xsd" a.xml 2>errors.txt || complain "$(<errors.txt)"
    is 'JUnit' 1 "$(xmllint --xpath 'count(//testcase[@name="a spec that trips over another one::finds it"]/flakyFailure/stackTrace)' a.xml)"
    is 'JUnit: no failure' '0 0' "$(xmllint --xpath 'concat(/testsuites/@failures, " ", /testsuites/@errors)' a.xml)"
    ends_with 1 '2 passed, 1 failed, 0 skipped' flaky.lua --retries 2 --fail-on-flaky
    has 'failed: assertion at flaky.lua:12' 'failed in 1 of 2 runs'
    ends_with 0 '3 passed, 0 failed, 0 skipped' flaky.lua --retries 1 --report github
    has '::warning file=flaky.lua,line=12,title=flaky.lua%3A%3A'
    # A seed that makes it fail makes it fail again: no failure is forgiven by drawing once more.
    ends_with 1 '1 passed, 1 failed, 0 skipped' seeds.lua --seed 4 --retries 5 --report json:b.json --report junit:b.xml
    has 'failed in 6 of 6 runs of one seed' "again: smcrun seeds.lua::chance::decides --seed 4"
    is 'attempts' 5 "$(grep -c '"type":"attempt","status":"fail"' b.json)"
    xmllint --noout --schema "$xsd" b.xml 2>errors.txt || complain "$(<errors.txt)"
    is 'JUnit: reruns' '1 5' "$(xmllint --xpath 'concat(count(//failure), " ", count(//rerunFailure))' b.xml)"
    # Crashes are tried again, too; and what comes behind them is not run twice.
    ends_with 2 '2 passed, 1 failed, 0 skipped' hang.lua --hang-after 0.5 --retries 1 --report json:c.json
    is 'a hang twice' 'pass error pass' "$(ends c.json)"
    is 'runs of the others' 0 "$(grep -c '"status":"pass".*"attempts"' c.json)"
    sound a.json b.json c.json
    ends_with 0 '2 passed, 0 failed, 0 skipped' pass.lua --retries 3
    lacks flaky
}

repeats() {
    ends_with 1 '1 passed, 1 failed, 0 skipped' seeds.lua --seed 1 --repeat 8 -j2 --report json:a.json
    has 'failed in 3 of 8 runs, with the seeds 4, 5, 7; the first time so:' 'again: smcrun seeds.lua::chance::decides --seed 4'
    is 'the other one' 1 "$(grep -c '"status":"pass".*"attempts":8,"failures":0' a.json)"
    is 'seeds' '4 6' "$(sed -n 's/.*"type":"attempt".*"round":\([0-9]*\).*/\1/p' a.json | paste -sd' ')"
    ends_with 1 '1 passed, 1 failed, 0 skipped' seeds.lua --seed 1 --repeat 8 -j1 --report json:b.json
    is 'the same with one worker' '' "$(diff <(sed 's/"real_us":[0-9]*//' a.json) <(sed 's/"real_us":[0-9]*//' b.json))"
    sound a.json
    ends_with 0 '2 passed, 0 failed, 0 skipped' pass.lua --repeat 3
    ends_with 0 '0 passed, 0 failed, 2 skipped' skip.lua --repeat 1000000
}

until_it_fails() {
    ends_with 1 '3 passed, 1 failed, 0 skipped' seeds.lua pass.lua --seed 6 --until-fail -j1
    has 'with the seeds 7;' 'again: smcrun seeds.lua::chance::decides --seed 7'
    ends_with 0 '4 passed, 0 failed, 0 skipped' seeds.lua pass.lua --seed 1 --until-fail --repeat 3
    ends_with 1 '1 passed, 1 failed, 0 skipped' seeds.lua --seed 1 --until-fail -j3
    has 'again: smcrun seeds.lua::chance::decides --seed'
    # Where nothing can fail nothing is repeated for ever.
    ends_with 0 '0 passed, 0 failed, 2 skipped' skip.lua --until-fail
    ends_with 2 '0 passed, 1 failed, 0 skipped' load_error.lua --until-fail
    ends_with 4 '0 passed, 0 failed, 0 skipped' pass.lua -k nothing --until-fail
}

stops() {
    ends_with 1 '# 1 passed, 1 failed, 0 skipped' several.lua -x --report tap
    has 'not ok 2 - several.lua::one after the other::fails' 'Bail out! enough has failed'
    lacks 'errs'
    ends_with 2 '1 passed, 2 failed, 0 skipped' several.lua pass.lua --max-fail 2 -j1
    has 'FAIL several.lua  2 failed, 1 passed, stopped' 'stopped, enough has failed: 2 of 2 files did not come to their end'
    ends_with 2 '4 passed, 3 failed, 0 skipped' several.lua pass.lua --max-fail 4
    lacks stopped
    # It counts over files, and what crashes and what cannot be loaded.
    ends_with 2 '1 passed, 2 failed, 0 skipped' fail.lua load_error.lua pass.lua --max-fail 2 -j1
    ends_with 2 '0 passed, 1 failed, 0 skipped' load_error.lua fail.lua -x -j1
    # A spec that may pass when it runs again has not failed yet.
    ends_with 0 '5 passed, 0 failed, 0 skipped' flaky.lua pass.lua -x --retries 1 -j1
    ends_with 1 '1 passed, 1 failed, 0 skipped' fail.lua pass.lua -x --retries 1 -j1
    # What runs beside it is stopped: this would take 60 s to be found out.
    timeout 30 "$smcrun" hang.lua fail.lua -x -j2 >out.txt 2>&1
    is 'a hang beside it' 1 $?
    out=$(<out.txt)
    has ', 1 failed, 0 skipped' 'stopped, enough has failed: 2 of 2 files'
}

# Waits until $1 runs have ended; $out is what is printed by then.
after_runs() {
    local tries
    touch watch.txt
    for tries in {1..600}; do
        local ended
        ended=$(grep -c '^smcrun: watching' watch.txt)
        out=$(<watch.txt) # in this order, so that it has the last line of the run
        [[ $ended -ge $1 ]] && return
        kill -0 "$watcher" 2>/dev/null || break
        sleep 0.05
    done
    complain "$1 runs"
}

last_run() { # FILES: those that the last run ran; only whole lines count
    is "the files of run $1" "$2" "$(sed -n '/^smcrun 0/h;/^smcrun 0/!H;${x;p}' watch.txt | sed -n 's/^[a-zA-Z]* *\(w[/a-z]*\.lua\) .*/\1/p' | paste -sd' ')"
}

watches() {
    mkdir -p w/lib w/data
    echo 'return { answer = 41 }' >w/lib/answer.lua
    echo 'it("asks", function() assert.equal(42, require("lib.answer").answer) end)' >w/a.lua
    echo 'it("reads", function() assert.equal("7\n", io.open("w/data/seven"):read("a")) end)' >w/b.lua
    echo 7 >w/data/seven
    called='--watch w'
    env --default-signal=INT "$smcrun" --watch w >watch.txt 2>&1 &
    watcher=$!
    after_runs 1
    has '1 passed, 1 failed, 0 skipped'
    last_run 1 'w/a.lua w/b.lua'
    # As editors save: a new file takes the place of the old one.
    echo 'return { answer = 42 }' >w/lib/new~ && mv w/lib/new~ w/lib/answer.lua
    after_runs 2
    last_run 2 'w/a.lua'
    has 'changed: answer.lua' '1 passed, 0 failed, 0 skipped'
    is 'runs' 2 "$(grep -c '^smcrun 0.*seed [0-9]' watch.txt)"
    is 'seeds' 1 "$(sed -n 's/^smcrun 0.*seed //p' watch.txt | sort -u | wc -l)"
    echo 8 >w/data/seven
    after_runs 3
    last_run 3 'w/b.lua'
    # What is required and was not there; a new scenario; one in a new folder.
    echo 'it("wants", function() assert.is_true(require "lib.late") end)' >w/c.lua
    after_runs 4
    last_run 4 'w/c.lua'
    echo 'return true' >w/lib/late.lua
    after_runs 5
    last_run 5 'w/c.lua'
    has '1 passed, 0 failed, 0 skipped'
    mkdir w/more && echo 'it("is new", function() assert.is_true(true) end)' >w/more/d.lua
    after_runs 6
    last_run 6 'w/more/d.lua'
    # What touches nothing runs nothing; two files that are saved together are one run.
    echo nothing >w/data/other
    echo 'it("is broken"' >w/a.lua
    after_runs 7
    has 'error: syntax at w/a.lua:'
    is 'nothing else ran' 0 "$(grep -c 'other' watch.txt)"
    kill -INT "$watcher"
    wait "$watcher"
    is "the last run's exit status" 2 $?
    # Interrupted in a run, it ends with that.
    cp hang.lua w/hang.lua
    env --default-signal=INT "$smcrun" --watch w/hang.lua --report tap:watch.tap >watch.txt 2>&1 &
    watcher=$!
    local worker='' tries
    for tries in {1..600}; do
        worker=$(cat "/proc/$watcher/task/$watcher/children" 2>/dev/null)
        [[ -n $worker ]] && grep -qs 'about to hang' "/proc/${worker%% *}/fd/1" && break
        sleep 0.05
    done
    kill -INT "$watcher"
    wait "$watcher"
    is 'an interrupted run' 130 $?
    out=$(<watch.txt)
    has '1 passed, 0 failed, 0 skipped' 'interrupted'
}

strict_leaks() {
    ends_with 0 '5 passed, 0 failed, 0 skipped' left.lua
    ends_with 2 '2 passed, 3 failed, 0 skipped' left.lua --strict-leaks
    has 'error: leak at left.lua:5' 'left behind at its end: order binance BTC/USDT left-open' 'global made' '--strict-leaks'
}

# As many at a time as ask, whatever the soft limit is; and beyond the hard one an error says what is missing.
descriptors() {
    cat >crowd.lua <<'LUA'
local smc = require "smc"
it("serves a crowd through a slow wire", function()
  local venue, answers, tasks = smc.venue("binance", { limiter = false }), 0, {}
  venue:fault { link = "latency", latency = 1 }
  for i = 1, 60 do
    tasks[i] = smc.spawn(function()
      if venue:time() then answers = answers + 1 end
    end)
  end
  for _, task in ipairs(tasks) do task:join() end
  assert.equal(60, answers)
end)
LUA
    local soft
    soft=$(ulimit -S -n)
    ulimit -S -n 64
    ends_with 0 '1 passed, 0 failed, 0 skipped' crowd.lua
    ulimit -S -n "$soft"
    out=$(ulimit -n 64 && "$smcrun" -v crowd.lua 2>&1)
    has '0 passed, 1 failed, 0 skipped' 'the process has no descriptor left: raise the limit (ulimit -n)'
}

parts=(retries repeats until_it_fails stops watches strict_leaks descriptors)
(($# > 4)) && parts=("${@:5}")
for part in "${parts[@]}"; do
    "$part"
done
echo "$checks checks, $failures failed"
[[ $failures == 0 && $checks -gt 0 ]]
