/* server_head_priv.h - the syntax of an HTTP/1.x request: pure functions over bytes, incremental.
 *
 * Every byte is looked at once, however the input is cut into pieces.
 */
#ifndef SMC_SERVER_HEAD_PRIV_H
#define SMC_SERVER_HEAD_PRIV_H

#include "smc/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SMC_HEAD_FIELDS_MAX 100

typedef enum smc_head_result { SMC_HEAD_MORE, SMC_HEAD_DONE, SMC_HEAD_BAD } smc_head_result_t;

/* Part of the head, by offset, because the bytes may move while more of them arrive. */
typedef struct smc_head_part {
    uint32_t at;
    uint32_t len;
} smc_head_part_t;

typedef struct smc_head_field {
    smc_head_part_t name;
    smc_head_part_t value; /* without surrounding blanks */
} smc_head_field_t;

typedef struct smc_head {
    /* Valid once DONE. */
    size_t size; /* bytes of the head with its empty line */
    smc_head_part_t method;
    smc_head_part_t target;
    int minor; /* HTTP/1.minor: 0 or 1 */
    bool chunked;
    uint64_t content_length;
    bool expect_continue;
    bool keep_alive; /* what the client wants, defaults of its version applied */
    bool upgrade_ws; /* Upgrade: websocket and Connection: upgrade */
    size_t n_fields;
    /* Valid once BAD. */
    int status;
    const char *why;
    /* Private. */
    size_t _line;
    size_t _scan;
    bool _has_line, _has_blank, _has_host, _has_length, _has_encoding;
    bool _close, _keep, _conn_upgrade, _ws;
    smc_head_field_t fields[SMC_HEAD_FIELDS_MAX]; /* the first n_fields */
} smc_head_t;

void smc_head_init(smc_head_t *h);
/* bytes..n: all bytes of the request received so far, always from its first.  A head longer than max_bytes (at most
 * 1 GiB) is BAD.  DONE and BAD are final. */
smc_head_result_t smc_head_parse(smc_head_t *h, const char *bytes, size_t n, size_t max_bytes);
/* The value of the first field of this name (any case), or NULL. */
const smc_head_part_t *smc_head_find(const smc_head_t *h, const char *bytes, const char *name);

/* Case-insensitive for ASCII, whatever the locale. */
bool smc_head_same(const char *a, size_t n, const char *b);
/* A token of RFC 9110: not empty. */
bool smc_head_is_token(const char *p, size_t n);
/* A field value: visible characters, blanks and bytes from 0x80 on; may be empty. */
bool smc_head_is_value(const char *p, size_t n);
/* Whether a comma-separated list holds the word (any case). */
bool smc_head_list_has(const char *list, size_t n, const char *word);

typedef struct smc_chunked {
    int status; /* valid once BAD */
    const char *why;
    unsigned _state;
    unsigned _digits;
    uint64_t _left;
    size_t _extra; /* bytes of the extension or of the trailer so far */
} smc_chunked_t;

void smc_chunked_init(smc_chunked_t *c);
/* Decodes a chunked body: appends its data to out, which never grows beyond max_bytes.  *used: bytes taken from in; all of
 * them for MORE, up to the end of the body for DONE. */
smc_head_result_t smc_chunked_feed(smc_chunked_t *c, const char *in, size_t n, size_t max_bytes,
                                   smc_buf_t *out, size_t *used);

#endif /* SMC_SERVER_HEAD_PRIV_H */
