// ssh.c - the files that let `ssh -F FOLDER/ssh/config NODE` log in, with every host key known
// beforehand.
// SPDX-License-Identifier: Apache-2.0
#include "seed/secrets.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

// Publish a file unless it is there already, with these bytes and this mode.
static int
publish_file(const char *folder, const char *name, mode_t mode, const char *text, struct error *err)
{
    FREE_AUTO char *path = path_join(folder, name), *old = NULL;
    ERROR_AUTO struct error unread = {0};
    size_t length = strlen(text), old_length = 0;
    struct stat info;
    if (file_read(path, length, &old, &old_length, &unread) == 0 && old_length == length &&
        memcmp(old, text, length) == 0 && lstat(path, &info) == 0 &&
        (info.st_mode & (mode_t) 07777) == mode)
        return 0;
    return file_write(path, mode, text, length, err);
}

// Every node by name and address, so that both kinds of command find its key.
static char *
known_hosts(const struct secrets *secrets, const struct spec *spec)
{
    struct buf text = {0};
    for (size_t i = 0; i < spec->node_count; i++) {
        const struct spec_node *node = &spec->nodes[i];
        const struct secrets_node *own = secrets_find(secrets, node->name);
        if (own != NULL)
            buf_printf(&text, "%s,%s %s\n", node->name, node->address, own->host_key.public);
    }
    return buf_take(&text);
}

// A path as ssh_config(5) reads it: quoted, percent signs doubled. There is no way to write a quote
// or a dollar sign.
static int
add_path(
    struct buf *text, const char *keyword, const char *folder, const char *name, struct error *err)
{
    FREE_AUTO char *path = path_join(folder, name);
    if (strpbrk(path, "\"\\$\n\r") != NULL)
        return error_set(err, ERR_USAGE,
            "ssh's configuration cannot name the folder '%s'; let AIRBUILD_HOME be one without "
            "quotes, backslashes, dollar signs and line breaks",
            folder);
    buf_printf(text, "    %s \"", keyword);
    for (const char *at = path; *at != '\0'; at++)
        buf_add(text, *at == '%' ? "%%" : (char[]){*at, '\0'});
    buf_add(text, "\"\n");
    return 0;
}

static int
add_host(struct buf *text, const char *folder, const struct spec *spec,
    const struct spec_node *node, struct error *err)
{
    buf_printf(text, "Host %s %s\n", node->name, node->address);
    buf_printf(text, "    HostName %s\n", node->address);
    buf_printf(text, "    User %s\n", spec->ssh_user);
    if (add_path(text, "IdentityFile", folder, "id_ed25519", err) < 0 ||
        add_path(text, "UserKnownHostsFile", folder, "known_hosts", err) < 0)
        return -1;
    buf_add(text, "    GlobalKnownHostsFile /dev/null\n"
                  "    IdentitiesOnly yes\n"
                  "    StrictHostKeyChecking yes\n"
                  "    HostKeyAlgorithms ssh-ed25519\n"
                  "    PreferredAuthentications publickey\n"
                  "    ConnectTimeout 10\n");
    return 0;
}

static int
make_config(const char *folder, const struct spec *spec, char **ret, struct error *err)
{
    BUF_AUTO struct buf text = {0};
    buf_add(&text, "# Made by airbuild at every launch. Use it by: ssh -F this-file NODE\n");
    for (size_t i = 0; i < spec->node_count; i++)
        if (add_host(&text, folder, spec, &spec->nodes[i], err) < 0)
            return -1;
    *ret = buf_take(&text);
    return 0;
}

int
secrets_write_ssh(
    const struct secrets *secrets, const char *folder, const struct spec *spec, struct error *err)
{
    FREE_AUTO char *ssh = path_join(folder, "ssh"), *config = NULL;
    FREE_AUTO char *hosts = known_hosts(secrets, spec);
    FREE_AUTO char *public = str_format("%s\n", secrets->client_key.public);
    if (dir_make(ssh, 0700, err) < 0 || make_config(ssh, spec, &config, err) < 0 ||
        publish_file(ssh, "id_ed25519", 0600, secrets->client_key.private, err) < 0 ||
        publish_file(ssh, "id_ed25519.pub", 0644, public, err) < 0 ||
        publish_file(ssh, "known_hosts", 0644, hosts, err) < 0 ||
        publish_file(ssh, "config", 0644, config, err) < 0)
        return error_context(err, "cannot write what ssh needs");
    return 0;
}
