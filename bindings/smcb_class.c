/* Userdata classes that are asked for their type all the time. */
#include "smcb.h"

#include <string.h>

int smcb_class_new(lua_State *L, const char *name)
{
    return luaL_newmetatable(L, name);
}

void *smcb_class_push(lua_State *L, size_t size, int uservalues, const char *name)
{
    smcb_class_t *box = lua_newuserdatauv(L, size, uservalues);

    memset(box, 0, size);
    box->class_name = name;
    luaL_setmetatable(L, name);
    return box;
}

void *smcb_class_test(lua_State *L, int idx, const char *name)
{
    smcb_class_t *box = lua_touserdata(L, idx);

    if (box == NULL || lua_rawlen(L, idx) < sizeof(*box)) /* a light one has no length */
        return NULL;
    return box->class_name == name ? box : NULL;
}

void *smcb_self(lua_State *L, const char *name)
{
    void *box = luaL_testudata(L, 1, name);
    const char *dot = strrchr(name, '.');
    lua_Debug ar;

    if (box != NULL)
        return box;
    if (!lua_getstack(L, 0, &ar) || !lua_getinfo(L, "n", &ar) || ar.name == NULL)
        ar.name = "?";
    (void)luaL_error(L, "%s:%s: called with a dot? a colon goes before it",
                     dot != NULL ? dot + 1 : name, ar.name);
    return NULL;
}

void *smcb_class_check(lua_State *L, int idx, const char *name)
{
    void *box = smcb_class_test(L, idx, name);

    return box != NULL ? box : luaL_checkudata(L, idx, name); /* which knows what to say */
}
