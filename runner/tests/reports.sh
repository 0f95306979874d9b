#!/usr/bin/env bash
# reports.sh SMCRUN FIXTURES SCHEMA XSD: reports for machines, read by programs that are not ours: xmllint, jsonschema and
# Perl's TAP::Parser.
set -euo pipefail
smcrun=$(realpath "$1") schema=$(realpath "$3") xsd=$(realpath "$4") script=$(realpath "$(dirname "$0")/report_script.js")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$2"/*.lua "$work" && cd "$work"
unset GITHUB_STEP_SUMMARY
export LC_ALL=C

die() {
    printf '%s\n' "$*" >&2
    exit 1
}

is() { # is WHAT WANTED GOT
    [[ $2 == "$3" ]] || die "$1: '$2' was wanted, not '$3'"
}

# Every verdict there is, names with signs that mean something, bytes that are no text.
files=(fail.lua names.lua error.lua skip.lua pass.lua task_left.lua load_error.lua os_exit.lua bytes.lua deadline.lua
    xfail.lua)
printf 'it("prints <&\\"> and\\255\\0\\27 %%0A|, \\239\\191\\191", function() print("\\255<") error("a]]>b\\1\\n%%c") end)\n' >bytes.lua
status=0
GITHUB_STEP_SUMMARY=summary.md "$smcrun" --seed 7 --timeout 2 "${files[@]}" --report junit:out.xml --report json:out.jsonl \
    --report github --report tap:out.tap --report tap13:out.tap13 >out.txt || status=$?
is 'exit status' 2 $status
summary=$(tail -n 1 out.txt)
is 'the last line' '7 passed, 9 failed, 2 skipped' "$summary"

junit() {
    xmllint --noout --schema "$xsd" out.xml 2>errors.txt || die "$(cat errors.txt)"
    count() { xmllint --xpath "string($1)" out.xml; }
    is 'test cases' 18 "$(count 'count(//testcase)')"
    is 'the sum of them' 18 "$(count '/testsuites/@tests')"
    is 'failures' "$(count 'count(//failure)')" "$(count '/testsuites/@failures')"
    is 'errors' "$(count 'count(//error)')" "$(count 'sum(//testsuite/@errors)')"
    is 'skipped, and expected to fail' 5 "$(count 'count(//skipped)')"
    is 'why it is expected to fail' 'expected to fail: issue 12' \
        "$(count 'substring-before(//testcase[contains(@name, "says inside why")]/skipped/@message, "Expected objects")' | tr -d '\n')"
    is 'failed' 9 "$(count 'count(//failure) + count(//error)')"
    is 'names' "it's a \$name \\ with # signs::fails \"so\"" "$(count '//testsuite[@name="names.lua"]/testcase/@name')"
    is 'what was printed' '\xFF<' "$(count '//testcase[@classname="bytes"]/system-out')"
    [[ $(count '//testcase[@name="a failing file::shows both values"]/failure') == *"again: smcrun 'fail.lua::a failing"* ]] ||
        die 'a failure does not say how to repeat it'
}

