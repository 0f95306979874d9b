/* bench_client URL N - the peer of bench_client.sh: N signed requests, one after the other, by bare libcurl.
 *
 * Each is signed with HMAC-SHA256 (its timestamp is new), sent over one pooled connection and handle, and its JSON decoded.
 * Prints the microseconds that one took. */
#include <curl/curl.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WARM_UP = 200, MAC_BYTES = 32 };

static const char digits[] = "0123456789abcdef";
static const char secret[] = "0123456789abcdef0123456789abcdef";

typedef struct answer {
    char bytes[65536];
    size_t n;
} answer_t;

static double now_us(clockid_t clock)
{
    struct timespec t;

    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *ud)
{
    answer_t *a = ud;

    n *= size;
    if (a->n + n > sizeof(a->bytes))
        return 0;
    memcpy(a->bytes + a->n, bytes, n);
    a->n += n;
    return n;
}

static void sign(const char *text, char hex[2 * MAC_BYTES + 1])
{
    unsigned char mac[MAC_BYTES];

    (void)HMAC(EVP_sha256(), secret, sizeof(secret) - 1, (const unsigned char *)text, strlen(text),
               mac, NULL);
    for (size_t i = 0; i < MAC_BYTES; i++) {
        hex[2 * i] = digits[mac[i] >> 4];
        hex[2 * i + 1] = digits[mac[i] & 15];
    }
    hex[2 * sizeof(mac)] = '\0';
}

/* The request target is set for each request, the URL only once: libcurl takes a URL apart at every change. */
static void ask(CURL *curl, answer_t *answer)
{
    char query[160], target[320], hex[2 * MAC_BYTES + 1];
    json_t *json;

    (void)snprintf(query, sizeof(query), "timestamp=%.0f", now_us(CLOCK_REALTIME) / 1e3);
    sign(query, hex);
    (void)snprintf(target, sizeof(target), "/api/v3/account?%s&signature=%s", query, hex);
    (void)curl_easy_setopt(curl, CURLOPT_REQUEST_TARGET, target);
    answer->n = 0;
    if (curl_easy_perform(curl) != CURLE_OK) {
        (void)fprintf(stderr, "bench_client: no answer\n");
        exit(1);
    }
    json = json_loadb(answer->bytes, answer->n, 0, NULL);
    if (!json_is_object(json)) {
        (void)fprintf(stderr, "bench_client: no JSON\n");
        exit(1);
    }
    json_decref(json);
}

int main(int argc, char *argv[])
{
    static answer_t answer;
    CURL *curl = curl_easy_init();
    struct curl_slist *fields = curl_slist_append(NULL, "X-MBX-APIKEY: bench-key");
    long n = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
    double began;

    if (n < 1 || curl == NULL || fields == NULL) {
        (void)fprintf(stderr, "usage: bench_client URL N\n");
        return 1;
    }
    /* Else it ignores SIGPIPE and minds it again, half a dozen system calls for each request. */
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_URL, argv[1]);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    for (int i = 0; i < WARM_UP; i++)
        ask(curl, &answer);
    began = now_us(CLOCK_MONOTONIC);
    for (long i = 0; i < n; i++)
        ask(curl, &answer);
    printf("%.1f\n", (now_us(CLOCK_MONOTONIC) - began) / (double)n);
    curl_easy_cleanup(curl);
    curl_slist_free_all(fields);
    return 0;
}
