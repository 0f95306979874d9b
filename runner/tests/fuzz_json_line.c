/* A line of a report of somebody else's. */
#include "report/json_lines_read.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    smcr_line_t line;
    smc_error_t err = {0};
    if (smcr_line_read((const char *)data, size, &line, &err) == SMC_OK)
        smcr_line_deinit(&line);
    return 0;
}
