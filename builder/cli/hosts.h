// hosts.h - the names that this host knows from /etc/hosts; no name server is asked.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLI_HOSTS_H
#define AIRBUILD_CLI_HOSTS_H

#include <stdbool.h>

// /etc/hosts gives that address for name. false too when the file cannot be read.
bool hosts_know(const char *name, const char *address);
// The same, in the text of such a file: hosts(5).
bool hosts_text_knows(const char *text, const char *name, const char *address);

#endif
