/* Records: structs of the core in the hands of scripts.  record.NAME; #record and record[i] of a list. */
#include "smcb_record.h"

#include <string.h>

const char smcb_record_mt[] = "smc.record";

const smcb_record_t *smcb_record_test(lua_State *L, int idx)
{
    return smcb_class_test(L, idx, smcb_record_mt);
}

int smcb_record_find(const smcb_record_type_t *type, const char *name)
{
    for (int i = 0; type->names[i] != NULL; i++)
        if (type->names[i][0] == name[0] && strcmp(type->names[i], name) == 0)
            return i;
    return -1;
}

void smcb_field_push(lua_State *L, const smcb_field_t *f)
{
    char text[SMC_DEC_TEXT_MAX];

    switch (f->kind) {
    case SMCB_FIELD_NONE:
    case SMCB_FIELD_TABLE:
        lua_pushnil(L);
        return;
    case SMCB_FIELD_INT:
        lua_pushinteger(L, f->integer);
        return;
    case SMCB_FIELD_BOOL:
        lua_pushboolean(L, f->integer != 0);
        return;
    case SMCB_FIELD_TEXT:
        lua_pushstring(L, f->text);
        return;
    case SMCB_FIELD_DEC:
        lua_pushlstring(L, text, smc_dec_text(f->dec, text));
        return;
    }
}
