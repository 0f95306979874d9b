/* access_lua.h - what Lua is given of an access, for the commands that go to test venues by themselves. */
#ifndef SMCR_ACCESS_LUA_H
#define SMCR_ACCESS_LUA_H

#include "keys/access.h"

#include <lua.h>

/* Sets credentials (name -> value) and ca in the table at the top of the stack, and say(line): to standard output, without
 * any credential.  access must outlive the state. */
void smcr_access_fill(lua_State *L, smcr_access_t *access);

/* Pushes a list of texts. */
void smcr_push_list(lua_State *L, const char *const *texts, size_t n);

#endif /* SMCR_ACCESS_LUA_H */