# From the line that failed to the spec that led there.
traceback() {
    printf 'local function deep() assert.equal(1, 2) end\nit("fails inside", function()\n    deep()\nend)\n' >deep.lua
    "$smcrun" deep.lua --report json:deep.jsonl >deep.txt || true
    grep -qF '"traceback":"stack traceback:\n\u0009deep.lua:1: in upvalue '"'deep'"'\n\u0009deep.lua:3: in ' deep.jsonl ||
        die "$(grep -o '"traceback":"[^"]*"' deep.jsonl)"
}

json() {
    split -l 1 -a 4 out.jsonl line.
    local given=()
    for line in line.*; do given+=(-i "$line"); done
    PYTHONWARNINGS=ignore jsonschema "${given[@]}" "$schema" >errors.txt 2>&1 || die "$(head -c 2000 errors.txt)"
    is 'lines of ends' 18 "$(grep -c '"type":"spec_end"\|"type":"file_error"' out.jsonl)"
    grep -q '^{"v":2,"type":"run_start".*"seed":7,"files":11}$' out.jsonl || die 'no line about the run'
    tail -n 1 out.jsonl | grep -q '^{"v":2,"type":"run_end","passed":7,"failed":9,"skipped":2,"flaky":0,"xfailed":3,' || die 'no totals'
    # A load, with errors and with what was asked of it; and that schema is not one that takes anything, either.
    printf 'it("loads", function() local smc = require "smc"
        local run = function(n) smc.sleep(n / 1000) if n == 5 then return nil, "no" end end
        assert.load(smc.load { rate = 50, duration = 1, run = run }, { "p99 < 0.01", "errors < 0.1" })
        end)\n' >loads.lua
    "$smcrun" loads.lua --report json:loads.jsonl >loads.txt || true
    grep '"type":"spec_end"' loads.jsonl >loads.json
    grep -q '"loads":\[{"of":"load","model":"open",.*"classes":{"error":1}.*"text":"p99 < 0.01","held":false' loads.json ||
        die 'the load is not told'
    PYTHONWARNINGS=ignore jsonschema -i loads.json "$schema" >errors.txt 2>&1 || die "$(head -c 2000 errors.txt)"
    grep -q '^      p99 < 0.01 .* is 0.05: too high by 0.04' loads.txt || die 'the failure does not say by how much'
    grep -q '^      latency  .* 50 ms' loads.txt || die 'the table of the load is not shown'
    printf 'it("loads", function() local smc = require "smc"
        assert.load(smc.load { rate = 50, duration = 1, run = function() end }, "errors == 0") end)\n' >passes.lua
    "$smcrun" -v passes.lua >passes.txt
    grep -q '| .* load  load: open model, 50 arrivals in 1 s' passes.txt || die '-v does not show the load'
    sed 's/"held":false/"held":0/' loads.json >wrong.json
    ! PYTHONWARNINGS=ignore jsonschema -i wrong.json "$schema" >/dev/null 2>&1 || die 'the schema takes a wrong load'
    # A schema that takes anything would prove nothing.
    printf '{"v":2,"type":"spec_end","status":"pass"}' >wrong.json
    ! PYTHONWARNINGS=ignore jsonschema -i wrong.json "$schema" >/dev/null 2>&1 || die 'the schema takes half an event'
}

github() {
    is 'annotations' 9 "$(grep -c '^::error ' out.txt)"
    grep -q '^::error file=fail.lua,line=4,title=fail.lua%3A%3Aa failing file%3A%3Ashows both values::Expected objects' out.txt ||
        die 'no annotation at the failing line'
    grep -q '^::error file=bytes.lua,line=1,title=.* %250A|%2C .*::a]]>b\\x01%0A%25c$' out.txt || die 'signs are not escaped'
    is 'rows of the summary' 9 "$(grep -c '^| .*lua' summary.md)"
    grep -q '^### smcrun: 7 passed, 9 failed, 2 skipped$' summary.md || die 'no totals in the summary'
    printf 'it("fails", function() assert.is_true(false) end)\n' >a,b.lua
    "$smcrun" a,b.lua --report github >out.txt || true
    grep -q '^::error file=a%2Cb.lua,line=1,title=' out.txt || die 'a comma in the name of a file is not escaped'
    status=0
    GITHUB_STEP_SUMMARY=missing/summary.md "$smcrun" pass.lua --report github >out.txt 2>&1 || status=$?
    is 'a summary that cannot be written' 70 $status
    "$smcrun" pass.lua --report github >out.txt
    ! grep -q '^::' out.txt || die 'an annotation without a failure'
}

read_by_perl() {
    perl - "$1" <<'END'
use strict; use warnings; use TAP::Parser;
open my $in, '<', $ARGV[0] or die $!;
my $p = TAP::Parser->new({ tap => do { local $/; <$in> } });
my $yaml = 0;
while (my $line = $p->next) { $yaml++ if $line->is_yaml }
print join("\n", $p->parse_errors, sprintf('%d passed, %d failed, %d skipped, %d expected, %d with diagnostics',
    scalar $p->passed, scalar $p->failed, scalar $p->skipped, scalar $p->todo, $yaml));
END
}

