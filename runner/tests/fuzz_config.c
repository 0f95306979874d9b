/* Configurations: whatever the text, it ends, within its memory, and what it sets is known and has a source. */
#include "options/config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    smcr_config_t config = {0};
    smc_error_t err = {0};
    smc_code_t rc = smcr_config_read(&config, (const char *)data, size, "c.lua", "up/", &err);
    if (rc != SMC_OK && err.detail[0] == '\0')
        abort();
    for (size_t i = 0; i < config.count; i++)
        if (config.items[i].option == NULL || strncmp(config.items[i].source, "c.lua:", 6) != 0)
            abort();
    smcr_config_deinit(&config);
    return 0;
}
