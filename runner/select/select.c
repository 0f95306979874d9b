#include "select/select.h"

#include "smc/rng.h"

#include <stdlib.h>
#include <string.h>

smc_code_t smcr_selection_init(smcr_selection_t *sel, const smcr_options_t *options,
                               const char *filter, smc_error_t *err)
{
    sel->options = options;
    smc_code_t rc = SMC_OK;
    if (filter != NULL)
        rc = smcr_expr_parse(filter, &sel->of_suite, err);
    if (rc == SMC_OK && options->expr != NULL)
        rc = smcr_expr_parse(options->expr, &sel->of_user, err);
    if (rc == SMC_OK && (options->last_failed || options->failed_first))
        rc = smcr_failures_load(&sel->failures, err);
    return rc;
}

void smcr_selection_deinit(smcr_selection_t *sel)
{
    smcr_expr_free(sel->of_suite);
    smcr_expr_free(sel->of_user);
    smcr_failures_deinit(&sel->failures);
    *sel = (smcr_selection_t){0};
}

/* Is a failure known in this file? */
static bool has_failed(const smcr_selection_t *sel, const smcr_file_t *file)
{
    const char *id;
    for (size_t n = 0; (id = smcr_failures_get(&sel->failures, n)) != NULL; n++)
        if (smcr_id_covers(file->path, id))
            return true;
    return false;
}

bool smcr_selection_narrow(smcr_selection_t *sel, const smcr_plan_t *plan)
{
    for (size_t i = 0; i < plan->n_files && !sel->only_failed; i++)
        sel->only_failed = sel->options->last_failed && has_failed(sel, &plan->files[i]);
    return sel->only_failed;
}

bool smcr_lists(const char *list, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = list; at != NULL;
         at = strchr(at, ',') == NULL ? NULL : strchr(at, ',') + 1)
        if (strncmp(at, name, n) == 0 && (at[n] == ',' || at[n] == '\0'))
            return true;
    return false;
}

static bool has_a_tag(const smcr_options_t *o, const char *tags)
{
    bool has = o->n_tags == 0;
    for (size_t i = 0; i < o->n_tags && !has; i++)
        has = smcr_lists(tags, o->tags[i]);
    return has;
}

/* Without the folders that are only where the tree happens to lie. */
static const char *words_of(const smcr_file_t *file, const char *id)
{
    return strncmp(id, file->path, file->words) == 0 ? id + file->words : id;
}

bool smcr_selection_matches(const smcr_selection_t *sel, const smcr_file_t *file, smcr_spec_t spec)
{
    const char *words = words_of(file, spec.id);
    return smcr_file_selects(file, spec.id, spec.lines) && has_a_tag(sel->options, spec.tags) &&
           (sel->of_suite == NULL || smcr_expr_matches(sel->of_suite, words, spec.tags)) &&
           (sel->of_user == NULL || smcr_expr_matches(sel->of_user, words, spec.tags));
}

bool smcr_selection_wants(const smcr_selection_t *sel, const smcr_file_t *file, smcr_spec_t spec)
{
    return smcr_selection_matches(sel, file, spec) &&
           (!sel->only_failed || smcr_failures_have(&sel->failures, file->path, spec.id));
}

bool smcr_selection_runs(const smcr_selection_t *sel, const smcr_file_t *file, smcr_spec_t spec)
{
    return smcr_selection_wants(sel, file, spec) &&
           smcr_shard_takes(sel->options->shard, words_of(file, spec.id));
}

/* ---- order ---------------------------------------------------------------------- */

/* 62 bits, so that what has failed fits before all of it. */
static int64_t draw(const smcr_options_t *o, const char *name)
{
    smc_rng_t rng;
    if (!o->shuffle)
        return 0;
    smc_rng_init(&rng, o->seed, name);
    return (int64_t)(smc_rng_u64(&rng) >> 2);
}

static int64_t put_first(bool first, int64_t rank)
{
    return first ? rank - INT64_MAX / 2 : rank;
}

int64_t smcr_selection_rank(const smcr_selection_t *sel, const smcr_file_t *file, const char *id)
{
    bool first = sel->options->failed_first && smcr_failures_have(&sel->failures, file->path, id);
    return put_first(first, draw(sel->options, words_of(file, id)));
}

typedef struct ranked {
    int64_t rank;
    size_t at;
    smcr_file_t file;
} ranked_t;

static int by_rank(const void *a, const void *b)
{
    const ranked_t *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

smc_code_t smcr_selection_arrange(const smcr_selection_t *sel, smcr_plan_t *plan, smc_error_t *err)
{
    ranked_t *all = calloc(plan->n_files + 1, sizeof(*all));
    if (all == NULL)
        return smc_fail(err, SMC_ENOMEM, "select", 0, "no memory for the order of the files");
    for (size_t i = 0; i < plan->n_files; i++) {
        const smcr_file_t *file = &plan->files[i];
        bool first = sel->options->failed_first && has_failed(sel, file);
        int64_t rank = put_first(first, draw(sel->options, words_of(file, file->path)));
        all[i] = (ranked_t){.rank = rank, .at = i, .file = *file};
    }
    qsort(all, plan->n_files, sizeof(*all), by_rank);
    for (size_t i = 0; i < plan->n_files; i++)
        plan->files[i] = all[i].file;
    free(all);
    return SMC_OK;
}
