/* smcb_market.h - what the files of smc.core.market share: reading options, pushing results. */
#ifndef SMCB_MARKET_H
#define SMCB_MARKET_H

#include "smc/market_position.h"
#include "smcb.h"

smc_market_t *smcb_market_check(lua_State *L);

/* Fields of the options table at idx; each raises at the caller's line when the value is not what
 * it should be. */
bool smcb_market_dec(lua_State *L, int idx, const char *name, smc_dec_t *out); /* false: nil */
int64_t smcb_market_int(lua_State *L, int idx, const char *name, int64_t missing);
const char *smcb_market_text(lua_State *L, int idx,
                             const char *name); /* NULL: nil.  Borrowed from the table */
/* Index of the text in a NULL-terminated list; `missing` when nil. */
int smcb_market_choice(lua_State *L, int idx, const char *name, const char *const list[],
                       int missing);
int32_t smcb_market_instrument(lua_State *L, const smc_market_t *m, int idx);     /* field symbol */
int32_t smcb_market_any_instrument(lua_State *L, const smc_market_t *m, int idx); /* nil: all */
int32_t smcb_market_account(lua_State *L, const smc_market_t *m, int idx);
int32_t smcb_market_symbol_arg(lua_State *L, const smc_market_t *m, int arg);
smc_range_t smcb_market_range(lua_State *L, int idx);
/* A decimal given as an argument. */
smc_dec_t smcb_market_dec_arg(lua_State *L, int arg);
/* The value at idx; name is for the error. */
smc_dec_t smcb_market_dec_at(lua_State *L, int idx, const char *name);
int64_t smcb_market_int_at(lua_State *L, int idx, const char *name, int64_t missing);
bool smcb_market_bool_at(lua_State *L, int idx, const char *name, bool missing);
const char *smcb_market_text_at(lua_State *L, int idx, const char *name);
int smcb_market_choice_at(lua_State *L, int idx, const char *name, const char *const list[],
                          int missing);
int32_t smcb_market_instrument_at(lua_State *L, const smc_market_t *m, int idx);
/* Pushes the values of the options table at idx, each at its place among the n names, in one walk over
 * the table; raises for other keys.  Returns where the first is. */
int smcb_market_spread(lua_State *L, int idx, const char *const known[], int n);
smc_dec_t smcb_market_need_dec(lua_State *L, int idx, const char *name);
const char *smcb_market_need_text(lua_State *L, int idx, const char *name);
bool smcb_market_bool(lua_State *L, int idx, const char *name, bool missing);
/* Raises unless idx is a table with no other keys than these. */
void smcb_market_options(lua_State *L, int idx, const char *const known[]);
int32_t smcb_market_known_account(lua_State *L, const smc_market_t *m, int64_t id);
int64_t smcb_market_now(lua_State *L, const smc_market_t *m, int idx); /* field now_ms */

/* Wrong use that only the core can see. */
int smcb_market_raise(lua_State *L, const smc_error_t *err);
int smcb_market_refused(lua_State *L, smc_refusal_t why); /* nil, reason */

/* A list under construction: the table at `at` on the stack of L. */
typedef struct smcb_list {
    lua_State *L;
    const smc_market_t *m;
    int at;
    lua_Integer n;
} smcb_list_t;
smcb_list_t smcb_list_new(lua_State *L, const smc_market_t *m);
/* Appends the value on top of the stack. */
void smcb_list_add(smcb_list_t *list);

void smcb_push_dec(lua_State *L, smc_dec_t value);
void smcb_set_dec(lua_State *L, const char *name, smc_dec_t value);
void smcb_set_int(lua_State *L, const char *name, int64_t value);
void smcb_set_text(lua_State *L, const char *name, const char *value);
void smcb_set_bool(lua_State *L, const char *name, bool value);

extern const char *const smcb_market_sides[];
extern const char *const smcb_market_stps[];

void smcb_push_order(lua_State *L, const smc_market_t *m, const smc_order_t *o);
/* Callbacks of the core's queries; ud is a list. */
void smcb_add_order(void *ud, const smc_order_t *o);
/* What a fill of a contract did to the position: fields of the table on top. */
void smcb_set_closing(lua_State *L, const smc_market_t *m, const smc_fill_t *f);
void smcb_add_fill(void *ud, const smc_fill_t *f);
void smcb_add_trade(void *ud, const smc_trade_t *t);
void smcb_add_prevented(void *ud, const smc_prevented_t *p);

/* A record that place is given: smcb_market_record.c. */
typedef struct smcb_placed smcb_placed_t;
/* Raises unless it is one of this market's. */
smcb_placed_t *smcb_market_placed(lua_State *L, const smc_market_t *m, int idx);
/* Fills in the record at idx; pushes it, and its fills. */
int smcb_market_push_placed(lua_State *L, const smc_market_t *m, const smc_order_t *o, int idx);

/* The methods of a market by file; the rest is in smcb_market.c. */
extern const luaL_Reg smcb_market_happened[];
extern const luaL_Reg smcb_market_orders[];
extern const luaL_Reg smcb_market_positions[];
extern const luaL_Reg smcb_market_queries[];
extern const luaL_Reg smcb_market_records[];

#endif /* SMCB_MARKET_H */
