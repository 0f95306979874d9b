/* smcb_http.h - what the two halves of smc.core.http share: whole replies (smcb_http.c), streams (smcb_http_stream.c). */
#ifndef SMCB_HTTP_H
#define SMCB_HTTP_H

#include "smcb.h"

#include "smc/http.h"

#include <stdbool.h>

/* Reads the request table at index 1.  Its strings stay borrowed from that table; leaves a userdata on the stack that
 * holds the list of headers. */
smc_http_request_t smcb_http_check_request(lua_State *L);

/* Transcript: "> GET /path" and the body; "< 200 12 ms" and the body, or the error. */
void smcb_http_log_request(lua_State *L, const smc_http_request_t *req);
void smcb_http_log_reply(lua_State *L, const smc_http_reply_t *reply);

/* nil, err with err.sent. */
int smcb_http_fail(lua_State *L, const smc_error_t *err, bool sent);

/* Pushes a table with status, headers and reused; raw: and raw_headers. */
void smcb_http_push_head(lua_State *L, const smc_http_reply_t *reply, bool raw);

/* smc.core.http.stream; registers its metatable on the way. */
void smcb_http_push_stream(lua_State *L);

#endif /* SMCB_HTTP_H */
