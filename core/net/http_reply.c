#include "http_priv.h"

#include "smc/clock.h"

#include <stdlib.h>
#include <string.h>

void smc_http_reply_free(smc_http_reply_t *reply)
{
    if (reply == NULL)
        return;
    free(reply->headers);
    free(reply->body);
    free(reply->_head);
    free(reply);
}

/* ---- the head ----------------------------------------------------------- */

static const char *skip_blank(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    return p;
}

/* One line without its line break; false when it is no header. */
static bool parse_line(const char *line, const char *end, smc_http_header_t *out)
{
    const char *colon = memchr(line, ':', (size_t)(end - line));

    if (colon == NULL || colon == line || *line == ' ' || *line == '\t')
        return false;
    out->name = line;
    out->name_len = (size_t)(colon - line);
    out->value = skip_blank(colon + 1, end);
    while (end > out->value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    out->value_len = (size_t)(end - out->value);
    return true;
}

static size_t count_lines(const smc_buf_t *head)
{
    size_t n = 0;

    for (size_t i = 0; i < head->len; i++)
        n += head->data[i] == '\n';
    return n;
}

/* Moves the collected lines into the reply; the status line goes first and is no header. */
static smc_code_t parse_head(smc_http_call_t *call)
{
    smc_http_reply_t *reply = call->reply;
    size_t lines = count_lines(&call->head);
    size_t len = 0;
    char *line;

    reply->headers = calloc(lines == 0 ? 1 : lines, sizeof(*reply->headers));
    if (reply->headers == NULL)
        return SMC_ENOMEM;
    reply->_head = line = smc_buf_take(&call->head, &len);
    for (size_t i = 0; i < lines; i++) {
        char *next = memchr(line, '\n', len);
        char *end = next > line && next[-1] == '\r' ? next - 1 : next;
        if (i > 0 && parse_line(line, end, &reply->headers[reply->n_headers]))
            reply->n_headers++;
        len -= (size_t)(next + 1 - line);
        line = next + 1;
    }
    return SMC_OK;
}

static void note_connection(smc_http_call_t *call)
{
    const smc_http_client_t *client = call->client;
    long value = 0;

    (void)client->curl.easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &value);
    call->reply->sent = value > 0;
    value = 0;
    (void)client->curl.easy_getinfo(call->easy, CURLINFO_NUM_CONNECTS, &value);
    call->reply->new_connection = value > 0;
}

/* Returns what libcurl takes for success or, 0, for a reason to stop. */
static size_t finish_head(smc_http_call_t *call, size_t n)
{
    long status = 0;

    (void)call->client->curl.easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 100 && status < 200 && status != 101) {
        smc_buf_clear(&call->head); /* "100 Continue": the real head follows */
        return n;
    }
    if (parse_head(call) != SMC_OK) {
        (void)smc_fail(&call->verdict, SMC_ENOMEM, "http", 0, "out of memory");
        return 0;
    }
    call->head_done = true;
    call->reply->status = (int)status;
    note_connection(call);
    if (call->on_body != NULL) {
        smc_timer_cancel(call->deadline);
        call->deadline = NULL;
    }
    if (call->on_head != NULL)
        call->on_head(call->ud, call->reply);
    return call->doomed ? 0 : n;
}

size_t smc_http_on_header(char *line, size_t size, size_t n, void *ud)
{
    smc_http_call_t *call = ud;

    n *= size;
    if (call->doomed)
        return 0;
    if (call->head_done)
        return n; /* a trailer */
    if (call->head.len + n > SMC_HTTP_MAX_HEAD) {
        (void)smc_fail(&call->verdict, SMC_ETOOBIG, "http", 0,
                       "the reply's head is longer than %zu bytes", SMC_HTTP_MAX_HEAD);
        return 0;
    }
    if (n <= 2 && (line[0] == '\r' || line[0] == '\n'))
        return finish_head(call, n);
    if (smc_buf_append(&call->head, line, n) != SMC_OK) {
        (void)smc_fail(&call->verdict, SMC_ENOMEM, "http", 0, "out of memory");
        return 0;
    }
    return n;
}

