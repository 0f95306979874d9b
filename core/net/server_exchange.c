#include "server_priv.h"

#include "smc/clock.h"

#include <stdlib.h>
#include <string.h>

#define CRLF "\r\n"

static const char *reason_of(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {101, "Switching Protocols"},
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {418, "I'm a teapot"},
        {422, "Unprocessable Content"},
        {426, "Upgrade Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {451, "Unavailable For Legal Reasons"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    };

    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "";
}

/* ---- life --------------------------------------------------------------- */

/* A busy server takes apart and answers one request after the other in the same memory: it stays warm. */
#define SPARE_MAX 64
#define SPARE_BYTES 4096 /* a spare one keeps no larger buffers */

/* NULL when there is none. */
static smc_exchange_t *take_spare(smc_server_t *server)
{
    smc_exchange_t *ex = server->spare;

    if (ex == NULL)
        return NULL;
    server->spare = ex->next;
    server->n_spare--;
    return ex;
}

static void free_exchange(smc_exchange_t *ex)
{
    smc_buf_deinit(&ex->bytes);
    smc_buf_deinit(&ex->body);
    free(ex);
}

void smc_exchange_free_spare(smc_server_t *server)
{
    smc_exchange_t *ex;

    while ((ex = take_spare(server)) != NULL)
        free_exchange(ex);
}

static bool is_worth_keeping(const smc_exchange_t *ex)
{
#if defined(__SANITIZE_ADDRESS__)
    (void)ex; /* what is used beyond its end shall be found */
    return false;
#else
    return ex->server->n_spare < SPARE_MAX && ex->bytes.cap <= SPARE_BYTES &&
           ex->body.cap <= SPARE_BYTES;
#endif
}

static void give_back(smc_exchange_t *ex)
{
    smc_server_t *server = ex->server;

    if (is_worth_keeping(ex)) {
        smc_buf_clear(&ex->bytes);
        smc_buf_clear(&ex->body);
        ex->next = server->spare;
        server->spare = ex;
        server->n_spare++;
    } else {
        free_exchange(ex);
    }
    smc_server_unref(server);
}

/* Its buffers are empty, whatever room they have. */
static smc_exchange_t *blank_exchange(smc_server_t *server)
{
    smc_exchange_t *ex = take_spare(server);
    smc_buf_t bytes = {0}, body = {0};

    if (ex != NULL) {
        bytes = ex->bytes;
        body = ex->body;
    } else {
        ex = malloc(sizeof(*ex));
    }
    if (ex == NULL)
        return NULL;
    memset(ex, 0, offsetof(smc_exchange_t, head));
    ex->bytes = bytes;
    ex->body = body;
    smc_head_init(&ex->head);
    return ex;
}

static smc_exchange_t *new_exchange(smc_conn_t *conn)
{
    smc_exchange_t *ex = blank_exchange(conn->server);

    if (ex == NULL)
        return NULL;
    ex->refs = 1;
    ex->server = conn->server;
    ex->server->refs++;
    ex->conn = conn;
    ex->conn_id = conn->id;
    return ex;
}

void smc_exchange_retain(smc_exchange_t *ex)
{
    ex->refs++;
}

void smc_exchange_release(smc_exchange_t *ex)
{
    if (ex != NULL && --ex->refs == 0)
        give_back(ex);
}

void smc_exchange_detach(smc_exchange_t *ex)
{
    smc_conn_t *conn = ex->conn;

    conn->ex = NULL;
    ex->conn = NULL;
    ex->state = SMC_EX_OVER;
    smc_exchange_release(ex);
}

/* ---- reading ------------------------------------------------------------ */

/* The server's own answer to what it could not read.  There may be a body behind it that nobody will ever take apart,
 * so the connection ends with it. */
static bool refuse(smc_conn_t *conn, int status)
{
    (void)smc_exchange_put_head(conn, status, NULL, 0);
    (void)smc_buf_puts(&conn->out, "Content-Length: 0" CRLF "Connection: close" CRLF CRLF);
    smc_exchange_detach(conn->ex);
    smc_conn_drain(conn);
    return true;
}

static bool dispatch(smc_conn_t *conn)
{
    smc_exchange_t *ex = conn->ex;
    smc_server_t *server = conn->server;

    conn->state = SMC_CONN_BUSY;
    ex->state = SMC_EX_WAITING;
    ex->close = !ex->head.keep_alive;
    smc_exchange_retain(ex); /* the handler's */
    server->conf.on_request(server->conf.ud, ex);
    return true;
}

static bool on_head(smc_conn_t *conn)
{
    smc_exchange_t *ex = conn->ex;
    const smc_head_t *head = &ex->head;

    if (head->content_length > conn->server->conf.max_body_bytes)
        return refuse(conn, 413);
    if (smc_buf_append(&ex->bytes, conn->in.data + conn->in_pos, head->size) != SMC_OK)
        return refuse(conn, 500);
    conn->in_pos += head->size;
    if (!head->chunked && head->content_length == 0)
        return dispatch(conn);
    conn->state = SMC_CONN_BODY;
    if (head->expect_continue && smc_conn_available(conn) == 0)
        (void)smc_buf_puts(&conn->out, "HTTP/1.1 100 Continue" CRLF CRLF);
    return true;
}

bool smc_exchange_read_head(smc_conn_t *conn)
{
    size_t n = smc_conn_available(conn);

    if (n == 0)
        return false;
    if (conn->ex == NULL)
        conn->ex = new_exchange(conn);
    if (conn->ex == NULL) {
        smc_conn_kill(conn, SMC_END_RST);
        return false;
    }
    switch (smc_head_parse(&conn->ex->head, conn->in.data + conn->in_pos, n,
                           conn->server->conf.max_head_bytes)) {
    case SMC_HEAD_MORE:
        return false;
    case SMC_HEAD_BAD:
        return refuse(conn, conn->ex->head.status);
    case SMC_HEAD_DONE:
        break;
    }
    return on_head(conn);
}

static smc_head_result_t read_chunks(smc_conn_t *conn, const char *in, size_t n)
{
    smc_exchange_t *ex = conn->ex;
    size_t used = 0;
    smc_head_result_t result =
        smc_chunked_feed(&ex->chunked, in, n, conn->server->conf.max_body_bytes, &ex->body, &used);

    conn->in_pos += used;
    return result;
}

bool smc_exchange_read_body(smc_conn_t *conn)
{
    smc_exchange_t *ex = conn->ex;
    size_t n = smc_conn_available(conn);
    const char *in;

    if (n == 0)
        return false;
    in = conn->in.data + conn->in_pos;
    if (ex->head.chunked) {
        smc_head_result_t result = read_chunks(conn, in, n);
        if (result == SMC_HEAD_BAD)
            return refuse(conn, ex->chunked.status);
        return result == SMC_HEAD_DONE && dispatch(conn);
    }
    if (n > ex->head.content_length - ex->body.len)
        n = (size_t)ex->head.content_length - ex->body.len;
    if (smc_buf_append(&ex->body, in, n) != SMC_OK)
        return refuse(conn, 500);
    conn->in_pos += n;
    return ex->body.len == ex->head.content_length && dispatch(conn);
}

/* ---- the request -------------------------------------------------------- */

static const char *part(const smc_exchange_t *ex, smc_head_part_t p, size_t *n)
{
    *n = p.len;
    return ex->bytes.data + p.at;
}

const char *smc_exchange_method(const smc_exchange_t *ex, size_t *n)
{
    return part(ex, ex->head.method, n);
}

const char *smc_exchange_target(const smc_exchange_t *ex, size_t *n)
{
    return part(ex, ex->head.target, n);
}

const char *smc_exchange_body(const smc_exchange_t *ex, size_t *n)
{
    *n = ex->body.len;
    return ex->body.data == NULL ? "" : ex->body.data;
}

size_t smc_exchange_n_fields(const smc_exchange_t *ex)
{
    return ex->head.n_fields;
}

smc_server_field_t smc_exchange_field(const smc_exchange_t *ex, size_t i)
{
    const smc_head_field_t *f = &ex->head.fields[i];
    smc_server_field_t field;

    field.name = part(ex, f->name, &field.name_len);
    field.value = part(ex, f->value, &field.value_len);
    return field;
}

const char *smc_exchange_header(const smc_exchange_t *ex, const char *name, size_t *n)
{
    const smc_head_part_t *value = smc_head_find(&ex->head, ex->bytes.data, name);

    *n = 0;
    return value == NULL ? NULL : part(ex, *value, n);
}

uint64_t smc_exchange_connection(const smc_exchange_t *ex)
{
    return ex->conn_id;
}

bool smc_exchange_is_ours(const smc_exchange_t *ex)
{
    return ex->conn != NULL && smc_conn_is_ours(ex->conn);
}

bool smc_exchange_is_ws(const smc_exchange_t *ex)
{
    size_t n;
    const char *method = smc_exchange_method(ex, &n);

    return ex->head.upgrade_ws && n == 3 && memcmp(method, "GET", 3) == 0;
}

bool smc_exchange_alive(const smc_exchange_t *ex)
{
    return ex->state != SMC_EX_OVER;
}

/* ---- the answer --------------------------------------------------------- */

smc_code_t smc_exchange_put_head(smc_conn_t *conn, int status, const smc_server_field_t *fields,
                                 size_t n_fields)
{
    smc_buf_t *out = &conn->out;
    char line[] = "HTTP/1.1 200 ";

    for (size_t i = 0; i < n_fields; i++)
        if (!smc_head_is_token(fields[i].name, fields[i].name_len) ||
            !smc_head_is_value(fields[i].value, fields[i].value_len))
            return SMC_EINVAL;
    for (int at = 11, rest = status; at >= 9; at--, rest /= 10)
        line[at] = (char)('0' + rest % 10);
    (void)smc_buf_puts(out, line);
    (void)smc_buf_puts(out, reason_of(status));
    (void)smc_buf_append(out, CRLF, 2);
    for (size_t i = 0; i < n_fields; i++) {
        (void)smc_buf_append(out, fields[i].name, fields[i].name_len);
        (void)smc_buf_append(out, ": ", 2);
        (void)smc_buf_append(out, fields[i].value, fields[i].value_len);
        (void)smc_buf_append(out, CRLF, 2);
    }
    return out->failed ? SMC_ENOMEM : SMC_OK;
}

static const smc_server_field_t *find_field(const smc_server_field_t *fields, size_t n,
                                            const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (smc_head_same(fields[i].name, fields[i].name_len, name))
            return &fields[i];
    return NULL;
}

static bool has_no_body(int status)
{
    return status == 204 || status == 304;
}

static bool is_head_request(const smc_exchange_t *ex)
{
    size_t n;
    const char *method = smc_exchange_method(ex, &n);

    return n == 4 && memcmp(method, "HEAD", 4) == 0;
}

/* The status line, the caller's fields, and Connection; the empty line is still missing. */
static smc_code_t put_answer_head(smc_exchange_t *ex, int status, const smc_server_field_t *fields,
                                  size_t n_fields)
{
    const smc_server_field_t *connection = find_field(fields, n_fields, "connection");
    smc_code_t code;

    if (ex->conn == NULL)
        return SMC_ECLOSED;
    if (ex->state != SMC_EX_WAITING || status < 200 || status > 599)
        return SMC_EINVAL;
    code = smc_exchange_put_head(ex->conn, status, fields, n_fields);
    if (code != SMC_OK)
        return code;
    if (connection != NULL)
        ex->close |= smc_head_list_has(connection->value, connection->value_len, "close");
    else if (ex->close)
        (void)smc_buf_puts(&ex->conn->out, "Connection: close" CRLF);
    else if (ex->head.minor == 0)
        (void)smc_buf_puts(&ex->conn->out, "Connection: keep-alive" CRLF);
    return SMC_OK;
}

/* The answer is complete. */
static void finish(smc_exchange_t *ex)
{
    smc_conn_t *conn = ex->conn;
    bool close = ex->close;

    smc_exchange_detach(ex);
    conn->active_ns = smc_clock_now_ns();
    conn->state = SMC_CONN_HEAD;
    if (close)
        smc_conn_drain(conn);
    else
        smc_conn_pump(conn);
}

smc_code_t smc_exchange_reply(smc_exchange_t *ex, int status, const smc_server_field_t *fields,
                              size_t n_fields, const void *body, size_t n)
{
    smc_code_t code = put_answer_head(ex, status, fields, n_fields);
    smc_buf_t *out;

    if (code != SMC_OK)
        return code;
    out = &ex->conn->out;
    if (find_field(fields, n_fields, "content-length") == NULL && !has_no_body(status))
        (void)(smc_buf_puts(out, "Content-Length: "), smc_buf_put_int(out, (int64_t)n),
               smc_buf_append(out, CRLF, 2));
    (void)smc_buf_append(out, CRLF, 2);
    if (!is_head_request(ex) && !has_no_body(status))
        (void)smc_buf_append(out, body, n);
    finish(ex);
    return SMC_OK;
}

smc_code_t smc_exchange_start(smc_exchange_t *ex, int status, const smc_server_field_t *fields,
                              size_t n_fields)
{
    bool framed = find_field(fields, n_fields, "content-length") != NULL ||
                  find_field(fields, n_fields, "transfer-encoding") != NULL;
    bool chunked = !framed && ex->head.minor == 1 && !has_no_body(status);
    bool close = ex->close;
    smc_code_t code;

    if (!framed && !chunked && !has_no_body(status))
        ex->close = true; /* HTTP/1.0: only the end of the connection ends such a body */
    code = put_answer_head(ex, status, fields, n_fields);
    if (code != SMC_OK) {
        ex->close = close;
        return code;
    }
    if (chunked)
        (void)smc_buf_puts(&ex->conn->out, "Transfer-Encoding: chunked" CRLF);
    (void)smc_buf_append(&ex->conn->out, CRLF, 2);
    ex->state = chunked ? SMC_EX_CHUNKED : SMC_EX_PLAIN;
    if (is_head_request(ex) || has_no_body(status))
        ex->state = SMC_EX_BODYLESS;
    smc_conn_flush(ex->conn);
    return SMC_OK;
}

smc_code_t smc_exchange_write(smc_exchange_t *ex, const void *bytes, size_t n)
{
    switch (ex->state) {
    case SMC_EX_CHUNKED:
        if (n == 0) /* an empty chunk would end the body */
            return SMC_OK;
        (void)smc_buf_printf(&ex->conn->out, "%zx" CRLF, n);
        (void)smc_buf_append(&ex->conn->out, bytes, n);
        (void)smc_buf_append(&ex->conn->out, CRLF, 2);
        break;
    case SMC_EX_PLAIN:
        (void)smc_buf_append(&ex->conn->out, bytes, n);
        break;
    case SMC_EX_BODYLESS:
        return SMC_OK;
    case SMC_EX_OVER:
        return SMC_ECLOSED;
    case SMC_EX_READING:
    case SMC_EX_WAITING:
        return SMC_EINVAL;
    }
    smc_conn_flush(ex->conn);
    return SMC_OK;
}

smc_code_t smc_exchange_end(smc_exchange_t *ex)
{
    if (ex->conn == NULL)
        return SMC_ECLOSED;
    if (ex->state == SMC_EX_WAITING)
        return SMC_EINVAL;
    if (ex->state == SMC_EX_CHUNKED)
        (void)smc_buf_puts(&ex->conn->out, "0" CRLF CRLF);
    finish(ex);
    return SMC_OK;
}

smc_code_t smc_exchange_raw(smc_exchange_t *ex, const void *bytes, size_t n)
{
    if (ex->conn == NULL)
        return SMC_ECLOSED;
    if (ex->state == SMC_EX_WAITING)
        ex->state = SMC_EX_PLAIN;
    (void)smc_buf_append(&ex->conn->out, bytes, n);
    smc_conn_flush(ex->conn);
    return SMC_OK;
}

smc_code_t smc_exchange_close(smc_exchange_t *ex)
{
    if (ex->conn == NULL)
        return SMC_ECLOSED;
    ex->close = true;
    finish(ex);
    return SMC_OK;
}

smc_code_t smc_exchange_reset(smc_exchange_t *ex)
{
    smc_conn_t *conn = ex->conn;

    if (conn == NULL)
        return SMC_ECLOSED;
    smc_exchange_detach(ex);
    smc_conn_kill(conn, SMC_END_RST);
    return SMC_OK;
}
