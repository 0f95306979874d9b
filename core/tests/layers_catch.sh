#!/bin/sh
# layers_catch.sh ROOT [CC]: proves that layers.sh sees each kind of violation, by committing them one by one in a copy.
root=${1:?usage: layers_catch.sh ROOT [CC]}
cc=${2:-cc}
rc=0
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

catch() { # catch FILE LINE WHY [CC]: layers.sh must fail, and say why, once FILE ends in LINE
    rm -rf "$copy/tree"
    mkdir "$copy/tree"
    (cd "$root" && cp -r core bindings runner scenarios vendor .ci CMakeLists.txt README.md "$copy/tree")
    printf '%s\n' "$2" >>"$copy/tree/$1"
    if said=$(sh "$root/core/tests/layers.sh" "$copy/tree" "${4:-true}"); then
        echo "not caught: '$2' in $1"
        rc=1
    elif ! printf '%s' "$said" | grep -q "$3"; then
        echo "'$2' in $1 was caught for another reason: $said"
        rc=1
    fi
}

sh "$root/core/tests/layers.sh" "$root" "$cc" || exit 1
catch core/base/error.c '#include <lua.h>' 'core knows neither'
catch core/net/loop.c '# include "../../bindings/smcb.h"' 'core knows neither'
catch core/base/error.c '#include <uv.h>' 'libuv belongs'
catch bindings/smcb_json.c '#include <uv.h>' 'libuv belongs'
catch core/net/loop.c '#include <curl/curl.h>' 'libcurl belongs'
catch core/net/loop.c '#include <libwebsockets.h>' 'libwebsockets belongs'
catch core/net/loop.c '#include <hiredis/hiredis.h>' 'hiredis belongs'
catch core/net/loop.c '#include <openssl/evp.h>' 'OpenSSL belongs'
catch bindings/smcb_json.c '#include "../core/net/loop_priv.h"' 'bindings see'
catch runner/options/options.c '#include "../bindings/smcb.h"' 'the runner sees'
catch core/include/smc/buf.h '#include <uv.h>' 'a public header includes'
catch core/include/smc/buf.h 'FILE *smc_buf_open(void);' 'does not compile alone' "$cc"
catch core/base/buf.c '#include "smc/loop.h"' 'sees itself and base'
catch core/net/loop.c '#include "smc/market.h"' 'sees itself and base'
catch core/policy/breaker.c '#include "smc/loop.h"' 'sees itself and base'
catch core/base/buf.c "$(yes '/* */' | head -n 600)" 'over 600 lines'
catch bindings/lua/smc.lua "-- $(printf TO)DO" 'unfinished'
catch scenarios/suites.lua "-- $(printf /wo)rk/x" 'a machine'
exit $rc
