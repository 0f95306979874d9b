/* smcb_record.h - structs of the core that scripts read like tables, and json.shape without a detour through Lua.
 *
 * A record is a userdata that begins with an smcb_record_t.  It holds one struct, or a list of them.
 */
#ifndef SMCB_RECORD_H
#define SMCB_RECORD_H

#include "smcb.h"

#include "smc/decimal.h"

typedef enum smcb_field_kind {
    SMCB_FIELD_NONE, /* there is none: nil */
    SMCB_FIELD_INT,
    SMCB_FIELD_BOOL,
    SMCB_FIELD_TEXT,
    SMCB_FIELD_DEC,
    SMCB_FIELD_TABLE, /* only Lua can show it */
} smcb_field_kind_t;

typedef struct smcb_field {
    smcb_field_kind_t kind;
    int64_t integer;  /* INT, BOOL */
    const char *text; /* TEXT: borrowed */
    smc_dec_t dec;
} smcb_field_t;

typedef struct smcb_record smcb_record_t;

typedef struct smcb_record_type {
    const char *const *names; /* of the fields, by number; NULL-terminated */
    size_t (*count)(const smcb_record_t *r);
    smcb_field_t (*get)(const smcb_record_t *r, size_t at, int field); /* at < count */
    bool is_list;
} smcb_record_type_t;

struct smcb_record {
    smcb_class_t class;
    const smcb_record_type_t *type;
};

/* NULL: the value at idx is none. */
const smcb_record_t *smcb_record_test(lua_State *L, int idx);
/* The number of the field; -1: there is none of this name. */
int smcb_record_find(const smcb_record_type_t *type, const char *name);
/* Pushes what is no table. */
void smcb_field_push(lua_State *L, const smcb_field_t *f);

/* The class name of all records. */
extern const char smcb_record_mt[];

#endif /* SMCB_RECORD_H */
