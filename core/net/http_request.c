#include "http_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define OP "http.start"
#define METHOD_MAX 16
/* From this size on libcurl would ask for "100 Continue" and wait a second for it. */
#define EXPECT_BYTES ((size_t)1 << 20)

static bool is_token(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strchr("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
                   text[i]) == NULL ||
            text[i] == '\0')
            return false;
    return n > 0;
}

static smc_code_t check_method(const smc_http_request_t *req, smc_error_t *err)
{
    size_t n = strlen(req->method);

    if (!is_token(req->method, n) || n > METHOD_MAX || strcmp(req->method, "CONNECT") == 0)
        return smc_fail(err, SMC_EINVAL, OP, 0, "'%.20s' is not a method that can be sent",
                        req->method);
    if (strcmp(req->method, "HEAD") == 0 && req->body != NULL)
        return smc_fail(err, SMC_EINVAL, OP, 0, "a HEAD request has no body");
    return SMC_OK;
}

/* ---- headers ------------------------------------------------------------ */

static bool has_name(const smc_http_header_t *h, const char *name)
{
    return h->name_len == strlen(name) && strncasecmp(h->name, name, h->name_len) == 0;
}

static bool has_header(const smc_http_request_t *req, const char *name)
{
    for (size_t i = 0; i < req->n_headers; i++)
        if (has_name(&req->headers[i], name))
            return true;
    return false;
}

static bool has_break(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (text[i] == '\r' || text[i] == '\n' || text[i] == '\0')
            return true;
    return false;
}

static smc_code_t check_header(const smc_http_header_t *h, smc_error_t *err)
{
    /* Host: a shared front end would forward the request to the site named there.  The others frame the body. */
    static const char *const ours[] = {"Host", "Content-Length", "Transfer-Encoding"};

    if (!is_token(h->name, h->name_len))
        return smc_fail(err, SMC_EINVAL, OP, 0, "'%.*s' is not a header name",
                        h->name_len > 40 ? 40 : (int)h->name_len, h->name);
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        if (has_name(h, ours[i]))
            return smc_fail(err, SMC_EINVAL, OP, 0, "the header %s is set by the client alone",
                            ours[i]);
    if (has_break(h->value, h->value_len))
        return smc_fail(err, SMC_EINVAL, OP, 0,
                        "the value of header %.*s holds a line break or NUL",
                        h->name_len > 40 ? 40 : (int)h->name_len, h->name);
    return SMC_OK;
}

static smc_code_t check_bearer(const smc_http_request_t *req, smc_error_t *err)
{
    size_t n;
    const char *token = smc_secret_borrow(req->bearer, &n);

    if (has_header(req, "Authorization"))
        return smc_fail(err, SMC_EINVAL, OP, 0,
                        "a request has either a bearer token or a header Authorization");
    if (has_break(token, n))
        return smc_fail(err, SMC_EINVAL, OP, 0, "the bearer token holds a line break or NUL");
    return SMC_OK;
}

/* libcurl's notation: "Name: value", "Name;" for an empty value, "Name:" to leave out a header of its own. */
static void write_line(smc_buf_t *lines, const smc_http_header_t *h)
{
    size_t blank = 0;

    while (blank < h->value_len && (h->value[blank] == ' ' || h->value[blank] == '\t'))
        blank++;
    (void)smc_buf_append(lines, h->name, h->name_len);
    if (blank == h->value_len) {
        (void)smc_buf_append(lines, ";", 2);
        return;
    }
    (void)smc_buf_puts(lines, ": ");
    (void)smc_buf_append(lines, h->value, h->value_len);
    (void)smc_buf_putc(lines, '\0');
}

/* Enough is reserved first: a buffer that moves would leave the token behind. */
static void write_bearer(smc_buf_t *lines, const smc_secret_t *bearer)
{
    static const char name[] = "Authorization: Bearer ";
    size_t n;
    const char *token = smc_secret_borrow(bearer, &n);

    (void)smc_buf_reserve(lines, sizeof(name) + n);
    (void)smc_buf_puts(lines, name);
    (void)smc_buf_append(lines, token, n);
    (void)smc_buf_putc(lines, '\0');
}

/* Links nodes of our own through the NUL-terminated lines: curl_slist_append would allocate twice a line. */
static smc_code_t link_lines(smc_http_call_t *call, size_t n)
{
    char *line = call->lines.data;

    if (n > call->list_cap) {
        struct curl_slist *grown = realloc(call->list, n * sizeof(*grown));
        if (grown == NULL)
            return SMC_ENOMEM;
        call->list = grown;
        call->list_cap = n;
    }
    for (size_t i = 0; i < n; i++) {
        call->list[i].data = line;
        call->list[i].next = i + 1 < n ? &call->list[i + 1] : NULL;
        line += strlen(line) + 1;
    }
    return SMC_OK;
}

static smc_code_t prepare_headers(smc_http_call_t *call, const smc_http_request_t *req,
                                  bool has_body, smc_error_t *err)
{
    smc_http_client_t *client = call->client;
    size_t n = req->n_headers;
    smc_code_t rc = SMC_OK;

    smc_buf_clear(&call->lines);
    for (size_t i = 0; i < req->n_headers && rc == SMC_OK; i++) {
        rc = check_header(&req->headers[i], err);
        if (rc == SMC_OK)
            write_line(&call->lines, &req->headers[i]);
    }
    if (rc == SMC_OK && req->bearer != NULL)
        rc = check_bearer(req, err);
    if (rc != SMC_OK)
        return rc;
    if (has_body && !has_header(req, "Content-Type")) {
        (void)smc_buf_append(&call->lines, "Content-Type:", sizeof("Content-Type:"));
        n++;
    }
    if (req->body_len >= EXPECT_BYTES && !has_header(req, "Expect")) {
        (void)smc_buf_append(&call->lines, "Expect:", sizeof("Expect:"));
        n++;
    }
    if (req->bearer != NULL) { /* the last one: nothing moves it any more */
        call->has_secret = true;
        write_bearer(&call->lines, req->bearer);
        n++;
    }
    if (call->lines.failed || link_lines(call, n) != SMC_OK)
        return smc_fail(err, SMC_ENOMEM, OP, 0, "out of memory");
    (void)client->curl.easy_setopt(call->easy, CURLOPT_HTTPHEADER, n == 0 ? NULL : call->list);
    return SMC_OK;
}

