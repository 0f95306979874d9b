#!/usr/bin/env bash
# command_lines.sh SMCRUN FIXTURES: the real program over every line of command_lines.txt: its exit status, and each stream.
set -uo pipefail
binary=$(realpath "$1") table=$(realpath "$(dirname "${BASH_SOURCE[0]}")/command_lines.txt")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$2"/{pass,fail,error,skip,names}.lua "$work" && cd "$work" || exit 1

mkdir -p empty tree/inner tree/hollow suites/{syntax,loop,number,name,list,key,path,call,filter}
printf 'describe("never closed", function()\n' >syntax.lua
printf 'return 1\n' >nothing.lua
cp pass.lua tree/inner/deep.lua
# By line: 1 a describe, 2-4 a spec, 6 two specs, 7 a spec.
cat >lines.lua <<'LUA'
describe("outer", function()
  it("first", function()
    assert.is_true(true)
  end)

  for _, name in ipairs { "second", "third" } do it(name, function() assert.is_true(true) end) end
  it("fourth #odd", function() assert.is_true(true) end)
end)
it("alone", function() assert.is_true(true) end)
LUA
cat >tree/suites.lua <<'LUA'
return {
  deep = { "inner" },
  slow = { "inner", "../lines.lua:2", filter = "slow or outer" },
  few = { "inner", filter = "slow" },
  all = { "." },
  hollow = { "inner", "hollow" },
  gone = { "performance" },
  wrong = { "inner", filter = "a and" },
}
LUA
printf 'return {' >suites/syntax/suites.lua
printf 'while true do end' >suites/loop/suites.lua
printf 'return 7' >suites/number/suites.lua
printf 'return { ["a b"] = { "x" } }' >suites/name/suites.lua
printf 'return { a = {} }' >suites/list/suites.lua
printf 'return { a = { "x", tag = "y" } }' >suites/key/suites.lua
printf 'return { a = { "x", 7 } }' >suites/path/suites.lua
printf 'return { a = { os.getenv("HOME") } }' >suites/call/suites.lua
printf 'return { a = { "x", filter = true } }' >suites/filter/suites.lua

for name in $(compgen -e | grep '^SMCRUN_\|^CI_NODE\|^JOB_COMP\|_TESTNET_\|^OANDA_\|^GITHUB_\|^NO_COLOR$'); do unset "$name"; done
export LC_ALL=C XDG_STATE_HOME=$work/state
smcrun() { "$binary" "$@"; }

# holds TEXT COLUMN: an empty column is an empty text; * anything; =... the whole text, with \n for a newline; else the text
# has each of the parts between " .. ", in this order.
holds() {
    local text=$1 column=$2 part
    case $column in
    '') [[ -z $text ]] && return ;;
    '*') return 0 ;;
    =*) [[ $text == "$(printf '%b' "${column#=}")" ]] && return ;;
    *)
        while [[ -n $column ]]; do
            part=${column%% .. *}
            [[ $text == *"$part"* ]] || return 1
            text=${text#*"$part"}
            [[ $column == *' .. '* ]] || return 0
            column=${column#* .. }
        done
        ;;
    esac
    return 1
}

lines=0 failures=0
while IFS=$'\037' read -r status command stdout stderr; do
    lines=$((lines + 1))
    [[ -d .smcrun ]] && rm -r .smcrun
    out=$(eval "$command" 2>err.txt </dev/null)
    got=$?
    err=$(<err.txt)
    [[ $got == "$status" ]] && holds "$out" "$stdout" && holds "$err" "$stderr" && continue
    failures=$((failures + 1))
    printf '%s | %s | %s | %s\n  status %s, standard output (<) and standard error (>):\n' \
        "$status" "$command" "$stdout" "$stderr" "$got"
    printf '  < %s\n' "${out//$'\n'/$'\n  < '}"
    printf '  > %s\n' "${err//$'\n'/$'\n  > '}"
done < <(sed -E '/^(#|$)/d; s/ *\| ?/\x1f/g' "$table")
# Every option that --help of a command tells of has a line, or shares one in a loop over commands.
commands() { smcrun --help | sed -nE 's/^       smcrun ([a-z-]+) .*/\1/p'; }
for command in run $(commands); do
    while read -r option; do
        [[ $command == run ]] && line="smcrun (run )?[^|]*" || line="smcrun ($command|\\\$command) [^|]*"
        grep -qE -- "^[0-9]+ \| [^|]*$line$option\b" "$table" && continue
        failures=$((failures + 1))
        echo "no line of command_lines.txt has: smcrun $command $option"
    done < <(smcrun "$command" --help | sed -nE 's/^  (-[a-zA-Z], |    )(--[a-z-]+).*/\2/p')
done
echo "$lines command lines, $failures failed"
[[ $lines -gt 0 && $failures == 0 ]]
