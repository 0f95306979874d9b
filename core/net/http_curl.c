#include "http_curl_priv.h"

#include "smc/http.h"

#include <dlfcn.h>
#include <string.h>

#define OP "http.load"

static smc_code_t find(void *lib, const char *name, void *function, smc_error_t *err)
{
    void *symbol = dlsym(lib, name);

    if (symbol == NULL)
        return smc_fail(err, SMC_ESYS, OP, 0, "libcurl.so.4 has no %s: it is too old", name);
    memcpy(function, &symbol, sizeof(symbol)); /* ISO C has no cast from an object to a function */
    return SMC_OK;
}

static smc_code_t find_all(smc_curl_t *curl, smc_error_t *err)
{
    static const char *const names[] = {
#define X(name) "curl_" #name,
        SMC_CURL_MAP(X)
#undef X
    };
    void *const functions[] = {
#define X(name) &curl->name,
        SMC_CURL_MAP(X)
#undef X
    };
    smc_code_t rc = SMC_OK;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && rc == SMC_OK; i++)
        rc = find(curl->lib, names[i], functions[i], err);
    return rc;
}

/* NODELETE: OpenSSL registers exit handlers, which must not point into an unloaded library. */
static void *open_lib(void)
{
    return dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
}

smc_code_t smc_curl_load(smc_curl_t *curl, smc_error_t *err)
{
    smc_code_t rc;

    curl->lib = open_lib();
    if (curl->lib == NULL)
        return smc_fail(err, SMC_ESYS, OP, 0, "%s; install it with: apt-get install libcurl4",
                        dlerror());
    rc = find_all(curl, err);
    if (rc == SMC_OK && curl->global_init(CURL_GLOBAL_ALL) != CURLE_OK)
        rc = smc_fail(err, SMC_ESYS, OP, 0, "libcurl cannot be initialised");
    if (rc != SMC_OK) {
        (void)dlclose(curl->lib);
        curl->lib = NULL;
    }
    return rc;
}

/* libcurl counts: after this once, all other calls of its initialisation do nothing. */
void smc_http_preload(void)
{
    smc_curl_t curl;

    if (smc_curl_load(&curl, NULL) == SMC_OK)
        (void)dlclose(curl.lib);
}

void smc_curl_unload(smc_curl_t *curl)
{
    curl->global_cleanup();
    (void)dlclose(curl->lib);
    curl->lib = NULL;
}
