// appliance_network.h - inside bake/ only: this host's addresses and proxies, translated for the
// appliance. Pure but for the environment.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_APPLIANCE_NETWORK_H
#define AIRBUILD_BAKE_APPLIANCE_NETWORK_H

// This host's loopback in the appliance: libguestfs (lib/launch-direct.c) gives QEMU's user
// network the addresses 169.254.0.0/16, of which the second is the host (qemu(1), `-netdev user`).
#define APPLIANCE_HOST "169.254.2.2"

// Returns a URL, or a proxy's HOST:PORT, with the loopback replaced by APPLIANCE_HOST; caller
// frees.
char *appliance_url(const char *url);

// Returns the proxies of this process's environment as lines of a shell; "" when there are none. It
// uses the variables that curl uses (curl(1), "ENVIRONMENT"), so not HTTP_PROXY. APPLIANCE_HOST is
// reached without a proxy. Caller frees; the text may contain a proxy's password.
char *appliance_proxies(void);

#endif
