#!/usr/bin/env bash
# cookbook.sh SMCRUN PAGE...: each recipe of the pages, a heading and its blocks of Lua, is a scenario that passes as it
# stands there, leaves nothing behind, and fails with its venue dead.  Under a ### heading there must be one.  A block that
# begins with a comment "-- venue/NAME.lua" is that file beside the scenario; one that begins with "-- smcrun OPTION..." is
# run with these.  Lines have the numbers that they have in the page.
# shellcheck disable=SC2016,SC2034,SC2154
set -uo pipefail
smcrun=$(realpath "$1")
mapfile -t pages < <(realpath "${@:2}")
source "$(dirname "$0")/checks.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# take_apart PAGE FOLDER: writes FOLDER/RECIPE/scenario.lua, or says what is wrong with the page.
take_apart() {
    awk -v folder="$2" -v page="$(basename "$1")" '
        function wrong(line, what) { print page ":" line ": " what; failed = 1 }
        function end_recipe() { if (level == 3 && !scenarios) wrong(heading, "this recipe has no scenario") }
        function begin_block(first) {
            file = "scenario.lua"
            if (match(first, /^-- [a-z_]+\/[a-z_]+\.lua$/)) file = substr(first, 4)
            else if (++scenarios > 1) wrong(NR, "a second scenario in one recipe: give it a heading of its own")
            path = folder "/" recipe "/" file
            system("mkdir -p \"$(dirname \"" path "\")\"")
            for (i = 1; i < NR; i++) print "" >path
        }
        /^```/ && inside { if (inside == "lua" && path != "") close(path); inside = ""; next }
        /^```/ {
            inside = substr($0, 4); opened = NR; path = ""
            if (inside == "") { wrong(NR, "a block without a word that says what it is"); inside = "?" }
            else if (inside != "lua" && inside != "sh") wrong(NR, "a block of " inside " is run by nobody")
            else if (inside == "lua" && recipe == "") wrong(NR, "a block of Lua above the first recipe")
            next
        }
        inside == "lua" && recipe != "" { if (path == "") begin_block($0); print >path }
        !inside && /^###? / {
            end_recipe()
            level = index($0, " ") - 1
            recipe = tolower(substr($0, level + 2)); gsub(/[^a-z0-9]+/, "_", recipe)
            heading = NR; scenarios = 0
            if (recipe in seen) wrong(NR, "a second recipe of this name")
            seen[recipe] = 1
        }
        END {
            if (inside) wrong(opened, "this block has no end")
            end_recipe()
            exit failed
        }' "$1"
}

refuses() { # refuses WHAT TEXT: a page that holds TEXT
    printf '%b\n' "$2" >"$work/page.md"
    out=$(take_apart "$work/page.md" "$work/refused") && complain "$1 is refused"
    has "page.md:$3: $1"
}

refusals() {
    refuses 'a block without a word' '### One\n\n```\nlocal smc\n```\n\n```lua\n```' 3
    refuses 'a block of Lua above' '```lua\nlocal smc\n```' 1
    refuses 'a block of python' '### One\n\n```python\n```' 3
    refuses 'this block has no end' '### One\n\n```lua\nlocal smc' 3
    refuses 'this recipe has no scenario' '### One\n\n### Two\n\n```lua\nlocal smc\n```' 1
    refuses 'a second scenario' '### One\n\n```lua\nlocal a\n```\n\n```lua\nlocal b\n```' 8
    refuses 'a second recipe' '### One\n\n```lua\nlocal a\n```\n### One\n\n```lua\nlocal b\n```' 6
}

cook() { # cook OPTION... FOLDER...
    run 0 --no-color --seed 1 --strict-leaks "$@"
    run 1 --no-color --seed 1 -q --sabotage dead "$@"
    checks=$((checks + 1))
    [[ ${out##*$'\n'} == '0 passed, '[1-9]* ]] || complain 'nothing passes with a dead venue'
}

refusals
for page in "${pages[@]}"; do take_apart "$page" "$work/recipes" || exit 1; done
cd "$work/recipes" || exit 1
plain=()
for recipe in */; do
    options=$(sed -n 's/^-- smcrun \(--.*\)/\1/p' "$recipe/scenario.lua")
    # shellcheck disable=SC2086
    if [[ -n $options ]]; then cook $options "$recipe"; else plain+=("$recipe"); fi
done
is 'twenty recipes, or more' 1 $((${#plain[@]} >= 20))
cook "${plain[@]}"
printf '%d checks, %d failed\n' $checks $failures
((failures == 0))
