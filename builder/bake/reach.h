// reach.h - inside bake/ only: how the appliance reaches the network that this host reaches. Pure
// but for the environment.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_REACH_H
#define AIRBUILD_BAKE_REACH_H

// This host's loopback as the appliance sees it: libguestfs (lib/launch-direct.c) gives QEMU's user
// network the addresses 169.254.0.0/16, of which the second is the host (qemu(1), `-netdev user`).
#define REACH_HOST "169.254.2.2"

// A URL, or a proxy's HOST:PORT, for the appliance: the loopback becomes REACH_HOST, all else stays
// as it is. Caller frees.
char *reach_url(const char *url);

// The proxies of this process's environment as lines of a shell; "" when there are none. Those
// variables count that curl heeds (curl(1), "ENVIRONMENT"): HTTP_PROXY is none of them. REACH_HOST
// is asked without a proxy. Caller frees; a proxy's password may be in it.
char *reach_proxies(void);

#endif
