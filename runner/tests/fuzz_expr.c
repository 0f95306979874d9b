/* -k expressions: whatever parses can be evaluated, and `not (x)` is the opposite of x. */
#include "select/expr.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char id[] = "failover/cascading.lua::cascading failure::Walks down the list";
    char *text = malloc(size + 1), *negated = malloc(size + 7);
    smcr_expr_t *e = NULL, *opposite = NULL;
    if (text == NULL || negated == NULL)
        abort();
    memcpy(text, data, size);
    text[size] = '\0';
    (void)snprintf(negated, size + 7, "not (%s)", text);
    if (smcr_expr_parse(text, &e, NULL) == SMC_OK &&
        smcr_expr_parse(negated, &opposite, NULL) == SMC_OK &&
        smcr_expr_matches(e, id, "failover,slow") ==
            smcr_expr_matches(opposite, id, "failover,slow"))
        abort();
    smcr_expr_free(e);
    smcr_expr_free(opposite);
    free(text);
    free(negated);
    return 0;
}
