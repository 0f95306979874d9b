/* smcb_json.h - what the two halves of smc.json share: smcb_json.c reads and makes markers, smcb_json_write.c writes. */
#ifndef SMCB_JSON_H
#define SMCB_JSON_H

#include "smcb_record.h"

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

/* A value at idx, or text, as JSON; key: for the message of an error. */
void smcb_json_put_value(lua_State *L, smcb_json_scratch_t *s, const char *key, int idx);
void smcb_json_put_text(lua_State *L, smcb_json_scratch_t *s, const char *key, const char *text,
                        size_t n);
void smcb_json_put_integer(smcb_json_scratch_t *s, int64_t value);
/* Whether nothing in it has to be escaped. */
bool smcb_json_is_plain(const char *text, size_t n);

enum { SMCB_JSON_ITEMS_MAX = 64 };

typedef enum smcb_json_form {
    SMCB_JSON_AS_IS,
    SMCB_JSON_UPPER,    /* ASCII */
    SMCB_JSON_DECIMALS, /* "0.5" with exactly so many decimals; more than that are cut off */
} smcb_json_form_t;

/* One name of a shape: see smcb_json_shape.c.  Texts are kept by the shape. */
typedef struct smcb_json_item {
    smcb_json_name_t name; /* as it stands in the text, with comma, quotes and colon */
    const char *key;
    smcb_json_form_t form;
    size_t decimals;
    int inner;                 /* the slot of the record whose value it may be; -1: none */
    bool computed;             /* by a function */
    const char *field;         /* of the inner record, unless it is computed */
    const char *needs;         /* a field of it without which there is no value; NULL */
    int plus;                  /* the slot of what is added to it; -1: nothing */
    smcb_json_name_t fallback; /* where there is no value; text NULL: left out */
    /* Where the fields are in inner records of this type; -1: nowhere. */
    const smcb_record_type_t *type;
    int at, needs_at;
} smcb_json_item_t;

enum { SMCB_JSON_SLOTS_MAX = 6 };

typedef struct smcb_json_shape {
    int n, n_slots;
    const char *slots[SMCB_JSON_SLOTS_MAX]; /* keys of what is asked for more than once */
    smcb_json_item_t items[];
} smcb_json_shape_t;

/* Where the values of a shape come from. */
typedef struct smcb_json_sources {
    const smcb_record_t *records[SMCB_JSON_SLOTS_MAX]; /* what a slot holds, if that is one */
    uint64_t formed;   /* bit i: text at i gets the form of its item */
    uint64_t direct;   /* bit i: the value at i is read from its record */
    int slots, values; /* on the stack: the first of each */
} smcb_json_sources_t;

/* Push the text of an object, and of an array with an object for each of the records.  Only inside a function of the
 * module. */
void smcb_json_push_object(lua_State *L, const smcb_json_shape_t *shape,
                           const smcb_json_sources_t *from);
void smcb_json_push_list(lua_State *L, const smcb_json_shape_t *shape, const smcb_record_t *list);

#endif /* SMCB_JSON_H */
