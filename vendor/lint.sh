#!/usr/bin/env bash
# lint.sh check BUILD | format: the linters over all of our C and Lua.  BUILD holds compile_commands.json.
# Runs every linter even when one complains; a clean one says nothing.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
rc=0

mapfile -t headers < <(find core bindings runner -name '*.h' | sort)
mapfile -t sources < <(find core bindings runner -name '*.c' | sort)
mapfile -t scripts < <(find bindings runner scenarios -name '*.lua' | sort)

need() {
    command -v "$1" >/dev/null && return
    echo "lint: $1 is missing. Install it with:  vendor/bootstrap install lint" >&2
    exit 2
}

# complain <linter>: for `linter ... || complain linter`
complain() {
    echo "lint: $1 failed" >&2
    rc=1
}

# tidy <build> [option...]: clang-tidy over the files that come on stdin, each ended by a NUL
tidy() {
    xargs -0 -r -n 1 -P "$(nproc)" clang-tidy -p "$@" --quiet \
        2> >(grep -v 'warnings\? generated\.$\|^Suppressed\|^Use -header-filter' >&2)
}

check_c() {
    local build=$1 database=$1/compile_commands.json file units=() tests=()
    [[ -s $database ]] || { echo "lint: no $database" >&2; exit 2; }
    clang-format --dry-run -Werror "${headers[@]}" "${sources[@]}" || complain clang-format
    # What the database does not have (programs outside the default build) cannot be parsed with the right flags.
    for file in "${sources[@]}"; do
        grep -qF "/$file\"" "$database" || continue
        if [[ $file == */tests/* ]]; then tests+=("$file"); else units+=("$file"); fi
    done
    printf '%s\0' "${units[@]}" | tidy "$build" || complain clang-tidy
    # The analyzer takes thirty times the time of all other checks; tests are executed under sanitizers instead.
    printf '%s\0' "${tests[@]}" | tidy "$build" '--checks=-clang-analyzer-*' || complain clang-tidy
    cppcheck --quiet --error-exitcode=1 --enable=warning,style,performance,portability --inline-suppr \
        --std=c11 --language=c -j "$(nproc)" -D_GNU_SOURCE -DSMC_VERSION='"0"' -DSMC_TEST_DIR='"."' -I core/include -I bindings -I runner -I "$build/bindings" \
        --suppress=missingIncludeSystem "${sources[@]}" || complain cppcheck
}

for tool in clang-format clang-tidy cppcheck luacheck; do
    need "$tool"
done
case ${1:-} in
check)
    check_c "${2:?usage: lint.sh check BUILD}"
    luacheck --quiet --no-color "${scripts[@]}" || complain luacheck
    ;;
format) clang-format -i "${headers[@]}" "${sources[@]}" ;;
*)
    echo 'usage: lint.sh check BUILD | format' >&2
    exit 2
    ;;
esac
exit $rc
