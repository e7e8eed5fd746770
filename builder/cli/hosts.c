// hosts.c - see hosts.h.
// SPDX-License-Identifier: Apache-2.0
#include "cli/hosts.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

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
    while (!known && gethostent_r(&entry, line, sizeof line, &found, &code) == 0 && found != NULL) {
        bool named = strcasecmp(found->h_name, name) == 0;
        for (char **alias = found->h_aliases; !named && *alias != NULL; alias++)
            named = strcasecmp(*alias, name) == 0;
        known = named && found->h_addrtype == AF_INET &&
                memcmp(found->h_addr_list[0], &wanted, sizeof wanted) == 0;
    }
    endhostent();
    return known;
}
