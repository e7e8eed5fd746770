// install.c - installs packages in an image, and keeps them as a set in the store.
// SPDX-License-Identifier: Apache-2.0
#include "bake/install.h"

#include "base/cleanup.h"
#include "base/crypto.h"
#include "base/dir.h"
#include "base/file.h"
#include "base/json.h"

#include <string.h>

#define CACHE INSTALL_CACHE "/packages"

enum { LAY_MS = 600 * 1000, LOOK_MS = 60 * 1000 };

char *
install_set(const char *base_key, const struct distro *distro, const struct strv *packages,
    const struct spec_base *from)
{
    char hex[DIGEST_HEX + 1];
    DIGEST_AUTO struct digest *digest = digest_new();
    digest_add_field(digest, "packages 1");
    digest_add_field(digest, base_key);
    digest_add_field(digest, distro->name);
    if (distro->is_dated) {
        digest_add_field(digest, from->mirror);
        digest_add_field(digest, from->snapshot);
    }
    for (size_t i = 0; i < packages->count; i++)
        digest_add_field(digest, packages->items[i]);
    digest_hex(digest, hex);
    return str_dup(hex);
}

bool
install_has_set(const struct bake_job *job)
{
    json_auto_t *lock = NULL;
    ERROR_AUTO struct error err = {0};
    return (job->options->offline || !job->options->refresh) &&
           store_package_set(job->store, job->set, &lock, &err) == 0;
}

int
install_keep(struct guest *guest, struct error *err)
{
    FREE_AUTO char *folder = path_join(guest->job->work, "packages");
    if (dir_make(folder, 0700, err) < 0 || guest_copy_out(guest, CACHE, folder, err) < 0 ||
        store_keep_packages(guest->job->store, guest->job->set, folder, err) < 0)
        return -1;
    return dir_remove(folder, err);
}

int
install_restore(struct guest *guest, struct error *err)
{
    FREE_AUTO char *folder = path_join(guest->job->work, "packages");
    guest_step(guest, LAY_MS, "copying kept packages");
    if (dir_make(folder, 0700, err) < 0 ||
        store_lay_packages(guest->job->store, guest->job->set, folder, err) < 0 ||
        guest_copy_in(guest, folder, CACHE, err) < 0)
        return -1;
    return dir_remove(folder, err);
}

int
install_packages(struct guest *guest, const struct distro *distro, const struct strv *packages,
    struct error *err)
{
    FREE_AUTO char *text = NULL;
    STRV_AUTO struct strv lines = {0}, missing = {0};
    guest_step(guest, LOOK_MS, "checking installed packages");
    if (guest_script(guest, distro->name, "missing", packages, &text, err) < 0)
        return -1;
    strv_split(&lines, text, '\n');
    for (size_t i = 0; i < lines.count; i++)
        if (lines.items[i][0] != '\0')
            strv_add(&missing, lines.items[i]);
    if (missing.count == 0)
        return 0; // those that are there keep their versions
    bool kept = install_has_set(guest->job);
    if (kept || !guest->job->options->offline)
        return distro->install(guest, kept, &missing, err);
    FREE_AUTO char *names = strv_join(&missing, " ");
    return error_set(err, ERR_NETWORK,
        "the packages '%s' are not kept in the store; run 'airbuild images' without --offline",
        names);
}

int
install_list(struct guest *guest, const struct distro *distro, json_t **ret, struct error *err)
{
    FREE_AUTO char *text = NULL;
    STRV_AUTO struct strv lines = {0};
    if (guest_script(guest, distro->name, "list", NULL, &text, err) < 0)
        return -1;
    strv_split(&lines, text, '\n');
    *ret = json_array();
    for (size_t i = 0; i < lines.count; i++) {
        char *blank = strchr(lines.items[i], ' ');
        if (blank == NULL)
            continue;
        *blank = '\0';
        json_array_append_new(*ret, json_pack("{s:o, s:o}", "name", text_to_json(lines.items[i]),
                                        "version", text_to_json(blank + 1)));
    }
    return 0;
}
