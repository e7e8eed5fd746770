// appliance_network.c - translates this host's addresses and proxies for the appliance.
// SPDX-License-Identifier: Apache-2.0
#include "bake/appliance_network.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool
is_loopback(const char *host, size_t length)
{
    static const char *const names[] = {"localhost", "localhost.", "[::1]"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == length && strncasecmp(host, names[i], length) == 0)
            return true;
    return str_starts(host, "127.") && strspn(host, "0123456789.") == length;
}

// RFC 3986, section 3.2: [SCHEME://][USER@]HOST[:PORT][/...].
char *
appliance_url(const char *url)
{
    const char *scheme = strstr(url, "://");
    const char *host = scheme == NULL ? url : scheme + strlen("://");
    const char *end = host + strcspn(host, "/?#");
    for (const char *at = host; at < end; at++)
        if (*at == '@')
            host = at + 1;
    size_t length = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/?#");
    if (!is_loopback(host, length))
        return str_dup(url);
    return str_format("%.*s" APPLIANCE_HOST "%s", (int) (host - url), url, host + length);
}

static const char *
variable(const char *name)
{
    const char *value = getenv(name);
    return value == NULL || value[0] == '\0' ? NULL : value;
}

static void
add_export(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, "export %s=", name);
    buf_add_word(out, value);
    buf_add(out, "\n");
}

char *
appliance_proxies(void)
{
    static const char *const names[] = {
        "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    BUF_AUTO struct buf out = {0};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = variable(names[i]);
        if (value == NULL)
            continue;
        FREE_AUTO char *proxy = appliance_url(value);
        add_export(&out, names[i], proxy);
    }
    if (out.length == 0)
        return buf_take(&out);
    const char *lower = variable("no_proxy"), *hosts = lower != NULL ? lower : variable("NO_PROXY");
    // A star alone means every host; it cannot be combined with other names.
    FREE_AUTO char *list = hosts == NULL           ? str_dup(APPLIANCE_HOST)
                           : str_equal(hosts, "*") ? str_dup(hosts)
                                                   : str_format("%s," APPLIANCE_HOST, hosts);
    add_export(&out, "no_proxy", list);
    return buf_take(&out);
}
