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

static void put_upper(smc_buf_t *out, const char *text, size_t n)
{
    char *to;

    if (smc_buf_reserve(out, n) != SMC_OK)
        return;
    to = out->data + out->len;
    for (size_t i = 0; i < n; i++)
        to[i] = (char)(text[i] >= 'a' && text[i] <= 'z' ? text[i] - ('a' - 'A') : text[i]);
    to[n] = '\0';
    out->len += n;
}

static void write_dec(writer_t *w, const smcb_json_item_t *item, smc_dec_t value)
{
    char text[SMC_DEC_TEXT_MAX + 2] = "\"";
    int places = item->form == SMCB_JSON_DECIMALS ? (int)item->decimals : SMC_DEC_MINIMAL;
    size_t n = 1 + smc_dec_format(value, places, SMC_ROUND_DOWN, text + 1);

    text[n++] = '"';
    (void)smc_buf_append(&w->s->out, text, n);
}

/* Text in the form of its item; what needs escapes has none. */
static void write_formed(writer_t *w, const smcb_json_item_t *item, const char *text, size_t n)
{
    smc_buf_t *out = &w->s->out;

    if (item->form == SMCB_JSON_AS_IS || !smcb_json_is_plain(text, n)) {
        smcb_json_put_text(w->L, w->s, item->key, text, n);
        return;
    }
    (void)smc_buf_putc(out, '"');
    if (item->form == SMCB_JSON_DECIMALS)
        put_decimals(out, text, n, item->decimals);
    else
        put_upper(out, text, n);
    (void)smc_buf_putc(out, '"');
}

static void write_field(writer_t *w, const smcb_json_item_t *item, const smcb_field_t *f,
                        int64_t plus)
{
    switch (f->kind) {
    case SMCB_FIELD_INT:
        smcb_json_put_integer(w->s, f->integer + plus);
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

/* The value of item i where it is nil on the stack. */
static void write_absent(writer_t *w, const smcb_json_item_t *item, bool direct,
                         const smcb_json_sources_t *from)
{
    smcb_field_t f = {.kind = SMCB_FIELD_NONE};

    if (direct) {
        const smcb_record_t *record = from->records[item->inner];
        f = record->type->get(record, 0, item->at);
    }
    if (f.kind != SMCB_FIELD_NONE) {
        int64_t plus = item->plus < 0 ? 0 : lua_tointeger(w->L, from->slots + item->plus);
        write_name(w, item, 0);
        write_field(w, item, &f, plus);
    } else if (item->fallback.text != NULL) {
        write_name(w, item, 0);
        (void)smc_buf_append(&w->s->out, item->fallback.text, item->fallback.len);
    }
}

static void write_present(writer_t *w, const smcb_json_item_t *item, bool formed, int idx)
{
    size_t n;

    write_name(w, item, 0);
    if (formed && lua_type(w->L, idx) == LUA_TSTRING) {
        const char *text = lua_tolstring(w->L, idx, &n);
        write_formed(w, item, text, n);
    } else {
        smcb_json_put_value(w->L, w->s, item->key, idx);
    }
}

static void push_written(writer_t *w)
{
    if (w->s->out.failed)
        luaL_error(w->L, "json.shape: out of memory");
    lua_pushlstring(w->L, w->s->out.data, w->s->out.len);
}

void smcb_json_push_object(lua_State *L, const smcb_json_shape_t *shape,
                           const smcb_json_sources_t *from)
{
    writer_t w = {.L = L, .s = smcb_json_scratch(L)};

    for (int i = 0; i < shape->n; i++) {
        const smcb_json_item_t *item = &shape->items[i];
        if (lua_isnil(L, from->values + i))
            write_absent(&w, item, (from->direct >> i & 1) != 0, from);
        else
            write_present(&w, item, (from->formed >> i & 1) != 0, from->values + i);
    }
    end_object(&w, 0);
    push_written(&w);
}

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

void smcb_json_push_list(lua_State *L, const smcb_json_shape_t *shape, const smcb_record_t *list)
{
    writer_t w = {.L = L, .s = smcb_json_scratch(L)};
    size_t n = list->type->count(list);

    (void)smc_buf_putc(&w.s->out, '[');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            (void)smc_buf_putc(&w.s->out, ',');
        write_element(&w, shape, list, i);
    }
    (void)smc_buf_putc(&w.s->out, ']');
    push_written(&w);
}
