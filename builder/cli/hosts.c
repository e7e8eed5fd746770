// hosts.c - see hosts.h.
// SPDX-License-Identifier: Apache-2.0
#include "cli/hosts.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stddef.h>
#include <strings.h>

static bool
entry_has(const struct hostent *entry, const char *name, struct in_addr address)
{
    bool named = strcasecmp(entry->h_name, name) == 0;
    for (char **alias = entry->h_aliases; !named && *alias != NULL; alias++)
        named = strcasecmp(*alias, name) == 0;
    return named && entry->h_addrtype == AF_INET &&
           ((const struct in_addr *) (const void *) entry->h_addr_list[0])->s_addr ==
               address.s_addr;
}

bool
hosts_know(const char *name, const char *address)
{
    char line[65536];
    struct hostent entry, *found = NULL;
    struct in_addr wanted;
    int code;
    bool known = false;
    if (inet_pton(AF_INET, address, &wanted) != 1)
        return false;
    sethostent(0);
    while (!known && gethostent_r(&entry, line, sizeof line, &found, &code) == 0 && found != NULL)
        known = entry_has(found, name, wanted);
    endhostent();
    return known;
}
