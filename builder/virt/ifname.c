// ifname.c - names of the nodes' network interfaces on the host. Pure.
// SPDX-License-Identifier: Apache-2.0
#include "virt/xml.h"

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

#define NAME_MAX_BYTES 15 // of an interface's name, IFNAMSIZ less its NUL
#define DIGEST_DIGITS 8

// What would be too long ends in a digest of all of it, after a letter that no number begins with.
static char *
shorten(const char *cluster, const char *whole)
{
    char hex[DIGEST_HEX + 1];
    digest_bytes(whole, strlen(whole), hex);
    int left = NAME_MAX_BYTES - DIGEST_DIGITS - 2;
    return str_format("%.*s_x%.*s", left, cluster, DIGEST_DIGITS, hex);
}

// No cluster's name has a '_', so no other cluster has the same name for a node, and none for its
// bridge, NAME0.
char *
virt_tap_name(const char *cluster, const char *address, unsigned prefix)
{
    struct in_addr in = {0};
    inet_pton(AF_INET, address, &in);
    uint32_t mask = prefix >= 32 ? 0 : UINT32_MAX >> prefix;
    char *name = str_format("%s_%u", cluster, ntohl(in.s_addr) & mask);
    if (strlen(name) <= NAME_MAX_BYTES)
        return name;
    FREE_AUTO char *whole = name;
    return shorten(cluster, whole);
}
