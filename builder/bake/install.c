// install.c - apt-get inside the appliance; what it downloads goes to the store, and comes from
// there the next time.
// SPDX-License-Identifier: Apache-2.0
#include "bake/install.h"

#include "bake/apt.h"
#include "base/cleanup.h"
#include "base/digest.h"
#include "base/file.h"

#include <string.h>

#define GUEST_CACHE "/var/cache/airbuild"
#define APT                                                                               \
    "export DEBIAN_FRONTEND=noninteractive LC_ALL=C\n"                                    \
    "apt() { apt-get -q -y -o Acquire::Retries=2 -o Acquire::http::Timeout=20 "           \
    "-o Acquire::Languages=none -o APT::Install-Recommends=false "                        \
    "-o Dpkg::Options::=--force-unsafe-io -o Dpkg::Use-Pty=0 \"$@\" > /tmp/apt.log 2>&1 " \
    "|| { grep '^E: ' /tmp/apt.log >&2 || tail -n 4 /tmp/apt.log >&2; return 1; }; }\n"

enum { UPDATE_MS = 120 * 1000, DOWNLOAD_MS = 600 * 1000, INSTALL_MS = 300 * 1000 };

char *
install_set(const char *base_key, const char *family, const struct strv *packages)
{
    char hex[DIGEST_HEX + 1];
    DIGEST_AUTO struct digest *digest = digest_new();
    digest_add_field(digest, "packages 1");
    digest_add_field(digest, base_key);
    digest_add_field(digest, family);
    for (size_t i = 0; i < packages->count; i++)
        digest_add_field(digest, packages->items[i]);
    digest_hex(digest, hex);
    return str_dup(hex);
}

static bool
is_kept(const struct install *install)
{
    JV_AUTO struct jv *lock = NULL;
    ERROR_AUTO struct error err = {0};
    return store_package_set(install->store, install->set, &lock, &err) == 0;
}

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
download(struct guest *guest, const struct install *install, const char *names, struct error *err)
{
    FREE_AUTO char *command = str_format(APT "apt install --download-only %s\n"
                                             "mkdir -p " GUEST_CACHE "\n"
                                             "mv /var/cache/apt/archives/*.deb " GUEST_CACHE "\n",
        names);
    if (install->offline)
        return error_set(err, ERR_NETWORK,
            "the packages '%s' are not kept in the store; run 'airbuild images' without --offline",
            names);
    guest_step(guest, UPDATE_MS, "asking the mirror");
    if (guest_run(guest, APT "apt update", NULL, err) < 0)
        return name_cause(err);
    guest_step(guest, DOWNLOAD_MS, "downloading %s", names);
    if (guest_run(guest, command, NULL, err) < 0)
        return name_cause(err);
    FREE_AUTO char *folder = path_join(install->folder, "packages");
    if (dir_make(folder, 0700, err) < 0 || guest_copy_out(guest, GUEST_CACHE, folder, err) < 0 ||
        store_keep_packages(install->store, install->set, folder, err) < 0)
        return -1;
    return dir_remove(folder, err);
}

static int
lay(struct guest *guest, const struct install *install, struct error *err)
{
    FREE_AUTO char *folder = path_join(install->folder, "packages");
    guest_step(guest, DOWNLOAD_MS, "laying out kept packages");
    if (dir_make(folder, 0700, err) < 0 ||
        store_lay_packages(install->store, install->set, folder, err) < 0 ||
        guest_copy_in(guest, folder, GUEST_CACHE, err) < 0)
        return -1;
    return dir_remove(folder, err);
}

static int
install_apt(struct guest *guest, const struct install *install, const struct strv *packages,
    struct error *err)
{
    static const char policy[] = "#!/bin/sh\nexit 101\n"; // invoke-rc.d(8): starts nothing
    FREE_AUTO char *names = strv_join(packages, " ");
    if (guest_write(guest, "/usr/sbin/policy-rc.d", 0755, policy, strlen(policy), err) < 0)
        return -1;
    int answer = is_kept(install) && (install->offline || !install->refresh)
                     ? lay(guest, install, err)
                     : download(guest, install, names, err);
    if (answer < 0)
        return -1;
    guest_step(guest, INSTALL_MS, "installing %s", names);
    return guest_run(guest,
        APT "apt install " GUEST_CACHE "/*.deb\nrm -rf " GUEST_CACHE " /tmp/apt.log\n", NULL, err);
}

int
install_packages(struct guest *guest, const struct install *install, const struct strv *packages,
    struct error *err)
{
    if (!str_equal(install->family, "debian"))
        return error_set(err, ERR_SPEC,
            "packages cannot be installed into a base of the family '%s' yet; use a Debian base",
            install->family);
    return install_apt(guest, install, packages, err);
}

static void
add_package(struct jv *list, const char *line)
{
    const char *blank = strchr(line, ' ');
    if (blank == NULL)
        return;
    FREE_AUTO char *name = str_ndup(line, (size_t) (blank - line));
    struct jv *package = jv_object();
    jv_set_string(package, "name", name);
    jv_set_string(package, "version", blank + 1);
    jv_push(list, package);
}

int
install_list(struct guest *guest, const char *family, struct jv **ret, struct error *err)
{
    FREE_AUTO char *text = NULL;
    STRV_AUTO struct strv lines = {0};
    const char *command =
        str_equal(family, "debian") ? "dpkg-query -W -f '${Package} ${Version}\\n'" : "pacman -Q";
    if (guest_run(guest, command, &text, err) < 0)
        return -1;
    strv_split(&lines, text, '\n');
    *ret = jv_array();
    for (size_t i = 0; i < lines.count; i++)
        add_package(*ret, lines.items[i]);
    return 0;
}
