/* The text of shapes: what smcb_json_shape.c has gathered, as JSON. */
#include "smcb_json.h"

#include <lauxlib.h>

#include <string.h>

typedef struct writer {
    lua_State *L;
    smcb_json_scratch_t *s;
} writer_t;

static void put_decimals(smc_buf_t *out, const char *text, size_t n, size_t decimals)
{
    const char *point = memchr(text, '.', n);
    size_t whole = point == NULL ? n : (size_t)(point - text);
    size_t have = point == NULL ? 0 : n - whole - 1;
    size_t kept = have < decimals ? have : decimals;

    (void)smc_buf_append(out, text, whole);
    (void)smc_buf_putc(out, '.');
    (void)smc_buf_append(out, text + n - have, kept);
    for (; kept < decimals; kept++)
        (void)smc_buf_putc(out, '0');
}

/* A string of what stands for itself, in capitals if it is to be.  false, and nothing: there is something else. */
static bool put_plain(smc_buf_t *out, const char *text, size_t n, bool upper)
{
    char *to;

    if (smc_buf_reserve(out, n + 2) != SMC_OK)
        return false;
    to = out->data + out->len;
    *to++ = '"';
    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        if (!smcb_json_is_plain((unsigned char)c))
            return false;
        *to++ = (char)(upper && c >= 'a' && c <= 'z' ? c - ('a' - 'A') : c);
    }
    memcpy(to, "\"", 2);
    out->len += n + 2;
    return true;
}

static void write_dec(writer_t *w, const smcb_json_item_t *item, smc_dec_t value)
{
    smc_buf_t *out = &w->s->out;
    int places = item->form == SMCB_JSON_DECIMALS ? (int)item->decimals : SMC_DEC_MINIMAL;
    char *to;
    size_t n;

    if (smc_buf_reserve(out, SMC_DEC_TEXT_MAX + 2) != SMC_OK)
        return;
    to = out->data + out->len;
    n = smc_dec_format(value, places, SMC_ROUND_DOWN, to + 1);
    to[0] = '"';
    memcpy(to + n + 1, "\"", 2);
    out->len += n + 2;
}

static bool is_plain(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!smcb_json_is_plain((unsigned char)text[i]))
            return false;
    return true;
}

/* Text in the form of its item; what needs escapes has none. */
static void write_formed(writer_t *w, const smcb_json_item_t *item, const char *text, size_t n)
{
    smc_buf_t *out = &w->s->out;

    if (item->form == SMCB_JSON_DECIMALS && is_plain(text, n)) {
        (void)smc_buf_putc(out, '"');
        put_decimals(out, text, n, item->decimals);
        (void)smc_buf_putc(out, '"');
    } else if (item->form == SMCB_JSON_DECIMALS ||
               !put_plain(out, text, n, item->form == SMCB_JSON_UPPER)) {
        smcb_json_put_text(w->L, w->s, item->key, text, n);
    }
}

static void write_field(writer_t *w, const smcb_json_item_t *item, const smcb_field_t *f,
                        int64_t plus)
{
    switch (f->kind) {
    case SMCB_FIELD_INT:
        (void)smc_buf_put_int(&w->s->out, f->integer + plus);
        return;
    case SMCB_FIELD_BOOL:
        (void)smc_buf_puts(&w->s->out, f->integer != 0 ? "true" : "false");
        return;
    case SMCB_FIELD_TEXT:
        write_formed(w, item, f->text, strlen(f->text));
        return;
    case SMCB_FIELD_DEC:
        write_dec(w, item, f->dec);
        return;
    case SMCB_FIELD_TABLE:
    case SMCB_FIELD_NONE:
        (void)luaL_error(w->L, "json.shape: field %s can only be read by a function", item->field);
        return;
    }
}

/* The name of an item, behind a comma unless it is the first of its object, which begins at `start`. */
static void write_name(writer_t *w, const smcb_json_item_t *item, size_t start)
{
    smc_buf_t *out = &w->s->out;

    if (out->len == start) {
        (void)smc_buf_putc(out, '{');
        (void)smc_buf_append(out, item->name.text + 1, item->name.len - 1);
    } else {
        (void)smc_buf_append(out, item->name.text, item->name.len);
    }
}

static void end_object(writer_t *w, size_t start)
{
    (void)smc_buf_puts(&w->s->out, w->s->out.len == start ? "{}" : "}");
}

/* The value of an item in its inner record.  false: that has none, and nothing is written. */
static bool write_of_record(writer_t *w, smcb_json_item_t *item, const smcb_record_t *record,
                            int plus)
{
    smcb_field_t f = record->type->get(record, 0, item->at);

    if (f.kind == SMCB_FIELD_NONE)
        return false;
    write_name(w, item, 0);
    write_field(w, item, &f, plus == 0 ? 0 : lua_tointeger(w->L, plus));
    return true;
}

