// hosts.h - names in /etc/hosts; no name server is queried.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLI_HOSTS_H
#define AIRBUILD_CLI_HOSTS_H

#include <stdbool.h>

// Whether /etc/hosts has that IPv4 address for name; false when the file cannot be read.
bool hosts_know(const char *name, const char *address);

#endif
