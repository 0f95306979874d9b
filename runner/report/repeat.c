#include "report/repeat.h"

#include "report/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

uint64_t smcr_seed_of(const smcr_options_t *o, int64_t round)
{
    return (o->seed + (uint64_t)round) & INT64_MAX;
}

void smcr_put_repeat(FILE *out, const smcr_options_t *o, const smcr_event_t *ev)
{
    const char *what = ev->id == NULL ? "?" : ev->id;
    if (ev->again != NULL) {
        smcr_put_line(out, ev->again, strlen(ev->again));
        return;
    }
    /* What is flaky has passed alone: perhaps it takes the rest of its file to make it fail. */
    const char *colons = ev->status == SMCR_FLAKY ? strstr(what, "::") : NULL;
    char *path = colons == NULL ? NULL : strndup(what, (size_t)(colons - what));
    (void)fputs(what[0] == '-' ? "smcrun ./" : "smcrun ", out);
    smcr_put_shell(out, path == NULL ? what : path);
    free(path);
    (void)fprintf(out, " --seed %" PRIu64, smcr_seed_of(o, ev->round));
    if (o->target != SMCR_SANDBOX)
        (void)fprintf(out, " --target %s", smcr_target_text(o->target));
    else if (o->clock != SMCR_CLOCK_VIRTUAL)
        (void)fprintf(out, " --clock %s", smcr_clock_text(o->clock));
    if (o->timeout_s != SMCR_TIMEOUT_S)
        (void)fprintf(out, " --timeout %.10g", o->timeout_s);
    if (o->hang_s != 0)
        (void)fprintf(out, " --hang-after %.10g", o->hang_s);
    if (o->memory_mib != SMCR_MEMORY_MIB)
        (void)fprintf(out, " --memory %" PRIu64, o->memory_mib);
    if (o->sabotage != SMCR_NO_SABOTAGE)
        (void)fprintf(out, " --sabotage %s", smcr_sabotage_text(o->sabotage));
    if (o->env_file != NULL) {
        (void)fputs(" --env-file ", out);
        smcr_put_shell(out, o->env_file);
    }
    if (o->strict_leaks)
        (void)fputs(" --strict-leaks", out);
    if (o->allow_process)
        (void)fputs(" --allow-process", out);
    for (size_t i = 0; i < o->n_allow_read; i++) {
        (void)fputs(" --allow-read ", out);
        smcr_put_shell(out, o->allow_read[i]);
    }
    if (o->gc_stress)
        (void)fputs(" --gc-stress", out);
    if (o->internal)
        (void)fputs(" --internal", out);
}
