#!/usr/bin/env bash
# pytest_suite.sh SMCRUN PAGE: every spec that the page names exists, and so does every file; every test of the old suite
# has its row.  A cell of specs reads: `folder/file.lua` "name", "name"; `other.lua` "name".
# shellcheck disable=SC2016,SC2034,SC2154
set -uo pipefail
smcrun=$(realpath "$1") page=$(realpath "$2")
source "$(dirname "$0")/checks.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$(dirname "$page")/.." || exit 1

# missing_of PAGE: what it names that is not there, one a line.
missing_of() {
    awk -v specs="$work/specs" '
        BEGIN {
            while ((getline id <specs) > 0) {
                file = id; sub(/::.*/, "", file); files[file] = 1
                for (name = id; i = index(name, "::"); ) { name = substr(name, i + 2); known[file, name] = 1 }
            }
        }
        function holds(file, word, line) { # a test of the program, in a file of its own
            while ((getline line <file) > 0) if (index(line, word)) { close(file); return 1 }
            close(file)
            return 0
        }
        !/^\|/ || /^\|-/ { next }
        {
            rest = $0; file = ""
            while (match(rest, /`[^`]+`|"[^"]+"/)) {
                word = substr(rest, RSTART + 1, RLENGTH - 2); quoted = substr(rest, RSTART, 1) == "\""
                rest = substr(rest, RSTART + RLENGTH)
                if (quoted) {
                    if (file == "") { print NR ": no file before \"" word "\""; continue }
                    if (("scenarios/" file) in files ? !(("scenarios/" file, word) in known) : !holds(file, word))
                        print NR ": " file " has no spec \"" word "\""
                } else if (word ~ /\//) {
                    file = word ~ /\.lua$/ ? word : ""
                    if (file != "" && ("scenarios/" file) in files) continue
                    if (system("test -e \"" word "\"") != 0) print NR ": there is no " word
                }
            }
        }' "$1"
    for test in {1..35}; do grep -q "^| $test \`" "$1" || echo "no row for test $test"; done
}

names() { # names WHAT TEXT: of a page that ends with this line
    { cat "$page"; printf '%s\n' "$2"; } >"$work/page.md"
    out=$(missing_of "$work/page.md")
    called="a page that has $2"
    has "$1"
}

"$smcrun" --list scenarios >"$work/specs" || exit 1
names 'connection/oanda.lua has no spec "sleeps"' '| x | y | `connection/oanda.lua` "sleeps" |'
names 'there is no runner/tests/nobody.sh' '| x | y | `runner/tests/nobody.sh` |'
names 'no file before "alone"' '| x | y | "alone" |'
grep -v '^| 29 ' "$page" >"$work/short.md"
is 'a row that is missing' 'no row for test 29' "$(missing_of "$work/short.md")"
out=$(missing_of "$page") called='the page as it is'
is 'what it names is there' '' "$out"
printf '%d checks, %d failed\n' $checks $failures
((failures == 0))
