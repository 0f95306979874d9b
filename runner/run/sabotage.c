#include "run/sabotage.h"

#include <stddef.h>

const char *smcr_sabotage_text(smcr_sabotage_t sabotage)
{
    static const char *const texts[] = {NULL,
#define X(name, text, doc) text,
                                        SMCR_SABOTAGE_MAP(X)
#undef X
    };
    return texts[sabotage];
}

const char *smcr_sabotage_doc(smcr_sabotage_t sabotage)
{
    static const char *const docs[] = {"",
#define X(name, text, doc) doc,
                                       SMCR_SABOTAGE_MAP(X)
#undef X
    };
    return docs[sabotage];
}
