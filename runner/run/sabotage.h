/* sabotage.h - how a run can be broken on purpose, to find specs that cannot fail.  The words; what each breaks is in
 * bindings/lua/smc/sabotage.lua. */
#ifndef SMCR_SABOTAGE_H
#define SMCR_SABOTAGE_H

#include <stdint.h>

/* X(NAME, text, what is broken).  First what befalls every sandbox, then our own mechanisms. */
#define SMCR_SABOTAGE_MAP(X)                                                                \
    X(DEAD, "dead", "refuses connections")                                                  \
    X(MUTE, "mute", "accepts connections, and never answers")                               \
    X(GARBAGE, "garbage", "answers everything with a page")                                 \
    X(EMPTY, "empty", "answers everything with success, and nothing in it")                 \
    X(FROZEN, "frozen", "tells no news: every answer is the first one again")               \
    X(FORGIVING, "forgiving", "takes any signature and any token")                          \
    X(UNLIMITED, "unlimited", "has no limits")                                              \
    X(NO_RETRY_AFTER, "no-retry-after", "does not say for how long a refusal holds")        \
    X(AMNESIAC, "amnesiac", "forgets orders as soon as they are placed")                    \
    X(DOUBLING, "doubling", "places every order twice")                                     \
    X(UNCANCELLABLE, "uncancellable", "says that orders are cancelled, and lets them live") \
    X(SILENT, "silent", "sends nothing over streams")                                       \
    X(CLOCK_WRONG, "clock-wrong", "has a clock that is an hour ahead")                      \
    X(LIMITER_GRANTS, "limiter-grants", "the limiter lets everything pass")                 \
    X(BREAKER_NEVER_OPENS, "breaker-never-opens", "the breaker lets everything pass")       \
    X(BREAKER_NEVER_CLOSES, "breaker-never-closes", "an open breaker stays open")           \
    X(RETRY_NEVER, "retry-never", "nothing is sent again")                                  \
    X(RETRY_ALWAYS, "retry-always", "whatever has failed is sent again, orders too")        \
    X(FAILOVER_NEVER, "failover-never", "a group stays where it is")                        \
    X(FAILOVER_FORGETS, "failover-forgets", "streams do not move with their group")         \
    X(GUARD_KEEPS, "guard-keeps", "the risk guard closes nothing, and says that it did")

typedef enum smcr_sabotage {
    SMCR_NO_SABOTAGE,
#define X(name, text, doc) SMCR_##name,
    SMCR_SABOTAGE_MAP(X)
#undef X
        SMCR_SABOTAGE_END
} smcr_sabotage_t;

const char *smcr_sabotage_text(smcr_sabotage_t sabotage); /* NULL for none */
const char *smcr_sabotage_doc(smcr_sabotage_t sabotage);

#endif /* SMCR_SABOTAGE_H */
