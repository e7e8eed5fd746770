// transfer.c - one request to one server. Redirects are followed here, not by libcurl, since where
// they may lead is ours to say; so a resumed one asks for its range itself (CURLOPT_RESUME_FROM
// takes a redirect that has a body for a server that cannot resume).
// SPDX-License-Identifier: Apache-2.0
#include "fetch/transfer.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "fetch/curl.h"

#include <string.h>

enum { REDIRECTS_MAX = 5, CONNECT_S = 20, SLOW_BYTES = 1024, VALIDATOR_MAX = 256 };

struct fetch_exchange {
    const struct fetch_transfer *transfer;
    CURL *easy;
    char reason[CURL_ERROR_SIZE];
    uint64_t now, total; // bytes of the whole file
    bool begun;          // the first bytes of the file were looked at
    struct error error;  // of the callbacks
    enum fetch_end end;  // that goes with it
};

static void
curl_freep(CURL **easy)
{
    curl_easy_cleanup(*easy);
}

static void
slist_freep(struct curl_slist **list)
{
    curl_slist_free_all(*list);
}

// ---- the answer's head --------------------------------------------------------------------------

// A header of the last answer, or NULL; libcurl's, until the next request.
static const char *
header_value(const struct fetch_exchange *exchange, const char *name)
{
    struct curl_header *header = NULL;
    if (curl_easy_header(exchange->easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return NULL;
    return header->value;
}

static long
answer_status(const struct fetch_exchange *exchange)
{
    long status = 0;
    curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

// True: what follows are bytes of the file.
static bool
has_file(const struct fetch_exchange *exchange)
{
    long status = answer_status(exchange);
    return fetch_url_is_local(exchange->transfer->url) || status == 200 || status == 206;
}

static bool
is_range_from(const struct fetch_exchange *exchange, uint64_t from)
{
    const char *range = header_value(exchange, "Content-Range");
    FREE_AUTO char *wanted = str_format("bytes %llu-", (unsigned long long) from);
    return from > 0 && range != NULL && str_starts(range, wanted);
}

// Returns a strong ETag, else the date of the last change (RFC 9110, 13.1.5); NULL: neither.
static char *
read_validator(const struct fetch_exchange *exchange)
{
    const char *etag = header_value(exchange, "ETag");
    const char *date = header_value(exchange, "Last-Modified");
    const char *value = etag != NULL && !str_starts(etag, "W/") ? etag : date;
    bool usable = value != NULL && value[0] != '\0' && strlen(value) <= VALIDATOR_MAX;
    return usable && has_file(exchange) ? str_dup(value) : NULL;
}

// A web page instead of a file: a sign-in page of the network, or an error told politely.
static bool
is_page(const struct fetch_exchange *exchange, const char *bytes, size_t length)
{
    static const char *const marks[] = {"<!doctype html", "<html", "<head", "<?xml"};
    const char *type = header_value(exchange, "Content-Type");
    if (type != NULL && strncasecmp(type, "text/html", 9) == 0)
        return true;
    for (; length > 0 && memchr(" \t\r\n", *bytes, 4) != NULL; length--)
        bytes++;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        size_t mark = strlen(marks[i]);
        if (length >= mark && strncasecmp(bytes, marks[i], mark) == 0)
            return true;
    }
    return false;
}

// ---- callbacks ----------------------------------------------------------------------------------

static int
error_too_large(const struct fetch_exchange *exchange, struct error *err)
{
    FREE_AUTO char *most = str_bytes(exchange->transfer->max);
    return error_set(err, ERR_SPEC,
        "'%s' is not downloaded: it has more than %s, which is the most; name another file",
        exchange->transfer->url, most);
}

// Looks at what was sent first: 0 when it is what was asked for.
static int
begin_file(struct fetch_exchange *exchange, const char *bytes, size_t length)
{
    const struct fetch_transfer *transfer = exchange->transfer;
    curl_off_t announced = -1;
    bool resumed = answer_status(exchange) == 206;
    exchange->begun = true;
    exchange->end = FETCH_REFUSED;
    if (resumed && !is_range_from(exchange, transfer->from))
        return error_set(&exchange->error, ERR_NETWORK,
            "'%s' cannot be downloaded: the server sends another part of it than it was asked "
            "for; try it again, or name another mirror",
            transfer->url);
    if (!resumed && !transfer->page && is_page(exchange, bytes, length))
        return error_set(&exchange->error, ERR_NETWORK,
            "'%s' cannot be downloaded: the server sends a web page instead; open it in a browser "
            "to see whether this network asks for a sign-in, or check the URL",
            transfer->url);
    exchange->now = resumed ? transfer->from : 0;
    curl_easy_getinfo(exchange->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
    exchange->total = announced < 0 ? 0 : exchange->now + (uint64_t) announced;
    exchange->end = FETCH_STOP;
    if (!resumed && transfer->from > 0)
        return transfer->restart(transfer->context, &exchange->error);
    return 0;
}

static size_t
on_data(char *bytes, size_t size, size_t count, void *context)
{
    struct fetch_exchange *exchange = context;
    const struct fetch_transfer *transfer = exchange->transfer;
    size_t length = size * count;
    if (!has_file(exchange))
        return length;
    if (!exchange->begun && begin_file(exchange, bytes, length) < 0)
        return 0;
    exchange->now += length;
    exchange->end = FETCH_REFUSED;
    if (exchange->now > transfer->max) {
        error_too_large(exchange, &exchange->error);
        return 0;
    }
    exchange->end = FETCH_STOP;
    return transfer->put(transfer->context, bytes, length, &exchange->error) < 0 ? 0 : length;
}

// Called about once a second, and whenever bytes come.
static int
on_progress(void *context, curl_off_t total, curl_off_t now, curl_off_t up, curl_off_t up_now)
{
    const struct fetch_exchange *exchange = context;
    const struct fetch_transfer *transfer = exchange->transfer;
    (void) total, (void) now, (void) up, (void) up_now;
    if (interrupt_pending() || clock_left(transfer->end_ms) == 0)
        return 1;
    if (transfer->show != NULL && exchange->begun)
        transfer->show(transfer->show_context, exchange->now, exchange->total);
    return 0;
}

// ---- request ------------------------------------------------------------------------------------

static void
set_up_request(struct fetch_exchange *exchange, struct curl_slist **headers)
{
    const struct fetch_transfer *transfer = exchange->transfer;
    CURL *easy = exchange->easy;
    int64_t connect_s = transfer->stall_s < CONNECT_S ? transfer->stall_s : CONNECT_S;
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->reason);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long) connect_s);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, (long) SLOW_BYTES);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long) transfer->stall_s);
    // Acts on an announced length only; on_data sees to the rest.
    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t) transfer->max);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, exchange);
    if (transfer->from == 0)
        return;
    FREE_AUTO char *range = str_format("%llu-", (unsigned long long) transfer->from);
    FREE_AUTO char *condition = str_format("If-Range: %s", transfer->validator);
    *headers = curl_slist_append(NULL, condition);
    curl_easy_setopt(easy, CURLOPT_RANGE, range);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, *headers);
}

