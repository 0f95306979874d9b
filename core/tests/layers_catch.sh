#!/bin/sh
# layers_catch.sh ROOT [CC]: proves that layers.sh sees each kind of violation, by committing all of them in a copy.
root=${1:?usage: layers_catch.sh ROOT [CC]}
cc=${2:-cc}
rc=0
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

sh "$root/core/tests/layers.sh" "$root" "$cc" || exit 1
(cd "$root" && cp -r core bindings runner scenarios vendor .ci CMakeLists.txt README.md "$copy")

commit() { # commit FILE LINE WHY: FILE ends in LINE, of which layers.sh must say WHY
    printf '%s\n' "$2" >>"$copy/$1"
    printf '%s|%s\n' "$1" "$3" >>"$copy/committed"
}

commit core/base/error.c '#include <lua.h>' 'core knows neither'
commit core/net/loop.c '# include "../../bindings/smcb.h"' 'core knows neither'
commit core/base/error.c '#include <uv.h>' 'libuv belongs'
commit bindings/smcb_json.c '#include <uv.h>' 'libuv belongs'
commit core/net/loop.c '#include <curl/curl.h>' 'libcurl belongs'
commit core/net/loop.c '#include <libwebsockets.h>' 'libwebsockets belongs'
commit core/net/loop.c '#include <hiredis/hiredis.h>' 'hiredis belongs'
commit core/net/loop.c '#include <openssl/evp.h>' 'OpenSSL belongs'
commit bindings/smcb_json.c '#include "../core/net/loop_priv.h"' 'bindings see'
commit runner/options/options.c '#include "../bindings/smcb.h"' 'the runner sees'
commit core/include/smc/buf.h '#include <uv.h>' 'a public header includes'
commit core/include/smc/buf.h 'FILE *smc_buf_open(void);' 'does not compile alone'
commit core/base/buf.c '#include "smc/loop.h"' 'sees itself and base'
commit core/net/loop.c '#include "smc/market.h"' 'sees itself and base'
commit core/policy/breaker.c '#include "smc/loop.h"' 'sees itself and base'
commit core/base/buf.c "$(yes '/* */' | head -n 600)" 'over 600 lines'
commit bindings/lua/smc.lua "-- $(printf TO)DO" 'unfinished'
commit scenarios/suites.lua "-- $(printf /wo)rk/x" 'a machine'

said=$(sh "$root/core/tests/layers.sh" "$copy" "$cc") && rc=1
while IFS='|' read -r file why; do
    printf '%s\n' "$said" | grep -F "$file" | grep -q "$why" || {
        echo "not caught in $file: $why"
        rc=1
    }
done <"$copy/committed"
[ $rc = 0 ] || printf '%s\n' "$said"
exit $rc
