// transfer.c - one download from one server. libcurl does not follow redirects, as it has no option
// for our rule (fetch_url_may_redirect). Nor does it resume: CURLOPT_RESUME_FROM fails where a
// server redirects, or sends the whole file instead. CURLOPT_RANGE with If-Range handles both.
// SPDX-License-Identifier: Apache-2.0
#include "fetch/transfer.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "fetch/curl.h"

#include <errno.h>
#include <string.h>

enum {
    REDIRECTS_MAX = 5,
    CONNECT_S = 20,
    SLOW_BYTES = 1024,
    VALIDATOR_MAX = 256,
    SHOW_MS = 10 * 1000,
};

struct fetch_request {
    const struct fetch_transfer *transfer;
    CURL *easy;
    char reason[CURL_ERROR_SIZE];
    uint64_t now, total; // bytes of the whole file
    bool begun;          // begin_file was called
    struct error *err;   // set by the callbacks, with
    enum fetch_end end;  // its result
};

DEFINE_FREEP(CURL, curl_easy_cleanup)
DEFINE_FREEP(struct curl_slist, curl_slist_free_all)

// ---- response headers ---------------------------------------------------------------------------

// NULL when there is none; valid until the next request.
static const char *
header_value(const struct fetch_request *request, const char *name)
{
    struct curl_header *header = NULL;
    if (curl_easy_header(request->easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return NULL;
    return header->value;
}

static long
answer_status(const struct fetch_request *request)
{
    long status = 0;
    curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

// Whether the body is the file.
static bool
has_file(const struct fetch_request *request)
{
    long status = answer_status(request);
    return fetch_url_is_local(request->transfer->url) || status == 200 || status == 206;
}

// Returns a strong ETag, else the date of the last change (RFC 9110, 13.1.5), else NULL.
static char *
read_validator(const struct fetch_request *request)
{
    const char *etag = header_value(request, "ETag");
    const char *date = header_value(request, "Last-Modified");
    const char *value = etag != NULL && !str_starts(etag, "W/") ? etag : date;
    bool usable = value != NULL && value[0] != '\0' && strlen(value) <= VALIDATOR_MAX;
    return usable && has_file(request) ? str_dup(value) : NULL;
}

// Detects a web page that is sent in place of a file, such as the sign-in page of a network.
static bool
is_page(const struct fetch_request *request, const char *bytes, size_t length)
{
    static const char *const marks[] = {"<!doctype html", "<html", "<head", "<?xml"};
    const char *type = header_value(request, "Content-Type");
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
error_too_large(const struct fetch_request *request, struct error *err)
{
    FREE_AUTO char *most = str_bytes(request->transfer->max);
    return error_set(err, ERR_SPEC,
        "'%s' is not downloaded: it is larger than the limit of %s; name another file",
        request->transfer->url, most);
}

static int
drop_bytes(const struct fetch_transfer *transfer, struct error *err)
{
    if (ftruncate(transfer->fd, 0) < 0)
        return error_errno(err, errno, "cannot empty '%s'", transfer->path);
    return 0;
}

// Checks the headers and the first bytes of the file.
static int
begin_file(struct fetch_request *request, const char *bytes, size_t length)
{
    const struct fetch_transfer *transfer = request->transfer;
    curl_off_t announced = -1;
    bool resumed = answer_status(request) == 206;
    const char *range = header_value(request, "Content-Range");
    FREE_AUTO char *wanted = str_format("bytes %llu-", (unsigned long long) transfer->from);
    request->begun = true;
    request->end = FETCH_REFUSED;
    if (resumed && (transfer->from == 0 || range == NULL || !str_starts(range, wanted)))
        return error_set(request->err, ERR_NETWORK,
            "'%s' cannot be downloaded: the server sends another range than requested; try again, "
            "or name another mirror",
            transfer->url);
    if (!resumed && !transfer->page && is_page(request, bytes, length))
        return error_set(request->err, ERR_NETWORK,
            "'%s' cannot be downloaded: the server sends a web page instead; open it in a browser "
            "to see whether this network asks for a sign-in, or check the URL",
            transfer->url);
    request->now = resumed ? transfer->from : 0;
    curl_easy_getinfo(request->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
    request->total = announced < 0 ? 0 : request->now + (uint64_t) announced;
    request->end = FETCH_STOP;
    if (!resumed && transfer->from > 0)
        return drop_bytes(transfer, request->err);
    return 0;
}

static size_t
on_data(char *bytes, size_t size, size_t count, void *context)
{
    struct fetch_request *request = context;
    const struct fetch_transfer *transfer = request->transfer;
    size_t length = size * count;
    if (!has_file(request))
        return length;
    if (!request->begun && begin_file(request, bytes, length) < 0)
        return 0;
    request->now += length;
    request->end = FETCH_REFUSED;
    if (request->now > transfer->max) {
        error_too_large(request, request->err);
        return 0;
    }
    request->end = FETCH_STOP;
    if (transfer->text != NULL)
        buf_add_bytes(transfer->text, bytes, length);
    else if (file_write_all(transfer->fd, bytes, length) < 0) {
        error_errno(request->err, errno, "cannot write '%s'", transfer->path);
        return 0;
    }
    return length;
}

// Called about once a second, and whenever bytes come. Reports bytes, total and rate; a line only
// every SHOW_MS, for plain logs.
static int
on_progress(void *context, curl_off_t total, curl_off_t now, curl_off_t up, curl_off_t up_now)
{
    const struct fetch_request *request = context;
    const struct fetch_transfer *transfer = request->transfer;
    int64_t time = clock_ms();
    (void) total, (void) now, (void) up, (void) up_now;
    if (interrupt_pending() || clock_left(transfer->end_ms) == 0)
        return 1;
    if (transfer->shown_ms == NULL || !request->begun)
        return 0;
    if (request->total > 0)
        progress_part(
            transfer->progress, transfer->task, (double) request->now / (double) request->total);
    if (*transfer->shown_ms != 0 && time - *transfer->shown_ms < SHOW_MS &&
        request->now != request->total)
        return 0;
    *transfer->shown_ms = time;
    curl_off_t rate = 0;
    curl_easy_getinfo(request->easy, CURLINFO_SPEED_DOWNLOAD_T, &rate);
    FREE_AUTO char *now_text = str_bytes(request->now), *total_text = str_bytes(request->total);
    FREE_AUTO char *rate_text = str_bytes((uint64_t) rate);
    progress_step(transfer->progress, transfer->task, "downloading: %s%s%s, %s/s", now_text,
        request->total > 0 ? " of " : "", request->total > 0 ? total_text : "", rate_text);
    return 0;
}

// ---- request ------------------------------------------------------------------------------------

static void
set_up_request(struct fetch_request *request, struct curl_slist **headers)
{
    const struct fetch_transfer *transfer = request->transfer;
    CURL *easy = request->easy;
    int64_t connect_s = transfer->stall_s < CONNECT_S ? transfer->stall_s : CONNECT_S;
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, request->reason);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long) connect_s);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, (long) SLOW_BYTES);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long) transfer->stall_s);
    // Before curl 8.4 this checks only Content-Length; on_data checks the rest.
    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t) transfer->max);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, request);
    if (transfer->from == 0)
        return;
    FREE_AUTO char *range = str_format("%llu-", (unsigned long long) transfer->from);
    FREE_AUTO char *condition = str_format("If-Range: %s", *transfer->validator);
    *headers = curl_slist_append(NULL, condition);
    curl_easy_setopt(easy, CURLOPT_RANGE, range);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, *headers);
}