static enum fetch_end
status_failed(const struct fetch_exchange *exchange, struct error *err)
{
    const struct fetch_transfer *transfer = exchange->transfer;
    long status = answer_status(exchange);
    // No such range: more bytes are there than the file has.
    if (status == 416 && transfer->from > 0) {
        if (transfer->restart(transfer->context, err) < 0)
            return FETCH_STOP;
        error_set(err, ERR_NETWORK, "'%s' cannot be resumed; try it again", transfer->url);
        return FETCH_AGAIN;
    }
    error_set(err, ERR_NETWORK,
        "'%s' cannot be downloaded: the server answers with status %ld; check the URL, or name "
        "another mirror",
        transfer->url, status);
    return status >= 500 || status == 429 || status == 408 ? FETCH_AGAIN : FETCH_REFUSED;
}

// Returns FETCH_REFUSED where the same server will not do better another time.
static enum fetch_end
end_of_code(CURLcode code)
{
    bool lasting = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
                   code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT ||
                   code == CURLE_FILE_COULDNT_READ_FILE || code == CURLE_FILESIZE_EXCEEDED;
    return lasting ? FETCH_REFUSED : FETCH_AGAIN;
}

// True: slower than SLOW_BYTES for too long; one that does not connect in time is another case.
static bool
is_stalled(const struct fetch_exchange *exchange, CURLcode code)
{
    curl_off_t ready_us = 0;
    curl_easy_getinfo(exchange->easy, CURLINFO_PRETRANSFER_TIME_T, &ready_us);
    return code == CURLE_OPERATION_TIMEDOUT && ready_us > 0;
}

