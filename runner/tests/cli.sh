#!/usr/bin/env bash
# cli.sh SMCRUN FIXTURES [PART...]: the real program on files that pass, fail, err, spin, hang and die.
# What can be said in one line is in command_lines.txt.  Checks exit status, the last line and what is said; prints each check
# that fails with what was printed instead.
set -uo pipefail
# shellcheck source=checks.sh
source "$(dirname "$0")/checks.sh"
smcrun=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$2"/*.lua "$work" && cd "$work" || exit 1
printf 'describe("never closed", function()\n' >syntax.lua # here, because linters read the other files
unset NO_COLOR
export LC_ALL=C TERM=xterm
# same A B: two files are equal.
same() {
    checks=$((checks + 1))
    out=$(diff "$1" "$2") || complain "$1 and $2 are equal"
}

verdicts() {
    run 0 pass.lua
    last '2 passed, 0 failed, 0 skipped'
    has 'ok   pass.lua  2 passed' 'sandbox, virtual clock, seed'
    printf 'KEY=1\n' >.hidden
    run 0 confined.lua
    last '9 passed, 0 failed, 0 skipped'
    run 2 endings.lua
    last '1 passed, 1 failed, 0 skipped'
    has 'broken ending'
    run 1 -v --transcripts made secret_made.lua
    has 'printed ***' 'in hex ***' 'before *** behind'
    lacks 'a-secret-of-the-scenario'
    lacks '612d7365637265742d6f66'
    out=$(cat made/*)
    has 'before *** behind'
    lacks 'a-secret-of-the-scenario'
    mkdir sockets
    TMPDIR=$work/sockets run 2 --hang-after 1 killed.lua
    has 'gave no sign of life'
    out=$(ls sockets)
    lacks smcrun
    run 0 many.lua
    run 1 fail.lua pass.lua
    last '3 passed, 1 failed, 0 skipped'
    has 'a failing file > shows both values' 'Expected objects to be equal' '(number) 3' 'at fail.lua:4' \
        'printed before the failure' "again: smcrun 'fail.lua::a failing file::shows both values' --seed"
    run 2 error.lua
    last '1 passed, 1 failed, 0 skipped'
    has 'error at error.lua:4' 'attempt to index a nil value'
    run 2 fail.lua error.lua
    last '2 passed, 2 failed, 0 skipped'
    run 0 skip.lua
    last '0 passed, 0 failed, 2 skipped'
    has 'skip skip.lua  2 skipped: pending'
    printf '%s\n' 'pending "a"' 'it("b", function() pending "for another reason" end)' >reasons.lua
    run 0 reasons.lua
    has 'skip reasons.lua  2 skipped: -v says why'
    run 0 reasons.lua -v
    has 'for another reason' $'skip reasons.lua  2 skipped  '
    run 2 no_assertions.lua
    last '0 passed, 2 failed, 0 skipped'
    has 'error: no_assertions at no_assertions.lua:2'
    run 1 deadline.lua --timeout 2
    has 'failed: timeout at deadline.lua:5'
    run 0 deadline.lua --timeout 3601
    run 0 long.lua --timeout 3601
    last '1 passed, 0 failed, 0 skipped'
    run 0 long.lua --clock real
    last '0 passed, 0 failed, 1 skipped'
    has 'takes too long for the real clock (#virtual-time)'
}

expected_failures() {
    run 0 xfail.lua
    last '3 passed, 0 failed, 0 skipped'
    has 'ok   xfail.lua  3 passed (3 expected to fail)' $'\n3 expected to fail\n'
    run 0 -v xfail.lua
    has 'ok   a known bug > says inside why it is expected to fail  expected to fail: issue 12'
    run 1 xpass.lua -k mended
    last '0 passed, 2 failed, 0 skipped'
    has 'failed: xpass at xpass.lua:3' 'was expected to fail: issue 12'
    run 2 xpass.lua -k "'no excuse'"
    last '0 passed, 3 failed, 0 skipped'
    has 'error at xpass.lua:' 'before the body' 'after the body'
    run 2 xpass.lua -k "'a reason is missing'"
    has 'xfail: inside it() it wants the reason'
}

broken_files() {
    run 2 syntax.lua pass.lua
    last '2 passed, 1 failed, 0 skipped'
    has 'error: syntax at syntax.lua:'
    run 2 load_error.lua
    has 'error: load at load_error.lua:1' 'while loading' 'again: smcrun load_error.lua'
    run 2 wait_loading.lua
    has 'error: io_while_loading at wait_loading.lua:2'
    run 2 recursion.lua
    last '1 passed, 1 failed, 0 skipped'
    has 'stack overflow'
    printf '%s\n' 'describe("tags", function()' '  it("#smoke", function() end)' 'end)' >nameless.lua
    run 2 nameless.lua
    has 'error: load at nameless.lua:2' 'it: a name expected, beside tags'
    printf '\xef\xbb\xbf#!/usr/bin/env smcrun\nit("is behind a mark", function() assert.equal(1, 2) end)\n' >mark.lua
    run 1 mark.lua
    has 'at mark.lua:2'
    echo 'it("says too much", function() error(("z"):rep(3e6) .. "end") end)' >book.lua
    run 2 book.lua --report junit:book.xml
    has ' bytes are left out ..' 'zend'
    ((${#out} < 70000 && $(wc -c <book.xml) < 140000)) || complain 'a message within bounds'
    run 2 os_exit.lua
    last '1 passed, 1 failed, 0 skipped'
    has 'os.exit is not available'
    run 2 task_left.lua
    has 'error: leak at task_left.lua:4'
    run 2 --internal ws_left.lua
    has $'left behind at its end: WebSocket ws://127.0.0.1:20001/left\n'
    run 2 stream_left.lua
    last '1 passed, 1 failed, 0 skipped'
    has 'error: leak at stream_left.lua:13' 'left behind at its end: task smc/failover/streams.lua:'
}

# What declares no spec is a module of others, wherever it lies, and no file of the run; what is broken is one.
modules() {
    mkdir -p tree/lib
    echo 'return { answer = 42 }' >tree/lib/answer.lua
    echo 'local lib = require "lib.answer" it("knows it", function() assert.equal(42, lib.answer) end)' >tree/one.lua
    cp pass.lua tree
    run 0 tree --report json:tree.json
    last '3 passed, 0 failed, 0 skipped'
    has $'\n2 files in '
    run 0 merge tree.json
    has $'\n2 files in '
    run 0 tree -k knows
    has $'\n2 files in '
    echo 'error "broken"' >tree/lib/broken.lua
    run 2 tree
    has 'error: load at tree/lib/broken.lua:1' $'\n3 files in '
}

# Waits until the worker of smcrun $1 has printed $2, and sets $worker; gives up with smcrun.
wait_for_worker() {
    worker=''
    while kill -0 "$1" 2>/dev/null; do
        worker=$(cat "/proc/$1/task/$1/children" 2>/dev/null)
        worker=${worker%% *}
        [[ -n $worker ]] && grep -qs "$2" "/proc/$worker/fd/1" && return
    done
    complain "a worker that prints '$2'"
}

# die STATUS SIGNAL SENT_TO ARG...: sends a signal to the worker or to smcrun while a spec hangs.
die() {
    local wanted=$1 signal=$2 to=$3 pid status
    shift 3
    called="$* # and SIG$signal to the $to"
    # A shell without job control starts background programs deaf to SIGINT.
    timeout 60 env --default-signal=INT "$smcrun" "$@" >out.txt 2>&1 &
    while ! pid=$(cat "/proc/$!/task/$!/children" 2>/dev/null) || [[ -z $pid ]]; do
        kill -0 $! 2>/dev/null || break
    done
    pid=${pid%% *}
    wait_for_worker "$pid" 'about to hang'
    case $to in
    worker) kill -"$signal" "$worker" ;;
    parent) kill -"$signal" "$pid" ;;
    esac
    wait $!
    status=$?
    out=$(<out.txt)
    checks=$((checks + 2))
    [[ $status == "$wanted" ]] || complain "exit status $wanted, not $status"
    ! kill -0 "$worker" 2>/dev/null || complain "no worker left behind"
}

# A run that was stopped (Ctrl-Z) does not take the time for the silence of its worker.
stopped() {
    cat >stopped.lua <<'LUA'
local smc = require "smc"
it("waits for a file", function()
  print "waits"
  eventually(function() assert(io.open "go") end, { within = 60 })
end)
LUA
    called='stopped.lua # and SIGSTOP'
    "$smcrun" --clock real --timeout 120 --hang-after 1 stopped.lua >out.txt 2>&1 &
    wait_for_worker $! waits
    kill -STOP $! "$worker"
    sleep 2 # longer than it may be silent
    kill -CONT $!
    timeout 0.4 tail -f --pid=$! out.txt >/dev/null # until it ends, or has looked around
    touch go
    kill -CONT "$worker" 2>/dev/null
    wait $!
    is 'exit status' 0 $?
    out=$(<out.txt)
    last '1 passed, 0 failed, 0 skipped'
}

deaths() {
    die 2 ABRT worker hang.lua pass.lua
    last '4 passed, 1 failed, 0 skipped'
    has 'error: crash at hang.lua:4' 'killed by SIGABRT (Aborted)' 'about to hang'
    die 2 KILL worker hang.lua
    has 'killed by SIGKILL' 'out of memory'
    die 130 INT parent hang.lua
    last '1 passed, 0 failed, 0 skipped'
    has 'interrupted: 1 of 1 files' 'skip hang.lua  1 passed, interrupted'
    out=$(<.smcrun/last-failed) # it has failed above, and nobody has seen it pass
    has 'hang.lua::a worker::hangs in C'
    echo 'print "about to hang" while true do end' >loading.lua
    die 130 INT parent loading.lua
    has 'interrupted: 1 of 1 files' $'\n1 file in '
    die 130 TERM parent hang.lua --report tap
    has 'Bail out! interrupted'
}

# A report that may not become so large is said to be incomplete.
limited() {
    called='fail.lua --report html:limited.html # and ulimit -f 1'
    out=$(ulimit -f 1 && "$smcrun" fail.lua --report html:limited.html 2>&1)
    is 'exit status' 70 $?
    has 'smcrun: cannot write limited.html: File too large'
}

# A run that can start no worker is no run of nothing, in its own words, in its report, and where that is merged.
short_of_descriptors() {
    called='pass.lua --report json # and ulimit -n 5'
    bash -c 'ulimit -n 5; exec "$0" pass.lua --report json' "$smcrun" >short.json 2>errors.txt
    is 'exit status' 70 $?
    out=$(<errors.txt)
    has 'Too many open files'
    lacks 'nothing selected'
    out=$(tail -1 short.json)
    has '"type":"run_end"' '"exit":70'
    run 0 pass.lua --report json:whole.json
    for order in 'short.json whole.json' 'whole.json short.json'; do
        # shellcheck disable=SC2086
        run 70 merge $order
        has 'not all of what was to be run has run'
    done
}

fault_list() {
    run 0 --list-faults
    has 'venue faults: venue:fault { venue = NAME, .. }' 'status (also http)  [requests]' 'ack_lost  [requests]' \
        'does what was asked; the connection dies before the answer' 'seconds  how late the answer is (number >= 0 s, needed)' \
        'client: read server, order' 'bad_frame  [streams]' 'maintenance  [the venue]' \
        'link faults: venue:fault { link = NAME, .. }' 'reset_peer  [connections]' 'tls_expired  [the venue]'
    [[ $(awk 'length > 80' <<<"$out") == '' ]] || complain 'a list that fits 80 columns'
    run 0 --list-faults=json
    has '{"venue":{"common":[{"name":"after"' '"name":"ack_lost","aliases":[],"where":"requests"'
    [[ $out != *$'\n'* ]] || complain 'one line'
}

reports() {
    run 2 --seed 7 -j1 --report tap:one.tap fail.lua names.lua tables.lua error.lua skip.lua pass.lua
    run 2 --seed 7 -j4 --report tap:two.tap fail.lua names.lua tables.lua error.lua skip.lua pass.lua
    same one.tap two.tap
    run 1 --report tap --seed 7 names.lua skip.lua
    has 'TAP version 14' 'clock virtual, seed 7' "not ok 1 - names.lua::it's a \$name \\\\ with \\# signs::fails \"so\"" \
        'ok 2 - skip.lua::what waits for better days::is pending # SKIP pending' '1..3' 'severity: fail'
    last '# 0 passed, 1 failed, 2 skipped'
    lacks $'\033'
    run 0 -v pass.lua
    has 'ok   arithmetic > waits 54 seconds without waiting  54.00 s virtual'
    run 0 -q pass.lua
    [[ $out == '2 passed, 0 failed, 0 skipped' ]] || complain 'the last line only'
    run 1 --transcripts made/here fail.lua
    out=$(cat 'made/here/fail.lua_a_failing_file_shows_both_values.txt')
    has 'fail.lua::a failing file::shows both values' 'fail: assertion' 'printed before the failure'
}

# The command that a failure names repeats it.
repeating() {
    local again
    run 1 names.lua --seed 5
    again=$(sed -n 's/^ *again: smcrun //p' <<<"$out")
    eval "run 1 $again"
    last '0 passed, 1 failed, 0 skipped'
    has 'seed 5'
}

credentials() {
    printf 'BINANCE_TESTNET_API_KEY=top secret value\n' >.env
    chmod 600 .env
    cat >leak.lua <<'LUA'
it("prints a secret", function() print("key: top secret value") assert.equal("top secret value", "x") end)
LUA
    run 1 leak.lua
    lacks 'top secret value'
    has 'key: ***'
    chmod 644 .env
    run 0 pass.lua
    has 'warning: others may read .env; mend it with: chmod 600 .env'
    printf 'A=1\nthis is top secret value\n' >.env
    run 3 pass.lua
    has '.env: line 2: KEY=value was expected'
    lacks 'top secret value'
    rm .env
}

terminal() {
    called='pass.lua fail.lua, on a terminal'
    out=$(script -qec "'$smcrun' pass.lua fail.lua" /dev/null </dev/null)
    has $'\033[31m' $'\033[32m'
    out=$(NO_COLOR=1 script -qec "'$smcrun' pass.lua fail.lua" /dev/null </dev/null)
    lacks $'\033[3'
    out=$(script -qec "'$smcrun' --no-color pass.lua fail.lua" /dev/null </dev/null)
    lacks $'\033[3'
}

parts=(verdicts expected_failures broken_files modules stopped deaths limited short_of_descriptors fault_list reports repeating credentials terminal)
(($# > 2)) && parts=("${@:3}")
for part in "${parts[@]}"; do
    "$part"
done
echo "$checks checks, $failures failed"
[[ $failures == 0 && $checks -gt 0 ]]