static enum fetch_end
status_failed(const struct fetch_request *request, struct error *err)
{
    const struct fetch_transfer *transfer = request->transfer;
    long status = answer_status(request);
    // Range not satisfiable: we have more bytes than the file.
    if (status == 416 && transfer->from > 0) {
        if (drop_bytes(transfer, err) < 0)
            return FETCH_STOP;
        error_set(err, ERR_NETWORK, "'%s' cannot be resumed; try again", transfer->url);
        return FETCH_AGAIN;
    }
    error_set(err, ERR_NETWORK,
        "'%s' cannot be downloaded: the server answers with status %ld; check the URL, or name "
        "another mirror",
        transfer->url, status);
    return status >= 500 || status == 429 || status == 408 ? FETCH_AGAIN : FETCH_REFUSED;
}

static enum fetch_end
code_failed(struct fetch_request *request, CURLcode code, struct error *err)
{
    const struct fetch_transfer *transfer = request->transfer;
    unsigned long long now = request->now, total = request->total;
    curl_off_t ready_us = 0; // 0 while connecting, so that the server does not stall
    curl_easy_getinfo(request->easy, CURLINFO_PRETRANSFER_TIME_T, &ready_us);
    if (code == CURLE_ABORTED_BY_CALLBACK) {
        if (interrupt_check(err) == 0)
            error_set(err, ERR_TIMEOUT, "'%s' was not downloaded in time; try again to resume it",
                transfer->url);
        return FETCH_STOP;
    }
    if (code == CURLE_FILESIZE_EXCEEDED)
        error_too_large(request, err);
    else if (code == CURLE_OPERATION_TIMEDOUT && ready_us > 0)
        error_set(err, ERR_NETWORK,
            "'%s' cannot be downloaded: the server stalls after %llu bytes; try again later, or "
            "name another mirror",
            transfer->url, now);
    else if (code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR)
        error_set(err, ERR_NETWORK,
            "'%s' cannot be downloaded: the server closed the connection after %llu of %llu bytes; "
            "try again later, or name another mirror",
            transfer->url, now, total);
    else
        error_set(err, ERR_NETWORK,
            "'%s' cannot be downloaded: %s; check the network, the URL and the proxy that "
            "https_proxy names",
            transfer->url, request->reason[0] != '\0' ? request->reason : curl_easy_strerror(code));
    bool lasting = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
                   code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT ||
                   code == CURLE_FILE_COULDNT_READ_FILE || code == CURLE_FILESIZE_EXCEEDED;
    return lasting ? FETCH_REFUSED : FETCH_AGAIN;
}

