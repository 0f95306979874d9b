/* What a worker that went mad may write to the pipe: read or refused, never more than there is; what was read is written
 * back to the same bytes. */
#include "run/event.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    for (size_t at = 0, used = 1; used > 0; at += used) {
        smcr_event_t ev = {0};
        smc_buf_t again = {0};
        if (smcr_event_read(bytes + at, size - at, &ev, &used) != SMC_OK || used == 0)
            break;
        if (used > size - at || smcr_event_write(&ev, &again) != SMC_OK || again.len != used ||
            memcmp(again.data, bytes + at, used) != 0)
            abort();
        smc_buf_deinit(&again);
        smcr_event_deinit(&ev);
    }
    return 0;
}
