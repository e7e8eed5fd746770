// install_apt.c - apt-get inside the appliance; what it downloads goes to the store, and comes from
// there the next time.
// SPDX-License-Identifier: Apache-2.0
#include "bake/apt.h"
#include "bake/install_inside.h"
#include "base/cleanup.h"

#include <string.h>

#define APT                                                                               \
    "export DEBIAN_FRONTEND=noninteractive LC_ALL=C\n"                                    \
    "apt() { apt-get -q -y -o Acquire::Retries=2 -o Acquire::http::Timeout=20 "           \
    "-o Acquire::Languages=none -o APT::Install-Recommends=false "                        \
    "-o Dpkg::Options::=--force-unsafe-io -o Dpkg::Use-Pty=0 \"$@\" > /tmp/apt.log 2>&1 " \
    "|| { grep '^E: ' /tmp/apt.log >&2 || tail -n 4 /tmp/apt.log >&2; return 1; }; }\n"

enum { UPDATE_MS = 120 * 1000, DOWNLOAD_MS = 600 * 1000, INSTALL_MS = 300 * 1000 };

static int
name_cause(struct error *err)
{
    FREE_AUTO char *reason = apt_reason(err->message);
    enum error_code cause = err->code == ERR_FAILED ? apt_cause(err->message) : err->code;
    if (cause == ERR_NETWORK)
        return error_set(err, ERR_NETWORK,
            "the packages cannot be downloaded and none are kept; check the network and the mirror "
            "of the base, then run 'airbuild images' again: %s",
            reason);
    if (cause == ERR_SPEC)
        return error_set(err, ERR_SPEC,
            "the mirror does not have a package of the recipe; check its name: %s", reason);
    err->code = cause;
    return -1;
}

static int
download_apt(
    struct guest *guest, const struct install *install, const char *names, struct error *err)
{
    FREE_AUTO char *command = str_format(APT
        "apt install --download-only %s\n"
        "mkdir -p " INSTALL_CACHE "\n"
        "find /var/cache/apt/archives -name '*.deb' -exec mv -t " INSTALL_CACHE " {} +\n",
        names);
    guest_step(guest, UPDATE_MS, "asking the mirror");
    if (guest_run(guest, APT "apt update", NULL, err) < 0)
        return name_cause(err);
    guest_step(guest, DOWNLOAD_MS, "downloading %s", names);
    if (guest_run(guest, command, NULL, err) < 0)
        return name_cause(err);
    return install_keep(guest, install, INSTALL_CACHE, err);
}

int
install_apt(struct guest *guest, const struct install *install, const struct strv *packages,
    struct error *err)
{
    static const char policy[] = "#!/bin/sh\nexit 101\n"; // invoke-rc.d(8): starts nothing
    FREE_AUTO char *names = strv_join(packages, " ");
    bool kept = install_is_kept(install);
    if (!kept && install->offline)
        return install_offline(packages, err);
    if (guest_write(guest, "/usr/sbin/policy-rc.d", 0755, policy, strlen(policy), err) < 0)
        return -1;
    int answer = kept ? install_lay(guest, install, INSTALL_CACHE, err)
                      : download_apt(guest, install, names, err);
    if (answer < 0)
        return -1;
    guest_step(guest, INSTALL_MS, "installing %s", names);
    return guest_run(guest,
        APT "set -- " INSTALL_CACHE "/*.deb\n"
            "[ ! -e \"$1\" ] || apt install \"$@\"\n"
            "rm -rf " INSTALL_CACHE " /tmp/apt.log\n",
        NULL, err);
}
