// hosts.c - see hosts.h.
// SPDX-License-Identifier: Apache-2.0
#include "cli/hosts.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"

#include <string.h>

#define HOSTS_FILE "/etc/hosts"
#define HOSTS_MAX (1 << 20)

// Changes line.
static bool
line_knows(char *line, const char *name, const char *address)
{
    line[strcspn(line, "#")] = '\0';
    char *rest = NULL;
    const char *word = strtok_r(line, " \t\r", &rest);
    if (!str_equal(word, address))
        return false;
    while ((word = strtok_r(NULL, " \t\r", &rest)) != NULL)
        if (strcasecmp(word, name) == 0)
            return true;
    return false;
}

bool
hosts_text_knows(const char *text, const char *name, const char *address)
{
    STRV_AUTO struct strv lines = {0};
    strv_split(&lines, text, '\n');
    for (size_t i = 0; i < lines.count; i++)
        if (line_knows(lines.items[i], name, address))
            return true;
    return false;
}

bool
hosts_know(const char *name, const char *address)
{
    FREE_AUTO char *text = NULL;
    ERROR_AUTO struct error ignored = {0};
    if (file_read(HOSTS_FILE, HOSTS_MAX, &text, NULL, &ignored) != 0)
        return false;
    return hosts_text_knows(text, name, address);
}