static enum fetch_end
code_failed(struct fetch_exchange *exchange, CURLcode code, struct error *err)
{
    const struct fetch_transfer *transfer = exchange->transfer;
    unsigned long long now = exchange->now, total = exchange->total;
    if (code == CURLE_ABORTED_BY_CALLBACK) {
        if (interrupt_check(err) == 0)
            error_set(err, ERR_TIMEOUT,
                "'%s' was not downloaded in time; try it again, it goes on where it was",
                transfer->url);
        return FETCH_STOP;
    }
    if (code == CURLE_FILESIZE_EXCEEDED)
        error_too_large(exchange, err);
    else if (is_stalled(exchange, code))
        error_set(err, ERR_NETWORK,
            "'%s' cannot be downloaded: the server stalls after %llu bytes; try it again later, or "
            "name another mirror",
            transfer->url, now);
    else if (code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR)
        error_set(err, ERR_NETWORK,
            "'%s' cannot be downloaded: the server ended it after %llu of %llu bytes; try it again "
            "later, or name another mirror",
            transfer->url, now, total);
    else
        error_set(err, ERR_NETWORK,
            "'%s' cannot be downloaded: %s; check the network, the URL and the proxy that "
            "https_proxy names",
            transfer->url,
            exchange->reason[0] != '\0' ? exchange->reason : curl_easy_strerror(code));
    return end_of_code(code);
}

// One answer; ret_next: where it redirects to.
static enum fetch_end
exchange_once(struct fetch_exchange *exchange, const char *url, char **ret_next, struct error *err)
{
    char *next = NULL;
    curl_easy_setopt(exchange->easy, CURLOPT_URL, url);
    CURLcode code = curl_easy_perform(exchange->easy);
    curl_easy_getinfo(exchange->easy, CURLINFO_REDIRECT_URL, &next);
    // A file without bytes has not begun yet.
    if (code == CURLE_OK && has_file(exchange) && !exchange->begun)
        (void) begin_file(exchange, "", 0);
    if (exchange->error.code != ERR_NONE) {
        error_move(err, &exchange->error);
        return exchange->end;
    }
    if (code != CURLE_OK && (code != CURLE_FILESIZE_EXCEEDED || has_file(exchange)))
        return code_failed(exchange, code, err);
    if (next == NULL)
        return has_file(exchange) ? FETCH_DONE : status_failed(exchange, err);
    if (!fetch_url_may_redirect(url, next)) {
        error_set(err, ERR_NETWORK,
            "'%s' is not downloaded: the server redirects to '%s', and only the same host, or "
            "https to https, is followed; name that URL if it is the right one",
            exchange->transfer->url, next);
        return FETCH_REFUSED;
    }
    *ret_next = str_dup(next);
    return FETCH_DONE;
}

static enum fetch_end
exchange_all(struct fetch_exchange *exchange, struct error *err)
{
    CLEANUP(slist_freep) struct curl_slist *headers = NULL;
    FREE_AUTO char *url = str_dup(exchange->transfer->url);
    set_up_request(exchange, &headers);
    for (int i = 0; i <= REDIRECTS_MAX; i++) {
        char *next = NULL;
        enum fetch_end end = exchange_once(exchange, url, &next, err);
        if (end != FETCH_DONE || next == NULL)
            return end;
        free(url);
        url = next;
    }
    error_set(err, ERR_NETWORK,
        "'%s' is not downloaded: the server redirects more than %d times; check the URL",
        exchange->transfer->url, REDIRECTS_MAX);
    return FETCH_REFUSED;
}

enum fetch_end
fetch_transfer(const struct fetch_transfer *transfer, char **ret_validator, struct error *err)
{
    struct fetch_exchange exchange = {.transfer = transfer};
    if (interrupt_check(err) < 0 || fetch_url_check_local(transfer->url, err) < 0)
        return err->code == ERR_INTERRUPTED ? FETCH_STOP : FETCH_REFUSED;
    CLEANUP(curl_freep) CURL *easy = fetch_curl_new();
    exchange.easy = easy;
    enum fetch_end end = exchange_all(&exchange, err);
    *ret_validator = read_validator(&exchange);
    return end;
}
