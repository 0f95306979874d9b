/* wsframe_priv.h - the framing of RFC 6455: pure functions over bytes, for either side of a connection.
 *
 * A reader takes bytes as they come and gives whole messages and control frames; every byte is looked at once.
 */
#ifndef SMC_WSFRAME_PRIV_H
#define SMC_WSFRAME_PRIV_H

#include "smc/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum smc_ws_opcode {
    SMC_WS_CONTINUATION = 0,
    SMC_WS_TEXT = 1,
    SMC_WS_BINARY = 2,
    SMC_WS_CLOSE = 8,
    SMC_WS_PING = 9,
    SMC_WS_PONG = 10,
} smc_ws_opcode_t;

#define SMC_WS_CONTROL_MAX 125
#define SMC_WS_FRAME_HEAD_MAX 14

/* Where the payload of a compressed message goes: adds the plain bytes to out, at most up to max_bytes in all.  last:
 * the message ends here.  Returns 0, or the close code that says why not (1002, 1009, 1011). */
typedef uint16_t (*smc_ws_inflate_fn)(void *ud, const char *in, size_t n, bool last,
                                      size_t max_bytes, smc_buf_t *out);

/* UTF-8, checked piece by piece.  A zeroed struct is at the start of a text. */
typedef struct smc_utf8 {
    uint8_t _left;       /* continuation bytes that must still come */
    uint8_t _low, _high; /* range of the next one */
} smc_utf8_t;

/* False once the text can't become valid. */
bool smc_utf8_feed(smc_utf8_t *u, const char *p, size_t n);
/* No character is left unfinished. */
bool smc_utf8_ended(const smc_utf8_t *u);
bool smc_utf8_valid(const char *p, size_t n);

/* A code that may stand in a Close frame. */
bool smc_ws_code_valid(uint16_t code);

typedef enum smc_ws_event_kind {
    SMC_WS_EV_MORE, /* nothing yet: feed more */
    SMC_WS_EV_MESSAGE,
    SMC_WS_EV_PING,
    SMC_WS_EV_PONG,
    SMC_WS_EV_CLOSE, /* code 1005: none was given */
    SMC_WS_EV_FAIL,  /* final: close with `code`; data says why */
} smc_ws_event_kind_t;

typedef struct smc_ws_event {
    smc_ws_event_kind_t kind;
    const char *data; /* borrowed until the next feed; never NULL */
    size_t len;
    bool binary;
    uint16_t code;
} smc_ws_event_t;

typedef struct smc_wsreader {
    /* Set by smc_wsreader_init, not changed afterwards. */
    bool masked; /* frames must be masked (a server reads) or must not be */
    size_t max_message;
    smc_ws_inflate_fn inflate; /* NULL: no extension, RSV1 is refused */
    void *inflate_ud;
    /* Private. */
    int _state;
    uint8_t _head[SMC_WS_FRAME_HEAD_MAX];
    unsigned _head_len;
    bool _in_message, _binary, _deflated, _fin, _delivered;
    uint8_t _opcode;
    uint8_t _mask[4];
    uint64_t _left;  /* payload bytes of the frame still to come */
    uint64_t _taken; /* and those that came */
    size_t _checked; /* bytes of _message known to be UTF-8 */
    smc_utf8_t _utf8;
    smc_buf_t _message;
    char _control[SMC_WS_CONTROL_MAX];
    unsigned _control_len;
} smc_wsreader_t;

void smc_wsreader_init(smc_wsreader_t *r, bool masked, size_t max_message);
void smc_wsreader_deinit(smc_wsreader_t *r);
/* Takes bytes up to the end of the next event, or all of them.  Returns how many; *ev says what they were.  p is
 * unmasked in place.  To be called again with the rest, also after FAIL (which then takes everything). */
size_t smc_wsreader_feed(smc_wsreader_t *r, char *p, size_t n, smc_ws_event_t *ev);

typedef struct smc_wsframe {
    smc_ws_opcode_t opcode;
    bool fin;
    bool deflated;       /* RSV1 */
    const uint8_t *mask; /* 4 bytes, or NULL */
} smc_wsframe_t;

/* Appends one frame.  Errors: SMC_ENOMEM, nothing appended then. */
smc_code_t smc_wsframe_write(smc_buf_t *out, const smc_wsframe_t *frame, const void *payload,
                             size_t n);

#endif /* SMC_WSFRAME_PRIV_H */
