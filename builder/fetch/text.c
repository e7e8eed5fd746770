// fetch.c - small files, kept in memory: digests and signatures.
// SPDX-License-Identifier: Apache-2.0
#include "store/fetch.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "store/download.h"
#include "store/transfer.h"
#include "store/web.h"

#include <string.h>

enum { PAGE_MAX = 1024 * 1024 };
enum { FETCH_MS = 30 * 1000, FETCH_STALL_MS = 10 * 1000 };

static int
restart(void *context, struct error *err)
{
    (void) err;
    buf_free(context);
    return 0;
}

static int
put_bytes(void *context, const void *bytes, size_t length, struct error *err)
{
    (void) err;
    buf_add_bytes(context, bytes, length);
    return 0;
}

static int
fetch(const struct strv *urls, size_t max, bool page, char **ret_data, size_t *ret_length,
    struct error *err)
{
    int64_t end_ms = clock_ms() + FETCH_MS;
    for (size_t i = 0; i < urls->count; i++) {
        BUF_AUTO struct buf buf = {0};
        FREE_AUTO char *validator = NULL;
        struct transfer transfer = {.url = urls->items[i],
            .max = max,
            .page = page,
            .end_ms = end_ms,
            .stall_ms = FETCH_STALL_MS,
            .restart = restart,
            .put = put_bytes,
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
fetch_bytes(
    const struct strv *urls, size_t max, char **ret_data, size_t *ret_length, struct error *err)
{
    return fetch(urls, max, false, ret_data, ret_length, err);
}

int
store_fetch_text(const struct strv *urls, size_t max, char **ret, struct error *err)
{
    size_t length = 0;
    return fetch_bytes(urls, max, ret, &length, err);
}

// ---- folders of servers -------------------------------------------------------------------------

// The last part of what a link leads to: "v1/", "/images/v1" and "https://a.org/images/v1/?x" are
// "v1".
static void
add_link(const char *link, size_t length, struct strv *ret)
{
    FREE_AUTO char *path = str_ndup(link, length);
    path[strcspn(path, "?#")] = '\0';
    for (size_t end = strlen(path); end > 0 && path[end - 1] == '/'; end--)
        path[end - 1] = '\0';
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    if (name[0] != '\0' && name[0] != '.' && !strv_has(ret, name))
        strv_add(ret, name);
}

static void
add_links(const char *page, struct strv *ret)
{
    static const char before[] = "href=";
    for (const char *at = strcasestr(page, before); at != NULL; at = strcasestr(at, before)) {
        at += strlen(before);
        const char *end = *at == '"' || *at == '\'' ? strchr(at + 1, *at) : NULL;
        if (end == NULL)
            continue;
        add_link(at + 1, (size_t) (end - at - 1), ret);
        at = end;
    }
}

int
store_fetch_names(const char *url, struct strv *ret, struct error *err)
{
    STRV_AUTO struct strv urls = {0};
    FREE_AUTO char *page = NULL, *path = web_is_local(url) ? web_path(url) : NULL;
    size_t length = 0;
    if (path != NULL && dir_list(path, ret, err) == 0)
        return 0;
    if (path != NULL) {
        error_clear(err);
        return error_set(
            err, ERR_NETWORK, "'%s' cannot be listed: there is no such folder; check the URL", url);
    }
    strv_add(&urls, url);
    if (fetch(&urls, PAGE_MAX, true, &page, &length, err) < 0)
        return -1;
    add_links(page, ret);
    return 0;
}
