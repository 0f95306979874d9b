/* smcb_json.h - what the two halves of smc.json share: smcb_json.c reads and makes markers, smcb_json_write.c writes. */
#ifndef SMCB_JSON_H
#define SMCB_JSON_H

#include "smc/buf.h"

#include <jansson.h>
#include <lua.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SMCB_JSON_MAX_DEPTH = 100 };

/* Upvalues of every function of the module. */
enum { SMCB_JSON_SCRATCH = 1, SMCB_JSON_ARRAY, SMCB_JSON_OBJECT, SMCB_JSON_RAW };

typedef enum smcb_json_kind {
    SMCB_JSON_KIND_PLAIN,  /* no marker */
    SMCB_JSON_KIND_ARRAY,  /* decoded, or made by json.array */
    SMCB_JSON_KIND_OBJECT, /* json.object: key, value, key, value at positions 1.. */
    SMCB_JSON_KIND_RAW,    /* json.raw: the text at position 1 */
} smcb_json_kind_t;

typedef struct smcb_json_name {
    const char *text; /* borrowed from a key of the table being written */
    size_t len;
} smcb_json_name_t;

/* Neither direction calls back into Lua (all access is raw), so one scratch area a Lua state is enough.  It is a
 * userdata: whatever a call holds when Lua raises out of it is found there by the next call or by __gc. */
typedef struct smcb_json_scratch {
    json_t *root;            /* what decode is turning into Lua values */
    smc_buf_t out;           /* what encode has written */
    smcb_json_name_t *names; /* a stack: keys of the objects that are open now */
    size_t n_names;
    size_t cap_names;
} smcb_json_scratch_t;

/* The scratch area, emptied.  Only inside a function of the module. */
smcb_json_scratch_t *smcb_json_scratch(lua_State *L);
smcb_json_kind_t smcb_json_kind(lua_State *L, int idx);
/* The Lua functions json.encode and json.shape. */
int smcb_json_encode(lua_State *L);
int smcb_json_shape(lua_State *L);

enum { SMCB_JSON_ITEMS_MAX = 64 };

typedef enum smcb_json_form {
    SMCB_JSON_AS_IS,
    SMCB_JSON_UPPER,    /* ASCII */
    SMCB_JSON_DECIMALS, /* "0.5" with exactly so many decimals; more than that are cut off */
} smcb_json_form_t;

/* One name of a shape: see smcb_json_shape.c. */
typedef struct smcb_json_item {
    smcb_json_name_t name; /* as it stands in the text, with quotes and colon */
    smcb_json_form_t form;
    size_t decimals;
    bool inner;    /* the value may be an inner record's */
    bool same;     /* the same one's as that of the item before */
    bool computed; /* by a function */
} smcb_json_item_t;

/* Pushes the text of an object: of the n values from `first` on, each under its item's name, without those that are nil.
 * formed: bit i says that text at i gets the form of its item.  Only inside a function of the module. */
void smcb_json_push_object(lua_State *L, const smcb_json_item_t *items, int n, int first,
                           uint64_t formed);

#endif /* SMCB_JSON_H */