/* ---- where, what -------------------------------------------------------- */

/* libcurl formats a URL byte by byte and tidies its path: it gets a short one, the same for all requests to a host,
 * and the target as it is. */
/* Where it connects is no matter of the name that its certificate has to have. */
static unsigned set_detour(smc_http_call_t *call, uint16_t via)
{
    struct curl_slist *list = NULL;

    if (via == call->via)
        return 0;
    call->via = via;
    if (via != 0) {
        (void)snprintf(call->detour_text, sizeof(call->detour_text), "::127.0.0.1:%u",
                       (unsigned)via);
        call->detour = (struct curl_slist){.data = call->detour_text};
        list = &call->detour;
    }
    return (unsigned)call->client->curl.easy_setopt(call->easy, CURLOPT_CONNECT_TO, list);
}

static unsigned set_url(smc_http_call_t *call, const smc_url_t *url, const char *path)
{
    const smc_http_client_t *client = call->client;
    char origin[sizeof(call->origin)];
    char *target = NULL;
    unsigned failed = 0;

    (void)snprintf(origin, sizeof(origin), "%s://%s:%u/", smc_scheme_text(url->scheme), url->host,
                   (unsigned)url->port);
    if (strcmp(origin, call->origin) != 0) {
        memcpy(call->origin, origin, sizeof(origin));
        failed |= client->curl.easy_setopt(call->easy, CURLOPT_URL, call->origin);
    }
    if (*url->target == '?') {
        if (asprintf(&target, "/%s", url->target) < 0)
            return 1;
    }
    failed |= client->curl.easy_setopt(call->easy, CURLOPT_REQUEST_TARGET,
                                       target != NULL         ? target
                                       : *url->target == '\0' ? "/"
                                                              : url->target);
    free(target);
    failed |= client->curl.easy_setopt(call->easy, CURLOPT_UNIX_SOCKET_PATH, path);
    failed |=
        set_detour(call, path != NULL ? 0 : smc_loop_detour(client->loop, url->host, url->port));
    return failed;
}

static unsigned set_method(smc_http_call_t *call, const smc_http_request_t *req, bool has_body)
{
    __typeof__(call->client->curl.easy_setopt) set = call->client->curl.easy_setopt;
    const char *plain = has_body ? "POST" : "GET";
    bool is_head = strcmp(req->method, "HEAD") == 0;
    unsigned failed = 0;

    failed |= set(call->easy, CURLOPT_HTTPGET, 1L); /* undoes POST and NOBODY of the last call */
    if (call->has_body) {
        failed |= set(call->easy, CURLOPT_POSTFIELDS, NULL); /* frees the last call's body */
        failed |= set(call->easy, CURLOPT_HTTPGET, 1L);      /* POSTFIELDS has said POST again */
    }
    call->has_body = has_body;
    if (has_body) {
        failed |= set(call->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->body_len);
        failed |= set(call->easy, CURLOPT_COPYPOSTFIELDS, req->body != NULL ? req->body : "");
        failed |= set(call->easy, CURLOPT_POST, 1L);
    }
    if (is_head)
        failed |= set(call->easy, CURLOPT_NOBODY, 1L);
    failed |= set(call->easy, CURLOPT_CUSTOMREQUEST,
                  is_head || strcmp(req->method, plain) == 0 ? NULL : req->method);
    return failed;
}

/* A reset is the only way back to libcurl's built-in trust. */
static unsigned set_trust(smc_http_call_t *call, const smc_http_request_t *req)
{
    const smc_http_client_t *client = call->client;
    struct curl_blob blob = {(void *)(uintptr_t)req->ca_pem, req->ca_pem_len, CURL_BLOB_COPY};
    unsigned failed = 0;

    if (call->has_ca) {
        client->curl.easy_reset(call->easy);
        call->via = 0;
        failed |= smc_http_call_setup(call) != SMC_OK;
    }
    call->has_ca = req->ca_pem != NULL;
    if (!call->has_ca)
        return failed;
    failed |= client->curl.easy_setopt(call->easy, CURLOPT_CAINFO_BLOB, &blob);
    failed |= client->curl.easy_setopt(call->easy, CURLOPT_CAPATH, NULL);
    return failed;
}

static bool always_has_length(const char *method)
{
    return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
           strcmp(method, "PATCH") == 0;
}

smc_code_t smc_http_prepare(smc_http_call_t *call, const smc_http_request_t *req,
                            const smc_url_t *url, const char *path, smc_error_t *err)
{
    bool has_body = req->body != NULL || always_has_length(req->method);
    smc_code_t rc = check_method(req, err);

    if (rc != SMC_OK)
        return rc;
    if (set_trust(call, req) != 0 || set_url(call, url, path) != 0 ||
        set_method(call, req, has_body) != 0)
        return smc_fail(err, SMC_ENOMEM, OP, 0, "out of memory");
    return prepare_headers(call, req, has_body, err);
}
