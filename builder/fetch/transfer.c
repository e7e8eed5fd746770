// transfer.c - one request to one server. Redirects are followed here, not by libcurl, since where
// they may lead is ours to say.
// SPDX-License-Identifier: Apache-2.0
#include "store/transfer.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "store/reply.h"
#include "store/web.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>

enum { REDIRECTS_MAX = 5, CONNECT_MS = 20 * 1000, SLOW_BYTES = 1024 };

struct request {
    const struct transfer *transfer;
    CURL *easy;
    struct reply reply;
    char reason[CURL_ERROR_SIZE];
    uint64_t now; // bytes of the whole file
    bool begun, looked, stalled;
    int64_t window_ms; // since when so many bytes are looked at, to see whether it stalls
    uint64_t window_bytes;
    enum transfer_end end; // of what the callbacks found
    struct error error;
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

static int
refuse_body(struct request *request, enum transfer_end end)
{
    request->end = end;
    return -1;
}

// ---- callbacks ----------------------------------------------------------------------------------

static size_t
on_header(char *line, size_t size, size_t count, void *context)
{
    struct request *request = context;
    reply_header(&request->reply, line, size * count);
    return size * count;
}

// The first bytes: is this what was asked for?
static int
begin_body(struct request *request)
{
    const struct transfer *transfer = request->transfer;
    curl_off_t length = -1;
    request->begun = true;
    bool resumed = request->reply.status == 206;
    curl_easy_getinfo(request->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (resumed && (transfer->from == 0 || request->reply.range_start != transfer->from)) {
        error_set(&request->error, ERR_NETWORK,
            "'%s' cannot be downloaded: the server sends another part of it than it was asked "
            "for; try it again, or name another mirror",
            transfer->url);
        return refuse_body(request, TRANSFER_REFUSED);
    }
    if (!resumed && transfer->from > 0 && transfer->restart(transfer->context, &request->error) < 0)
        return refuse_body(request, TRANSFER_STOP);
    request->now = request->window_bytes = resumed ? transfer->from : 0;
    request->reply.total = length < 0 ? 0 : request->now + (uint64_t) length;
    if (request->reply.total <= transfer->max)
        return 0;
    FREE_AUTO char *bytes = str_bytes(request->reply.total), *most = str_bytes(transfer->max);
    error_set(&request->error, ERR_SPEC,
        "'%s' is not downloaded: the server says that it has %s, and %s are the most; name another "
        "file",
        transfer->url, bytes, most);
    return refuse_body(request, TRANSFER_REFUSED);
}

// A web page instead of a file: a sign-in page of the network, or an error told politely.
static int
look_at(struct request *request, const char *bytes, size_t length)
{
    request->looked = true;
    if (request->transfer->page || (!request->reply.html && !web_is_page(bytes, length)))
        return 0;
    error_set(&request->error, ERR_NETWORK,
        "'%s' cannot be downloaded: the server sends a web page instead; open it in a browser to "
        "see whether this network asks for a sign-in, or check the URL",
        request->transfer->url);
    return refuse_body(request, TRANSFER_REFUSED);
}

static size_t
on_data(char *bytes, size_t size, size_t count, void *context)
{
    struct request *request = context;
    const struct transfer *transfer = request->transfer;
    size_t length = size * count;
    if (!reply_is_file(&request->reply, transfer->url))
        return length;
    if (!request->begun && begin_body(request) < 0)
        return 0;
    if (!request->looked && request->now == 0 && look_at(request, bytes, length) < 0)
        return 0;
    request->now += length;
    if (request->now > transfer->max) {
        FREE_AUTO char *most = str_bytes(transfer->max);
        error_set(&request->error, ERR_SPEC,
            "'%s' is not downloaded: it has more than %s, which is the most; name another file",
            transfer->url, most);
        request->end = TRANSFER_REFUSED;
        return 0;
    }
    if (transfer->put(transfer->context, bytes, length, &request->error) == 0)
        return length;
    request->end = TRANSFER_STOP;
    return 0;
}

// Fewer than SLOW_BYTES a second came in the last stall_ms.
static bool
is_stalled(struct request *request)
{
    int64_t stall_ms = request->transfer->stall_ms, time = clock_ms();
    if (time - request->window_ms < stall_ms)
        return false;
    uint64_t least = (uint64_t) stall_ms * SLOW_BYTES / 1000;
    request->stalled = request->now < request->window_bytes + least;
    request->window_ms = time;
    request->window_bytes = request->now;
    return request->stalled;
}

// Called about once a second, and whenever bytes come.
static int
on_progress(void *context, curl_off_t total, curl_off_t now, curl_off_t up, curl_off_t up_now)
{
    struct request *request = context;
    const struct transfer *transfer = request->transfer;
    (void) total, (void) now, (void) up, (void) up_now;
    if (interrupt_pending() || clock_left(transfer->end_ms) == 0) {
        request->end = TRANSFER_STOP;
        return 1;
    }
    if (is_stalled(request))
        return 1;
    if (transfer->told != NULL && request->begun)
        transfer->told->tell(transfer->told->context, request->now, request->reply.total);
    return 0;
}

// ---- request ------------------------------------------------------------------------------------

static void
set_up(struct request *request, const char *url, struct curl_slist **headers)
{
    const struct transfer *transfer = request->transfer;
    CURL *easy = request->easy;
    web_set_common(easy, url);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, request->reason);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long) CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, request);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, request);
    if (transfer->from == 0 || web_is_local(url))
        return;
    FREE_AUTO char *range = str_format("Range: bytes=%llu-", (unsigned long long) transfer->from);
    FREE_AUTO char *condition = str_format("If-Range: %s", transfer->validator);
    *headers = curl_slist_append(*headers, range);
    *headers = curl_slist_append(*headers, condition);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, *headers);
}

