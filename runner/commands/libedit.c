#include "commands/libedit.h"

#include <dlfcn.h>
#include <string.h>

#define OP "libedit.load"

smc_code_t smcr_libedit_load(smcr_libedit_t *lib, smc_error_t *err)
{
    static const char *const names[] = {
#define X(name) #name,
        SMCR_LIBEDIT_MAP(X)
#undef X
    };
    void *const functions[] = {
#define X(name) &lib->name,
        SMCR_LIBEDIT_MAP(X)
#undef X
    };
    void *handle = dlopen("libedit.so.2", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (handle == NULL)
        return smc_fail(err, SMC_ESYS, OP, 0, "%s; install it with: apt-get install libedit2",
                        dlerror());
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        void *symbol = dlsym(handle, names[i]);
        if (symbol == NULL)
            return smc_fail(err, SMC_ESYS, OP, 0, "libedit.so.2 has no %s: it is too old",
                            names[i]);
        /* ISO C has no cast from an object to a function */
        memcpy(functions[i], &symbol, sizeof(symbol));
    }
    return SMC_OK;
}
