// fetch.c - small files, kept in memory: digests and signatures.
// SPDX-License-Identifier: Apache-2.0
#include "store/fetch.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "store/download.h"
#include "store/transfer.h"

enum { FETCH_MS = 30 * 1000, FETCH_STALL_MS = 10 * 1000 };

static int
restart(void *context, struct error *err)
{
    (void) err;
    buf_free(context);
    return 0;
}

static int
put(void *context, const void *bytes, size_t length, struct error *err)
{
    (void) err;
    buf_add_bytes(context, bytes, length);
    return 0;
}

int
fetch_bytes(
    const struct strv *urls, size_t max, char **ret_data, size_t *ret_length, struct error *err)
{
    int64_t end_ms = clock_ms() + FETCH_MS;
    for (size_t i = 0; i < urls->count; i++) {
        BUF_AUTO struct buf buf = {0};
        FREE_AUTO char *validator = NULL;
        struct transfer transfer = {.url = urls->items[i],
            .max = max,
            .end_ms = end_ms,
            .stall_ms = FETCH_STALL_MS,
            .restart = restart,
            .put = put,
            .context = &buf};
        error_clear(err);
        enum transfer_end end = transfer_run(&transfer, &validator, err);
        if (end == TRANSFER_STOP)
            return -1;
        if (end != TRANSFER_DONE)
            continue;
        *ret_length = buf.length;
        *ret_data = buf_take(&buf);
        return 0;
    }
    return -1;
}

int
store_fetch_text(const struct strv *urls, size_t max, char **ret, struct error *err)
{
    size_t length = 0;
    return fetch_bytes(urls, max, ret, &length, err);
}