// *ret_next: the URL of a redirect that is to be followed; caller frees.
static enum fetch_end
follow_once(struct fetch_request *request, const char *url, char **ret_next, struct error *err)
{
    char *next = NULL;
    curl_easy_setopt(request->easy, CURLOPT_URL, url);
    CURLcode code = curl_easy_perform(request->easy);
    curl_easy_getinfo(request->easy, CURLINFO_REDIRECT_URL, &next);
    // on_data is not called for an empty file.
    if (code == CURLE_OK && has_file(request) && !request->begun)
        (void) begin_file(request, "", 0);
    if (err->code != ERR_NONE)
        return request->end;
    if (code != CURLE_OK && (code != CURLE_FILESIZE_EXCEEDED || has_file(request)))
        return code_failed(request, code, err);
    if (next == NULL)
        return has_file(request) ? FETCH_DONE : status_failed(request, err);
    if (!fetch_url_may_redirect(url, next)) {
        error_set(err, ERR_NETWORK,
            "'%s' is not downloaded: the server redirects to '%s', and only redirects to the same "
            "host, or from https to https, are followed; name that URL if it is the right one",
            request->transfer->url, next);
        return FETCH_REFUSED;
    }
    *ret_next = str_dup(next);
    return FETCH_DONE;
}

enum fetch_end
fetch_transfer(const struct fetch_transfer *transfer, struct error *err)
{
    struct fetch_request request = {.transfer = transfer, .err = err};
    if (interrupt_check(err) < 0 || fetch_url_check_local(transfer->url, err) < 0)
        return err->code == ERR_INTERRUPTED ? FETCH_STOP : FETCH_REFUSED;
    CLEANUP(curl_easy_cleanupp) CURL *easy = fetch_curl_new();
    CLEANUP(curl_slist_free_allp) struct curl_slist *headers = NULL;
    FREE_AUTO char *url = str_dup(transfer->url);
    enum fetch_end end = FETCH_DONE;
    request.easy = easy;
    set_up_request(&request, &headers);
    for (int redirects = 0; end == FETCH_DONE && url != NULL; redirects++) {
        FREE_AUTO char *from = TAKE(url);
        if (redirects <= REDIRECTS_MAX) {
            end = follow_once(&request, from, &url, err);
        } else {
            end = FETCH_REFUSED;
            error_set(err, ERR_NETWORK,
                "'%s' is not downloaded: the server redirects more than %d times; check the URL",
                transfer->url, REDIRECTS_MAX);
        }
    }
    char *validator = transfer->validator == NULL ? NULL : read_validator(&request);
    if (validator != NULL) {
        free(*transfer->validator);
        *transfer->validator = validator;
    }
    return end;
}