static enum transfer_end
transfer_failed(struct request *request, CURLcode code, struct error *err)
{
    const struct transfer *transfer = request->transfer;
    if (request->error.code != ERR_NONE) {
        *err = request->error;
        request->error = (struct error){0};
        return request->end;
    }
    if (request->end == TRANSFER_STOP) {
        if (interrupt_check(err) == 0)
            error_set(err, ERR_TIMEOUT,
                "'%s' was not downloaded in time; try it again, it goes on where it was",
                transfer->url);
        return TRANSFER_STOP;
    }
    if (request->stalled)
        error_set(err, ERR_NETWORK,
            "'%s' cannot be downloaded: the server stalls after %llu bytes; try it again later, or "
            "name another mirror",
            transfer->url, (unsigned long long) request->now);
    else if (code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR)
        error_set(err, ERR_NETWORK,
            "'%s' cannot be downloaded: the server ended it after %llu of %llu bytes; try it again "
            "later, or name another mirror",
            transfer->url, (unsigned long long) request->now,
            (unsigned long long) request->reply.total);
    else
        error_set(err, ERR_NETWORK,
            "'%s' cannot be downloaded: %s; check the network, the URL and the proxy that "
            "https_proxy names",
            transfer->url, request->reason[0] != '\0' ? request->reason : curl_easy_strerror(code));
    return web_is_lasting(code) ? TRANSFER_REFUSED : TRANSFER_AGAIN;
}

// A range that is not to be had means that the bytes which are there are too many.
static enum transfer_end
judge_status(struct request *request, struct error *err)
{
    const struct transfer *transfer = request->transfer;
    long status = request->reply.status;
    if (reply_is_file(&request->reply, transfer->url)) {
        if (request->begun || begin_body(request) == 0)
            return TRANSFER_DONE;
        return transfer_failed(request, CURLE_OK, err);
    }
    if (status == 416 && transfer->from > 0) {
        if (transfer->restart(transfer->context, err) < 0)
            return TRANSFER_STOP;
        error_set(err, ERR_NETWORK, "'%s' cannot be resumed; try it again", transfer->url);
        return TRANSFER_AGAIN;
    }
    error_set(err, ERR_NETWORK,
        "'%s' cannot be downloaded: the server answers with status %ld; check the URL, or name "
        "another mirror",
        transfer->url, status);
    return status >= 500 || status == 429 || status == 408 ? TRANSFER_AGAIN : TRANSFER_REFUSED;
}

// One answer; ret_next: where it redirects to.
static enum transfer_end
request_once(struct request *request, const char *url, char **ret_next, struct error *err)
{
    CLEANUP(slist_freep) struct curl_slist *headers = NULL;
    char *next = NULL;
    reply_clear(&request->reply);
    request->window_ms = clock_ms();
    set_up(request, url, &headers);
    CURLcode code = curl_easy_perform(request->easy);
    if (code != CURLE_OK)
        return transfer_failed(request, code, err);
    curl_easy_getinfo(request->easy, CURLINFO_REDIRECT_URL, &next);
    if (next == NULL)
        return judge_status(request, err);
    if (!web_may_redirect(url, next)) {
        error_set(err, ERR_NETWORK,
            "'%s' is not downloaded: the server redirects to '%s', and only the same host, or "
            "https to https, is followed; name that URL if it is the right one",
            request->transfer->url, next);
        return TRANSFER_REFUSED;
    }
    *ret_next = str_dup(next);
    return TRANSFER_DONE;
}

static enum transfer_end
run_transfer(struct request *request, struct error *err)
{
    FREE_AUTO char *url = str_dup(request->transfer->url);
    for (int i = 0; i <= REDIRECTS_MAX; i++) {
        char *next = NULL;
        enum transfer_end end = request_once(request, url, &next, err);
        if (end != TRANSFER_DONE || next == NULL)
            return end;
        free(url);
        url = next;
    }
    error_set(err, ERR_NETWORK,
        "'%s' is not downloaded: the server redirects more than %d times; check the URL",
        request->transfer->url, REDIRECTS_MAX);
    return TRANSFER_REFUSED;
}

enum transfer_end
transfer_run(const struct transfer *transfer, char **ret_validator, struct error *err)
{
    struct request request = {.transfer = transfer, .end = TRANSFER_AGAIN};
    if (interrupt_check(err) < 0 || web_check_local(transfer->url, err) < 0)
        return err->code == ERR_INTERRUPTED ? TRANSFER_STOP : TRANSFER_REFUSED;
    CLEANUP(curl_freep) CURL *easy = web_new();
    request.easy = easy;
    enum transfer_end end = run_transfer(&request, err);
    *ret_validator = TAKE(request.reply.validator);
    reply_clear(&request.reply);
    error_clear(&request.error);
    return end;
}
