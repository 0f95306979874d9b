#include "smcb_priv.h"

#include <assert.h>

void smcb_resource_add(smcb_host_t *host, smcb_resource_t *r)
{
    assert(r->_link == NULL);
    r->world = host->as_world || (host->current != NULL && host->current->world);
    r->_next = host->resources;
    if (r->_next != NULL)
        r->_next->_link = &r->_next;
    r->_link = &host->resources;
    host->resources = r;
}

void smcb_resource_drop(smcb_resource_t *r)
{
    if (r->_link == NULL)
        return;
    *r->_link = r->_next;
    if (r->_next != NULL)
        r->_next->_link = r->_link;
    r->_next = NULL;
    r->_link = NULL;
}

/* Last opened, first closed. */
void smcb_resource_close_all(smcb_host_t *host)
{
    while (host->resources != NULL) {
        smcb_resource_t *r = host->resources;
        r->close(r);
        assert(host->resources != r);
    }
}

void smcb_anchor(lua_State *L, int idx, const void *key)
{
    lua_pushvalue(L, idx);
    lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

void smcb_unanchor(lua_State *L, const void *key)
{
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

int smcb_push_anchored(lua_State *L, const void *key)
{
    return lua_rawgetp(L, LUA_REGISTRYINDEX, key);
}
