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
    int at; /* where that key stands on the stack */
} smcb_json_name_t;

/* Writing calls nothing of Lua's that may collect, and with it run a finalizer of the scenario's, which may write, too:
 * so one scratch area a Lua state is enough.  It is a userdata: whatever a call holds when Lua raises out of it is
 * found there by the next call or by __gc. */
typedef struct smcb_json_scratch {
    smc_buf_t out;           /* what encode has written */
    smcb_json_name_t *names; /* a stack: keys of the objects that are open now */
    size_t n_names;
    size_t cap_names;
} smcb_json_scratch_t;

/* The scratch area, emptied.  Only inside a function of the module. */
smcb_json_scratch_t *smcb_json_scratch(lua_State *L);
smcb_json_kind_t smcb_json_kind(lua_State *L, int idx);
/* Pushes what usual JSON says.  false: it is not usual, or not right; nothing is pushed.  Only inside a function of the
 * module. */
bool smcb_json_read_usual(lua_State *L, const char *text, size_t n);
/* The Lua functions json.encode and json.shape. */
int smcb_json_encode(lua_State *L);
int smcb_json_shape(lua_State *L);

/* A value at idx, or text, as JSON; key: for the message of an error. */
void smcb_json_put_value(lua_State *L, smcb_json_scratch_t *s, const char *key, int idx);
void smcb_json_put_text(lua_State *L, smcb_json_scratch_t *s, const char *key, const char *text,
                        size_t n);
/* Whether it stands for itself in a string. */
static inline bool smcb_json_is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

enum { SMCB_JSON_ITEMS_MAX = 64 };

typedef enum smcb_json_form {
    SMCB_JSON_AS_IS,
    SMCB_JSON_UPPER,    /* ASCII */
    SMCB_JSON_DECIMALS, /* "0.5" with exactly so many decimals; more than that are cut off */
} smcb_json_form_t;

typedef struct smcb_json_shape smcb_json_shape_t;

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
    smcb_json_shape_t *each;   /* how a list of C records is written; NULL */
    /* Where the fields are in inner records of this type; -1: nowhere. */
    const smcb_record_type_t *type;
    int at, needs_at;
} smcb_json_item_t;

enum {
    SMCB_JSON_SLOTS_MAX = 6,
    SMCB_JSON_KEYS_MAX = SMCB_JSON_ITEMS_MAX + SMCB_JSON_SLOTS_MAX,
    SMCB_JSON_BUCKETS = 64,
};

/* Keys by number: those of the items, then those of the slots. */
struct smcb_json_shape {
    int n, n_slots;
    const char *slots[SMCB_JSON_SLOTS_MAX]; /* keys of what is asked for more than once */
    short first[SMCB_JSON_BUCKETS];         /* a key by the address of its text; -1: none */
    short next[SMCB_JSON_KEYS_MAX];         /* another one with such an address; -1: none */
    smcb_json_item_t items[];
};

/* Where the values of a shape come from. */
typedef struct smcb_json_sources {
    int fields;                                        /* index of the list of fields and needs */
    const smcb_record_t *records[SMCB_JSON_SLOTS_MAX]; /* what a slot holds, if that is one */
    uint64_t formed;                                   /* bit i: text of item i gets its form */
    unsigned char at[SMCB_JSON_KEYS_MAX]; /* by key: its value on the stack; 0: there is none */
} smcb_json_sources_t;

/* Finds the fields of an item in records of another type than before. */
void smcb_json_resolve(smcb_json_item_t *item, const smcb_record_type_t *type);
/* Whether the inner record of item i has what that needs. */
bool smcb_json_has_needed(lua_State *L, const smcb_json_shape_t *shape,
                          const smcb_json_sources_t *from, int i);
/* Push the text of an object, and of an array with an object for each of the records.  Only inside a function of the
 * module. */
void smcb_json_push_object(lua_State *L, smcb_json_shape_t *shape, const smcb_json_sources_t *from);
void smcb_json_push_list(lua_State *L, smcb_json_shape_t *shape, const smcb_record_t *list);

#endif /* SMCB_JSON_H */