# The directive of what is to be done one day: a reader of TAP counts it as fine.
tap() {
    is 'expected failures' 3 "$(grep -c '^not ok .* # T[O]DO expected to fail' out.tap)"
    grep -q '^not ok .*::says inside why it is expected to fail # T[O]DO expected to fail: issue 12$' out.tap || die 'no reason'
    grep -q '^# 0 flaky, 3 expected to fail$' out.tap || die 'no count of what is expected to fail'
    is 'all but the version' "$(tail -n +2 out.tap)" "$(tail -n +2 out.tap13)"
    is 'as Perl reads it' '9 passed, 9 failed, 2 skipped, 3 expected, 12 with diagnostics' "$(read_by_perl out.tap13)"
    printf 'it("fails", function() print("above\\n\\nbelow") assert.is_true(false) end)\n' >blank.lua
    "$smcrun" blank.lua --report tap13 >blank.tap || true
    is 'an empty line, as Perl reads it' '0 passed, 1 failed, 0 skipped, 0 expected, 1 with diagnostics' "$(read_by_perl blank.tap)"
}

# What a browser would be given, without one: report_page.py drives one where there is one.
html() {
    printf 'it("ends </script><!-- nothing", function() error("</script><b>") end)\n' >marked.lua
    "$smcrun" "${files[@]}" marked.lua --seed 7 --timeout 2 --report html:out.html >out.txt || true
    python3 - out.html <<'END' || die 'the page is not what it should be'
import base64, hashlib, json, re, sys
page = open(sys.argv[1], encoding="utf-8").read()
head, events = page.split('<script type="application/x-ndjson" id="events">\n')
events, tail = events.split("</script>", 1)
policy = re.search(r'Content-Security-Policy" content="([^"]+)"', head).group(1)
for element in ("script", "style"):
    text = re.search(f"<{element}>(.*?)</{element}>", head, re.S).group(1)
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    assert f"{element}-src 'sha256-{digest}'" in policy, element
assert policy.startswith("default-src 'none'; "), policy
assert page.lower().count("</script") == 2 and "<!--" not in page
assert not re.search(r'(?:src|href)="(?!#|data:,")', head + tail)
lines = [json.loads(line) for line in events.splitlines()]
kinds = [line.get("type", "texts") for line in lines]
assert kinds[0] == "run_start" and kinds[-1] == "run_end", kinds
assert kinds.count("spec_end") + kinds.count("file_error") == 19, kinds
failed = [i for i, line in enumerate(lines) if line.get("id") == "marked.lua::ends </script><!-- nothing" and "status" in line]
assert lines[failed[0]]["message"] == "</script><b>" and "traceback" in lines[failed[0] + 1]
END
    if command -v node >/dev/null; then node "$script" out.html >errors.txt 2>&1 || die "$(cat errors.txt)"; fi
}

# A secret of the scenario is in its message, its output, its transcript, and the name of a fault.
secrets() {
    local formats=(pretty tap junit json html)
    "$smcrun" secret_made.lua --transcripts shown "${formats[@]/#/--report=}" --report github >all.txt 2>&1 || true
    for format in "${formats[@]}"; do
        "$smcrun" secret_made.lua --transcripts shown --report "$format:secret.$format" >all.txt || true
        grep -q '[*][*][*]' "secret.$format" || die "$format: nothing was hidden"
    done
    GITHUB_STEP_SUMMARY=secret.md "$smcrun" secret_made.lua --report github >secret.github || true
    ! grep -rl 'a-secret-of-the-scenario\|612d7365637265742d6f66' secret.* all.txt shown || die 'these show a secret'
    grep -q '"on":"/[*][*][*]"' secret.json || die 'the fault is not told'
}

for part in junit traceback json github tap html secrets; do $part; done
