/* Files of KEY=value: names are names, values hold no NUL, and a value written in single quotes reads back. */
#include "keys/dotenv.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_read_back(const char *value)
{
    smcr_env_t env = {0};
    char *line = NULL;
    if (strpbrk(value, "'\n\r") != NULL)
        return;
    int n = asprintf(&line, "X='%s'", value);
    if (n < 0 || smcr_env_parse(&env, line, (size_t)n, NULL) != SMC_OK ||
        strcmp(smcr_env_get(&env, "X"), value) != 0)
        abort();
    smcr_env_deinit(&env);
    free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    smcr_env_t env = {0};
    (void)smcr_env_parse(&env, (const char *)data, size, NULL);
    for (size_t i = 0; i < env.count; i++) {
        const char *name = env.pairs[i].name;
        if (*name == '\0' || strpbrk(name, "= \t\n#'\"") != NULL)
            abort();
        must_read_back(env.pairs[i].value);
    }
    smcr_env_deinit(&env);
    return 0;
}
