// install.c - packages into an image: by which package manager, and the set that the store keeps.
// SPDX-License-Identifier: Apache-2.0
#include "bake/install.h"

#include "bake/install_inside.h"
#include "base/cleanup.h"
#include "base/digest.h"
#include "base/file.h"

#include <string.h>

enum { LAY_MS = 600 * 1000, LOOK_MS = 60 * 1000 };

char *
install_set(const char *base_key, const char *family, const struct strv *packages,
    const struct spec_base *from)
{
    char hex[DIGEST_HEX + 1];
    DIGEST_AUTO struct digest *digest = digest_new();
    digest_add_field(digest, "packages 1");
    digest_add_field(digest, base_key);
    digest_add_field(digest, family);
    if (str_equal(family, "arch")) {
        digest_add_field(digest, from->mirror);
        digest_add_field(digest, from->snapshot);
    }
    for (size_t i = 0; i < packages->count; i++)
        digest_add_field(digest, packages->items[i]);
    digest_hex(digest, hex);
    return str_dup(hex);
}

bool
install_is_kept(const struct install *install)
{
    JV_AUTO struct jv *lock = NULL;
    ERROR_AUTO struct error err = {0};
    return (install->offline || !install->refresh) &&
           store_package_set(install->store, install->set, &lock, &err) == 0;
}

int
install_offline(const struct strv *packages, struct error *err)
{
    FREE_AUTO char *names = strv_join(packages, " ");
    return error_set(err, ERR_NETWORK,
        "the packages '%s' are not kept in the store; run 'airbuild images' without --offline",
        names);
}

int
install_keep(
    struct guest *guest, const struct install *install, const char *from, struct error *err)
{
    FREE_AUTO char *folder = path_join(install->folder, "packages");
    if (dir_make(folder, 0700, err) < 0 || guest_copy_out(guest, from, folder, err) < 0 ||
        store_keep_packages(install->store, install->set, folder, err) < 0)
        return -1;
    return dir_remove(folder, err);
}

int
install_lay(struct guest *guest, const struct install *install, const char *to, struct error *err)
{
    FREE_AUTO char *folder = path_join(install->folder, "packages");
    guest_step(guest, LAY_MS, "laying out kept packages");
    if (dir_make(folder, 0700, err) < 0 ||
        store_lay_packages(install->store, install->set, folder, err) < 0 ||
        guest_copy_in(guest, folder, to, err) < 0)
        return -1;
    return dir_remove(folder, err);
}

// Those that the image does not have: what it has already stays at the version that it has.
static int
find_missing(struct guest *guest, const char *family, const struct strv *packages, struct strv *ret,
    struct error *err)
{
    FREE_AUTO char *text = NULL;
    FREE_AUTO char *names = strv_join(packages, " ");
    FREE_AUTO char *command =
        str_equal(family, "arch")
            ? str_format("pacman -T %s 2>/dev/null || [ $? = 127 ]", names)
            : str_format("for name in %s; do\n"
                         "    [ \"$(dpkg-query -W -f '${db:Status-Status}' \"$name\" "
                         "2>/dev/null)\" = installed ] || echo \"$name\"\n"
                         "done",
                  names);
    guest_step(guest, LOOK_MS, "looking which packages are there");
    if (guest_run(guest, command, &text, err) < 0)
        return -1;
    STRV_AUTO struct strv lines = {0};
    strv_split(&lines, text, '\n');
    for (size_t i = 0; i < lines.count; i++)
        if (lines.items[i][0] != '\0')
            strv_add(ret, lines.items[i]);
    return 0;
}

int
install_packages(struct guest *guest, const struct install *install, const struct strv *packages,
    struct error *err)
{
    STRV_AUTO struct strv missing = {0};
    if (find_missing(guest, install->family, packages, &missing, err) < 0)
        return -1;
    if (missing.count == 0)
        return 0;
    return str_equal(install->family, "arch") ? install_pacman(guest, install, &missing, err)
                                              : install_apt(guest, install, &missing, err);
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
