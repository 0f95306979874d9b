/* Userdata classes that are asked for their type all the time. */
#include "smcb.h"

int smcb_class_new(lua_State *L, const char *name)
{
    int is_new = luaL_newmetatable(L, name);

    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, name);
    return is_new;
}

void *smcb_class_test(lua_State *L, int idx, const char *name)
{
    void *box = lua_touserdata(L, idx);
    bool same;

    if (box == NULL || !lua_getmetatable(L, idx))
        return NULL;
    (void)lua_rawgetp(L, LUA_REGISTRYINDEX, name);
    same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same ? box : NULL;
}

void *smcb_class_check(lua_State *L, int idx, const char *name)
{
    void *box = smcb_class_test(L, idx, name);

    return box != NULL ? box : luaL_checkudata(L, idx, name); /* which knows what to say */
}