static void write_value(writer_t *w, const smcb_json_item_t *item, bool formed, int idx)
{
    size_t n;

    if (formed && lua_type(w->L, idx) == LUA_TSTRING) {
        const char *text = lua_tolstring(w->L, idx, &n);
        write_formed(w, item, text, n);
    } else {
        smcb_json_put_value(w->L, w->s, item->key, idx);
    }
}

/* The same in an inner table. */
static bool write_of_table(writer_t *w, const smcb_json_item_t *item, int inner, int plus)
{
    lua_State *L = w->L;

    if (lua_rawget(L, inner) == LUA_TNIL) {
        lua_pop(L, 1);
        return false;
    }
    if (plus != 0 && lua_isinteger(L, -1)) {
        lua_pushinteger(L, lua_tointeger(L, -1) + lua_tointeger(L, plus));
        lua_replace(L, -2);
    }
    write_name(w, item, 0);
    write_value(w, item, true, lua_gettop(L));
    lua_pop(L, 1);
    return true;
}

/* The value of item i that the record itself does not have. */
static bool write_inner(writer_t *w, smcb_json_shape_t *shape, const smcb_json_sources_t *from,
                        int i)
{
    smcb_json_item_t *item = &shape->items[i];
    int inner = item->inner < 0 ? 0 : from->at[shape->n + item->inner];
    int plus = item->plus < 0 ? 0 : from->at[shape->n + item->plus];

    if (inner == 0 || item->computed)
        return false;
    if (from->records[item->inner] != NULL) {
        smcb_json_resolve(item, from->records[item->inner]->type);
        return smcb_json_has_needed(w->L, shape, from, i) &&
               write_of_record(w, item, from->records[item->inner], plus);
    }
    if (!lua_istable(w->L, inner) || !smcb_json_has_needed(w->L, shape, from, i))
        return false;
    (void)lua_rawgeti(w->L, from->fields, i + 1);
    return write_of_table(w, item, inner, plus);
}

static void push_written(writer_t *w)
{
    if (w->s->out.failed)
        luaL_error(w->L, "json.shape: out of memory");
    lua_pushlstring(w->L, w->s->out.data, w->s->out.len);
}

/* ---- lists --------------------------------------------------------------- */

static void write_element(writer_t *w, const smcb_json_shape_t *shape, const smcb_record_t *list,
                          size_t at)
{
    size_t start = w->s->out.len;

    for (int i = 0; i < shape->n; i++) {
        const smcb_json_item_t *item = &shape->items[i];
        smcb_field_t f = list->type->get(list, at, item->at);
        if (f.kind == SMCB_FIELD_NONE)
            continue;
        write_name(w, item, start);
        write_field(w, item, &f, 0);
    }
    end_object(w, start);
}

static void check_list(lua_State *L, smcb_json_shape_t *shape, const smcb_record_t *list)
{
    for (int i = 0; i < shape->n; i++) {
        smcb_json_item_t *item = &shape->items[i];
        smcb_json_resolve(item, list->type);
        if (item->at < 0 || item->needs != NULL || item->plus >= 0)
            luaL_error(L, "json.shape: %s is no field of such records", item->key);
    }
}

static void write_list(writer_t *w, smcb_json_shape_t *shape, const smcb_record_t *list)
{
    size_t n = list->type->count(list);

    check_list(w->L, shape, list);
    (void)smc_buf_putc(&w->s->out, '[');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            (void)smc_buf_putc(&w->s->out, ',');
        write_element(w, shape, list, i);
    }
    (void)smc_buf_putc(&w->s->out, ']');
}

void smcb_json_push_list(lua_State *L, smcb_json_shape_t *shape, const smcb_record_t *list)
{
    writer_t w = {.L = L, .s = smcb_json_scratch(L)};

    write_list(&w, shape, list);
    push_written(&w);
}

/* ---- objects ------------------------------------------------------------- */

/* What the record itself has, or what a function said. */
static void write_own(writer_t *w, const smcb_json_item_t *item, bool formed, int idx)
{
    const smcb_record_t *list = item->each == NULL ? NULL : smcb_record_test(w->L, idx);

    write_name(w, item, 0);
    if (list != NULL && list->type->is_list)
        write_list(w, item->each, list);
    else
        write_value(w, item, formed, idx);
}

void smcb_json_push_object(lua_State *L, smcb_json_shape_t *shape, const smcb_json_sources_t *from)
{
    writer_t w = {.L = L, .s = smcb_json_scratch(L)};

    for (int i = 0; i < shape->n; i++) {
        const smcb_json_item_t *item = &shape->items[i];
        if (from->at[i] != 0) {
            write_own(&w, item, (from->formed >> i & 1) != 0, from->at[i]);
        } else if (!write_inner(&w, shape, from, i) && item->fallback.text != NULL) {
            write_name(&w, item, 0);
            (void)smc_buf_append(&w.s->out, item->fallback.text, item->fallback.len);
        }
    }
    end_object(&w, 0);
    push_written(&w);
}
