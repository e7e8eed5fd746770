// tail.c - see tail.h. Reads only the last bytes of a log, which can be long.
// SPDX-License-Identifier: Apache-2.0
#include "cluster/tail.h"

#include "base/cleanup.h"
#include "base/console_filter.h"
#include "base/file.h"
#include "cluster/cluster.h"

#include <fcntl.h>
#include <string.h>

#define TAIL_BYTES 16384

char *
tail_read(const struct spec *spec, const char *node, int64_t since)
{
    FREE_AUTO char *path = cluster_node_path(spec, node, "console.log");
    CLOSE_AUTO int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int64_t size = file_size(path);
    if (fd < 0 || size <= since)
        return str_dup("");
    int64_t start = size - TAIL_BYTES > since ? size - TAIL_BYTES : since;
    FREE_AUTO char *data = mem_zero(TAIL_BYTES + 1, 1);
    ssize_t got = pread(fd, data, TAIL_BYTES, start);
    for (ssize_t i = 0; i < got; i++)
        if (data[i] == '\0')
            data[i] = ' ';
    return TAKE(data);
}

// Returns the last occurrence of needle in text, or NULL.
static const char *
find_last(const char *text, const char *needle)
{
    const char *last = NULL;
    for (const char *at = strstr(text, needle); at != NULL; at = strstr(at + 1, needle))
        last = at;
    return last;
}

char *
tail_phase(const char *text, const char *node)
{
    const char *boot = find_last(text, "Linux version"); // the log holds all boots
    text = boot != NULL ? boot : text;
    FREE_AUTO char *mark = str_format("airbuild: %s: ", node);
    const char *step = find_last(text, mark);
    if (step != NULL) {
        step += strlen(mark);
        return str_ndup(step, strcspn(step, "\r\n"));
    }
    if (strstr(text, "cloud-init") != NULL || strstr(text, "ci-info") != NULL)
        return str_dup("cloud-init");
    if (strstr(text, "systemd[1]") != NULL)
        return str_dup("services");
    return str_dup(
        strstr(text, "Linux version") != NULL || strlen(text) > 200 ? "kernel" : "firmware");
}

char *
tail_lines(const char *text, unsigned count)
{
    struct console_filter filter = {0};
    STRV_AUTO struct strv lines = {0}, full = {0};
    BUF_AUTO struct buf clean = {0}, last = {0};
    console_filter_add(&filter, text, strlen(text), &clean);
    strv_split(&lines, clean.length > 0 ? clean.data : "", '\n');
    for (size_t i = 0; i < lines.count; i++)
        if (lines.items[i][strspn(lines.items[i], " \t")] != '\0')
            strv_add(&full, lines.items[i]);
    for (size_t i = full.count > count ? full.count - count : 0; i < full.count; i++)
        buf_printf(&last, "  %s\n", full.items[i]);
    return buf_take(&last);
}
