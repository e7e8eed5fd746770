// early.c - see early.h. All texts are those of the rendered user-data: nothing is made twice.
// SPDX-License-Identifier: Apache-2.0
#include "seed/early.h"

#include "base/cleanup.h"
#include "seed/archive.h"
#include "yaml/yaml.h"

#include <stdlib.h>
#include <string.h>

#define NETWORK_FILE "etc/systemd/network/10-cloud-init-eth0.network" // as cloud-init names it

// systemd-networkd waits for udev, and would remove an address that it finds before it adds its
// own. The drop-in also applies to the file that cloud-init writes later.
static const char unmanaged[] = "[Link]\nUnmanaged=yes\n";

static const char *
early_text(const struct yaml_node *map, const char *key)
{
    const struct yaml_node *node = yaml_get(map, key);
    return node != NULL && node->kind == YAML_SCALAR ? node->text : NULL;
}

static const struct yaml_node *
early_list(const struct yaml_node *map, const char *key)
{
    const struct yaml_node *node = yaml_get(map, key);
    return node != NULL && node->kind == YAML_LIST && node->count > 0 ? node : NULL;
}

static int
add_early(
    struct archive *archive, const char *path, mode_t mode, const char *text, struct error *err)
{
    if (text == NULL)
        return error_set(err, ERR_FAILED, "the user-data does not say what is in '/%s'", path);
    return archive_add_file(archive, path, mode, text, strlen(text), err);
}

static int
add_written(struct archive *archive, const struct yaml_node *root, struct error *err)
{
    const struct yaml_node *files = early_list(root, "write_files");
    for (size_t i = 0; files != NULL && i < files->count; i++) {
        const char *path = early_text(files->items[i], "path");
        const char *mode = early_text(files->items[i], "permissions");
        if (path == NULL || path[0] != '/' || mode == NULL)
            return error_set(err, ERR_FAILED, "a file of the user-data has no path or permissions");
        const char *text = early_text(files->items[i], "content");
        if (add_early(archive, path + 1, (mode_t) strtoul(mode, NULL, 8), text, err) < 0)
            return -1;
    }
    return 0;
}

static int
add_login(struct archive *archive, const struct yaml_node *root, struct error *err)
{
    const struct yaml_node *users = early_list(root, "users");
    const struct yaml_node *user = users != NULL ? users->items[0] : NULL;
    const struct yaml_node *keys = early_list(user, "ssh_authorized_keys");
    const char *name = early_text(user, "name"), *sudo = early_text(user, "sudo");
    if (name == NULL || sudo == NULL || keys == NULL)
        return error_set(err, ERR_FAILED, "the user-data has no user with 'sudo' and keys");
    FREE_AUTO char *rule = str_format("%s %s\n", name, sudo);
    BUF_AUTO struct buf login = {0};
    buf_printf(&login, "%s\n", name);
    for (size_t i = 0; i < keys->count; i++)
        buf_printf(&login, "%s\n", keys->items[i]->text);
    return add_early(archive, "etc/sudoers.d/90-airbuild", 0440, rule, err) < 0
               ? -1
               : add_early(archive, "etc/airbuild/login", 0600, login.data, err);
}

static int
add_network(struct archive *archive, const struct seed *seed, struct error *err)
{
    if (add_early(archive, NETWORK_FILE, 0644, seed->network, err) < 0)
        return -1;
    if (seed->link == NULL)
        return 0;
    FREE_AUTO char *link = str_format("%s\n", seed->link);
    return add_early(archive, NETWORK_FILE ".d/link.conf", 0644, unmanaged, err) < 0
               ? -1
               : add_early(archive, "etc/airbuild/link", 0600, link, err);
}

int
early_make(const struct seed *seed, struct buf *ret, struct error *err)
{
    YAML_SOURCE_AUTO struct yaml_source source = {
        .origin = "user-data", .text = seed->user_data, .length = strlen(seed->user_data)};
    YAML_NODE_AUTO struct yaml_node *root = yaml_read(&source);
    ARCHIVE_AUTO struct archive *archive = archive_write_new();
    if (root == NULL)
        return yaml_result(&source, err);
    if (archive == NULL)
        mem_exhausted();
    if (archive_write_set_format_ustar(archive) != ARCHIVE_OK ||
        archive_write_open(archive, ret, NULL, archive_add_bytes, NULL) != ARCHIVE_OK)
        return archive_failed(archive, err);
    const struct yaml_node *keys = yaml_get(root, "ssh_keys");
    if (add_written(archive, root, err) < 0 || add_login(archive, root, err) < 0 ||
        add_early(archive, "etc/ssh/ssh_host_ed25519_key", 0600,
            early_text(keys, "ed25519_private"), err) < 0 ||
        add_early(archive, "etc/ssh/ssh_host_ed25519_key.pub", 0644,
            early_text(keys, "ed25519_public"), err) < 0 ||
        add_network(archive, seed, err) < 0)
        return -1;
    return archive_write_close(archive) == ARCHIVE_OK ? 0 : archive_failed(archive, err);
}
