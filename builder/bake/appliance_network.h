// appliance_network.h - inside bake/ only: how the appliance reaches the network that this host
// reaches. Pure but for the environment.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_APPLIANCE_NETWORK_H
#define AIRBUILD_BAKE_APPLIANCE_NETWORK_H

// This host's loopback as the appliance sees it: libguestfs (lib/launch-direct.c) gives QEMU's user
// network the addresses 169.254.0.0/16, of which the second is the host (qemu(1), `-netdev user`).
#define APPLIANCE_HOST "169.254.2.2"

// A URL, or a proxy's HOST:PORT, for the appliance: the loopback becomes APPLIANCE_HOST, all else
// stays as it is. Caller frees.
char *appliance_url(const char *url);

// The proxies of this process's environment as lines of a shell; "" when there are none. Those
// variables count that curl heeds (curl(1), "ENVIRONMENT"): HTTP_PROXY is none of them.
// APPLIANCE_HOST is asked without a proxy. Caller frees; a proxy's password may be in it.
char *appliance_proxies(void);

#endif