/* ---- the body ----------------------------------------------------------- */

size_t smc_http_on_body(char *bytes, size_t size, size_t n, void *ud)
{
    smc_http_call_t *call = ud;

    n *= size;
    if (call->doomed)
        return 0;
    if (n > call->max_body - call->body_seen) {
        (void)smc_fail(&call->verdict, SMC_ETOOBIG, "http", 0,
                       "the reply's body is longer than %zu bytes", call->max_body);
        return 0;
    }
    call->body_seen += n;
    if (call->on_body != NULL) {
        if (n > 0)
            call->on_body(call->ud, bytes, n);
        return call->doomed ? 0 : n;
    }
    if (smc_buf_append(&call->body, bytes, n) != SMC_OK) {
        (void)smc_fail(&call->verdict, SMC_ENOMEM, "http", 0, "out of memory");
        return 0;
    }
    return n;
}

/* ---- the error ---------------------------------------------------------- */

static const struct {
    CURLcode curl;
    smc_code_t code;
} codes[] = {
    {CURLE_COULDNT_RESOLVE_HOST, SMC_EDNS},
    {CURLE_COULDNT_CONNECT, SMC_ECONN},
    {CURLE_OPERATION_TIMEDOUT, SMC_ETIMEDOUT},
    {CURLE_OUT_OF_MEMORY, SMC_ENOMEM},
    {CURLE_SEND_ERROR, SMC_ERESET},
    {CURLE_RECV_ERROR, SMC_ERESET},
    {CURLE_GOT_NOTHING, SMC_ERESET},
    {CURLE_PARTIAL_FILE, SMC_ERESET},
    {CURLE_SSL_CONNECT_ERROR, SMC_ETLS},
    {CURLE_PEER_FAILED_VERIFICATION, SMC_ETLS},
    {CURLE_SSL_CERTPROBLEM, SMC_ETLS},
    {CURLE_SSL_CIPHER, SMC_ETLS},
    {CURLE_SSL_CACERT_BADFILE, SMC_ETLS},
    {CURLE_SSL_ISSUER_ERROR, SMC_ETLS},
    {CURLE_SSL_INVALIDCERTSTATUS, SMC_ETLS},
};

/* libcurl has one code for a broken connection, for broken chunks and for broken TLS records. */
static smc_code_t code_of(CURLcode rc, const char *text)
{
    if (rc == CURLE_RECV_ERROR && strstr(text, "chunked-encoding") != NULL)
        return SMC_EPROTO;
    if (rc == CURLE_RECV_ERROR && strstr(text, "SSL routines") != NULL)
        return SMC_ETLS;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (codes[i].curl == rc)
            return codes[i].code;
    return SMC_EPROTO;
}

static void fill_error(smc_http_call_t *call, CURLcode rc)
{
    const char *text = call->curl_text;

    if (call->verdict.code != SMC_OK) {
        call->reply->err = call->verdict;
        return;
    }
    if (rc == CURLE_OK && !call->head_done) { /* which libcurl takes for a whole reply */
        (void)smc_fail(&call->reply->err, SMC_ERESET, "http", 0,
                       "%s the connection ended inside the head of the reply", call->origin);
        return;
    }
    if (rc == CURLE_OK)
        return;
    if (*text == '\0')
        text = call->client->curl.easy_strerror(rc);
    (void)smc_fail(&call->reply->err, code_of(rc, text), "http", (int)rc, "%s %s%s", call->origin,
                   text, rc == CURLE_COULDNT_CONNECT ? smc_loop_no_descriptor() : "");
}

void smc_http_fill_reply(smc_http_call_t *call, CURLcode rc)
{
    smc_http_reply_t *reply = call->reply;

    note_connection(call);
    fill_error(call, rc);
    reply->elapsed_ns = smc_clock_now_ns() - call->start_ns;
    reply->body = smc_buf_take(&call->body, &reply->body_len);
}
