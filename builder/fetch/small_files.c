// small_files.c - downloads into memory: digests, signatures, the pages that list a folder.
// SPDX-License-Identifier: Apache-2.0
#include "base/dir.h"
#include "fetch/fetch.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "fetch/curl.h"
#include "fetch/transfer.h"

#include <string.h>

enum { PAGE_MAX = 1024 * 1024, TEXT_MS = 30 * 1000, TEXT_STALL_S = 10 };

static int
fetch_from_any(const struct strv *urls, size_t max, bool page, struct buf *ret, struct error *err)
{
    int64_t end_ms = clock_ms() + TEXT_MS;
    enum fetch_end end = FETCH_REFUSED;
    for (size_t i = 0; i < urls->count && end != FETCH_DONE && end != FETCH_STOP; i++) {
        struct fetch_transfer transfer = {.url = urls->items[i],
            .text = ret,
            .max = max,
            .page = page,
            .end_ms = end_ms,
            .stall_s = TEXT_STALL_S};
        error_clear(err);
        buf_free(ret);
        end = fetch_transfer(&transfer, err);
    }
    return end == FETCH_DONE ? 0 : -1;
}

int
fetch_text(
    const struct strv *urls, size_t max, char **ret_data, size_t *ret_length, struct error *err)
{
    BUF_AUTO struct buf buf = {0};
    if (fetch_from_any(urls, max, false, &buf, err) < 0)
        return -1;
    if (ret_length != NULL)
        *ret_length = buf.length;
    *ret_data = buf_take(&buf);
    return 0;
}

// ---- folders of servers -------------------------------------------------------------------------

// Adds the last part of each link's path: "v1" for "v1/", "/images/v1" and "https://a.org/v1/?x".
static void
add_links(const char *page, struct strv *ret)
{
    static const char before[] = "href=";
    for (const char *at = strcasestr(page, before); at != NULL; at = strcasestr(at, before)) {
        at += strlen(before);
        const char *end = *at == '"' || *at == '\'' ? strchr(at + 1, *at) : NULL;
        if (end == NULL)
            continue;
        FREE_AUTO char *path = str_ndup(at + 1, (size_t) (end - at - 1));
        at = end;
        path[strcspn(path, "?#")] = '\0';
        for (size_t length = strlen(path); length > 0 && path[length - 1] == '/'; length--)
            path[length - 1] = '\0';
        const char *slash = strrchr(path, '/');
        const char *name = slash == NULL ? path : slash + 1;
        if (name[0] != '\0' && name[0] != '.' && !strv_has(ret, name))
            strv_add(ret, name);
    }
}

int
fetch_names(const char *url, struct strv *ret, struct error *err)
{
    STRV_AUTO struct strv urls = {0};
    BUF_AUTO struct buf page = {0};
    FREE_AUTO char *path = fetch_url_is_local(url) ? fetch_url_path(url) : NULL;
    if (path != NULL && dir_list(path, ret, err) == 0)
        return 0;
    if (path != NULL)
        return error_set(
            err, ERR_NETWORK, "'%s' cannot be listed: there is no such folder; check the URL", url);
    strv_add(&urls, url);
    if (fetch_from_any(&urls, PAGE_MAX, true, &page, err) < 0)
        return -1;
    if (page.data != NULL)
        add_links(page.data, ret);
    return 0;
}
