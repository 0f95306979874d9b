#!/usr/bin/env bash
# fixtures.sh SMCRUN FIXTURES: every fixture through the real program: its exit status, and the verdict of each of its specs.
set -uo pipefail
smcrun=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$2"/*.lua "$work" && cd "$work" || exit 1
unset NO_COLOR BINANCE_TESTNET_API_KEY
export LC_ALL=C XDG_STATE_HOME=$work/state
mkdir told driven
echo 'KEY=1' >.hidden # for confined.lua

# judge STATUS VERDICTS FILE [OPTION...]: in a process of its own, for some take seconds.
judge() {
    local wanted=$1 verdicts=$2 file=$3 status got
    timeout 280 "$smcrun" "${@:3}" --report "json:told/$file.json" >"told/$file.out" 2>&1
    status=$?
    got=$(sed 's/\(,"kind":"[a-z_]*"\).*/\1/' "told/$file.json" | # the first one; what is behind it is not ours
        sed -n 's/.*"type":"spec_end","status":"\([a-z]*\)".*,"kind":"\([a-z_]*\)"$/\1:\2/p
            s/.*"type":"file_error".*,"kind":"\([a-z_]*\)"$/file:\1/p')
    got=${got//pass:pass/pass}
    got=${got//$'\n'/ }
    [[ $status == "$wanted" && $got == "$verdicts" ]] && return
    printf '%s\n  wanted: %s, %s\n  got:    %s, %s\n' "smcrun ${*:3}" "$wanted" "$verdicts" "$status" "$got"
    cat "told/$file.out"
} >"driven/$3" 2>&1

drive() {
    judge "$@" &
    (($(jobs -rp | wc -l) < 4)) || wait -n
}

# Those that take longest come first.
drive 2 'error:memory pass' memory.lua --hang-after 250
drive 2 'error:cpu pass' spin.lua --hang-after 250
drive 2 'file:cpu' spin_loading.lua --hang-after 250
drive 2 'error:livelock pass error:livelock pass' livelock.lua --hang-after 250
drive 2 'pass error:hang pass' hang.lua --hang-after 1
drive 2 'error:hang' killed.lua --hang-after 1
drive 0 'pass' talks.lua --hang-after 5
if [[ -n ${SANITIZED:-} ]]; then
    : >driven/native.lua # a sanitizer's memory is not ours, and has no limit
else
    drive 2 'error:memory pass' native.lua --internal --memory 16
fi
drive 2 'error:memory pass' exhausted.lua --memory 16
drive 0 'pass pass pass pass pass pass pass pass pass' confined.lua
drive 5 'skip:skip' credentials.lua --target testnet
drive 1 'fail:timeout' deadline.lua --timeout 2
drive 2 'error:deadlock pass' deadlock.lua
drive 2 'error:error pass' endings.lua
drive 2 'error:error pass' error.lua
drive 1 'fail:assertion pass' fail.lua
drive 1 'pass fail:assertion pass' flaky.lua
drive 0 'pass' flood.lua
drive 2 'error:setup skip:pending error:setup skip:skip pass file:teardown error:error' hooks.lua
drive 2 'error:leak pass error:leak error:leak pass' left.lua --strict-leaks
drive 2 'file:load' load_error.lua
drive 0 'pass' long.lua --timeout 3601
drive 0 'pass' many.lua
drive 1 'fail:assertion' names.lua
drive 0 'pass' needs_setup.lua
drive 2 'error:no_assertions error:no_assertions' no_assertions.lua
drive 2 'error:error pass' os_exit.lua
drive 0 'pass pass' pass.lua
drive 2 'error:error pass' recursion.lua
drive 1 'fail:assertion' secret_made.lua
drive 1 'fail:assertion pass' seeds.lua --seed 4
drive 2 'pass fail:assertion error:error fail:assertion pass' several.lua
drive 0 'skip:pending skip:pending' skip.lua
drive 1 'fail:assertion pass' stdout.lua
drive 2 'pass error:leak' stream_left.lua
drive 2 'error:error pass error:error fail:timeout pass error:cpu error:error error:error error:error fail:assertion' swallowed.lua --hang-after 250
drive 1 'fail:assertion' tables.lua
drive 2 'error:leak' task_left.lua
drive 0 'pass pass' vacuous.lua
drive 0 'pass' wants_program.lua
drive 2 'file:io_while_loading' wait_loading.lua
drive 2 'error:leak' ws_left.lua --internal
drive 0 'xfail:assertion xfail:assertion xfail:timeout' xfail.lua
drive 2 'fail:xpass fail:xpass error:error fail:assertion fail:assertion error:error' xpass.lua

# What dies by a signal has nobody to answer for it; the rest goes on.
crash() {
    local worker='' parent
    timeout 100 "$smcrun" -j1 crash.lua pass.lua --report json:told/crash.lua.json >told/crash.lua.out 2>&1 &
    until parent=$(cat "/proc/$!/task/$!/children" 2>/dev/null) && [[ -n $parent ]] &&
        worker=$(cat "/proc/${parent% }/task/${parent% }/children" 2>/dev/null) && [[ -n $worker ]] &&
        grep -qs 'about to hang' "/proc/${worker%% *}/fd/1"; do
        kill -0 $! 2>/dev/null || break
    done
    kill -ABRT "${worker%% *}" # which no sanitizer takes for its own
    wait $!
    local status=$? out
    out=$(<told/crash.lua.out)
    for text in '5 passed, 1 failed, 0 skipped' 'error: crash at crash.lua:9' 'killed by SIGABRT (Aborted)' \
        'its transcript' 'client  > GET /api/v3/ping' 'what it printed' 'about to hang'; do
        [[ $out == *"$text"* ]] || echo "crash.lua: somewhere: $text"
    done
    [[ $status == 2 ]] || echo "crash.lua: exit status 2, not $status"
    # In the order in which they were declared, each once.
    [[ $(grep -o '"type":"spec_end","status":"[a-z]*","id":"crash[^"]*"' told/crash.lua.json | sed 's/.*:://;s/"//') == \
        $'passes first\ntalks to its venue, then hangs\nhas specs left\nin a block' ]] || echo 'crash.lua: not four ends in their order'
    [[ $(grep -c '"type":"file_start"' told/crash.lua.json) == 2 ]] || echo 'crash.lua: not one start of each file'
} >driven/crash.lua 2>&1
crash

wait
says() { # says FILE TEXT...: in its report for people
    for text in "${@:2}"; do
        grep -qF -- "$text" "told/$1.out" || echo "$1: somewhere: $text" >>"driven/$1"
    done
}
says swallowed.lua 'broken close' 'broken when left' 'did not end within its 60 s' 'the CPU budget of a slice was spent' \
    'whose __tostring fails' '[code] = 7' "[1] = 'late'" 'error was called with nil for its message' \
    'host.policy: network (connect): connection refused'
says spin.lua 'error: cpu at spin.lua:'
says spin_loading.lua 'error: cpu at spin_loading.lua:1'
says hang.lua 'error: hang at hang.lua:4' 'no sign of life for 1 s and was killed (--hang-after)' 'about to hang'
says exhausted.lua 'error: memory at exhausted.lua:7' '--memory' 'its transcript' 'client  > GET /'
[[ -n ${SANITIZED:-} ]] || says native.lua 'error: memory at native.lua:9' 'the worker took more than 128 MiB and was killed (--memory)' 'its transcript'
says memory.lua 'error: memory' '--memory'
says stdout.lua 'a line' 'half a line' 'to the other stream'
says hooks.lua 'setup: no setup' 'client  > GET /api/v3/ping' 'teardown: no teardown' 'no before_each'
says credentials.lua 'BINANCE_TESTNET_API_KEY is not set'
says left.lua 'left behind at its end: order binance BTC/USDT left-open' 'left behind at its end: global made'
says deadlock.lua 'waits for ever'
says livelock.lua 'error: livelock at livelock.lua:13' 'never ends: 300000 steps at one instant' 'smc.sleep(0.001)' \
    'the spec waits in task:join' 'livelock.lua:23 waits in smc.sleep' 'livelock.lua:24: in function'
for file in *.lua; do
    [[ -e driven/$file ]] || echo "$file is driven by nothing" >>driven/missing
done
cat driven/*
echo "$(find driven -name '*.lua' | wc -l) fixtures, $(find driven -type f -size +0 | wc -l) not as they should be"
[[ -z $(find driven -type f -size +0) ]]
