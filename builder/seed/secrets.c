// secrets.c - the secrets of a cluster: read and written as JSON, made by libcrypto's generator and
// ssh-keygen, and the files that let `ssh -F FOLDER/ssh/config NODE` log in.
// SPDX-License-Identifier: Apache-2.0
#include "seed/secrets.h"

#include "base/cleanup.h"
#include "base/crypto.h"
#include "base/dir.h"
#include "base/file.h"
#include "base/json.h"
#include "base/proc.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SECRETS_FILE "secrets.json"
#define FORMAT 1                        // of the file
#define SECRETS_MAX ((size_t) 16 << 20) // of a thousand nodes: less than 1 MiB
#define PASSWORD_LENGTH 32
#define KEY_MAX 4096 // bytes of a key file
#define KEYGEN_TIMEOUT_MS 30000
#define SENTINEL_ID_LENGTH 40 // of sentinel's `myid`

#define HEX "0123456789abcdef"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

const char *const secrets_accounts[SECRETS_ACCOUNTS] = {
    [SECRETS_APP] = "app",
    [SECRETS_ADMIN] = "admin",
    [SECRETS_REPLICA] = "replica",
    [SECRETS_SENTINEL] = "sentinel",
    [SECRETS_CHECK] = "check",
    [SECRETS_STATUS] = "status",
};

const struct secrets_node *
secrets_find(const struct secrets *secrets, const char *node)
{
    for (size_t i = 0; i < secrets->node_count; i++)
        if (str_equal(secrets->nodes[i].name, node))
            return &secrets->nodes[i];
    return NULL;
}

static void
free_key(struct secrets_key *key)
{
    free(key->private);
    free(key->public);
}

void
secrets_free(struct secrets *secrets)
{
    if (secrets == NULL)
        return;
    for (size_t i = 0; i < SECRETS_ACCOUNTS; i++)
        free(secrets->passwords[i]);
    free_key(&secrets->client_key);
    for (size_t i = 0; i < secrets->node_count; i++) {
        free(secrets->nodes[i].name);
        free(secrets->nodes[i].instance_id);
        free(secrets->nodes[i].sentinel_id);
        free_key(&secrets->nodes[i].host_key);
    }
    free(secrets->nodes);
    free(secrets);
}

// Pointers to other nodes are invalid afterwards.
static struct secrets_node *
secrets_add_node(struct secrets *secrets, const char *name)
{
    size_t capacity = secrets->node_count;
    mem_grow(&secrets->nodes, &capacity, secrets->node_count + 1, sizeof *secrets->nodes);
    struct secrets_node *node = &secrets->nodes[secrets->node_count++];
    *node = (struct secrets_node){.name = str_dup(name)};
    return node;
}

// ---- read --------------------------------------------------------------------------------------

// A member that must be a text of these characters; length 0: any, but not empty.
static int
read_text(const json_t *object, const char *name, const char *characters, size_t length, char **ret,
    struct error *err)
{
    const char *text = json_string_value(json_object_get(object, name));
    if (text == NULL)
        return error_set(err, ERR_DAMAGED, "'%s' is missing", name);
    size_t good = strspn(text, characters);
    if (text[good] != '\0' || good == 0 || (length != 0 && good != length))
        return error_set(err, ERR_DAMAGED, "'%s' is malformed", name);
    *ret = str_dup(text);
    return 0;
}

static int
read_key(const json_t *object, const char *name, struct secrets_key *ret, struct error *err)
{
    static const char characters[] = LETTERS "0123456789+/=- \n@._"; // base64 and comments
    static const char armour[] = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
    const json_t *key = json_object_get(object, name);
    if (read_text(key, "private", characters, 0, &ret->private, err) < 0 ||
        read_text(key, "public", characters, 0, &ret->public, err) < 0)
        return error_context(err, "%s", name);
    if (!str_starts(ret->private, armour) || !str_ends(ret->private, "KEY-----\n"))
        return error_set(err, ERR_DAMAGED, "%s: 'private' is not an OpenSSH key", name);
    if (!str_starts(ret->public, "ssh-ed25519 ") || strchr(ret->public, '\n') != NULL)
        return error_set(err, ERR_DAMAGED, "%s: 'public' is not an ed25519 key", name);
    return 0;
}

static int
read_parts(const json_t *root, struct secrets *secrets, struct error *err)
{
    if (json_integer_value(json_object_get(root, "format")) != FORMAT)
        return error_set(err, ERR_DAMAGED, "'format' is not %d", FORMAT);
    const json_t *passwords = json_object_get(root, "passwords"),
                 *nodes = json_object_get(root, "nodes");
    for (size_t i = 0; i < SECRETS_ACCOUNTS; i++)
        if (read_text(passwords, secrets_accounts[i], LETTERS "0123456789", PASSWORD_LENGTH,
                &secrets->passwords[i], err) < 0)
            return error_context(err, "passwords");
    if (read_key(root, "client_key", &secrets->client_key, err) < 0)
        return -1;
    for (size_t i = 0; i < json_array_size(nodes); i++) {
        const json_t *object = json_array_get(nodes, i);
        const char *name = json_string_value(json_object_get(object, "name"));
        if (name == NULL || name[0] == '\0' || secrets_find(secrets, name) != NULL)
            return error_set(err, ERR_DAMAGED, "a node has no name or a duplicate one");
        struct secrets_node *node = secrets_add_node(secrets, name);
        node->joins = json_is_true(json_object_get(object, "joins"));
        if (read_text(object, "instance_id", HEX "-", 36, &node->instance_id, err) < 0 ||
            read_text(object, "sentinel_id", HEX, 40, &node->sentinel_id, err) < 0 ||
            read_key(object, "host_key", &node->host_key, err) < 0)
            return error_context(err, "node '%s'", name);
    }
    return 0;
}

int
secrets_load(const char *folder, struct secrets **ret, struct error *err)
{
    FREE_AUTO char *path = path_join(folder, SECRETS_FILE);
    json_auto_t *root = NULL;
    SECRETS_AUTO struct secrets *secrets = mem_zero(1, sizeof *secrets);
    if (read_json_file(path, SECRETS_MAX, &root, err) == 0 && read_parts(root, secrets, err) == 0) {
        *ret = TAKE(secrets);
        return 0;
    }
    if (err->code != ERR_DAMAGED)
        return -1;
    return error_set(err, ERR_DAMAGED,
        "the secrets in '%s' are damaged (%s); restore the file from a backup, or remove the "
        "cluster with 'airbuild destroy' and launch it again",
        path, err->message);
}

// ---- write -------------------------------------------------------------------------------------

static json_t *
write_key(const struct secrets_key *key)
{
    return json_pack(
        "{s:o, s:o}", "private", text_to_json(key->private), "public", text_to_json(key->public));
}

static int
secrets_store(const struct secrets *secrets, const char *folder, struct error *err)
{
    json_t *passwords = json_object(), *nodes = json_array();
    json_auto_t *root = json_pack("{s:i, s:o, s:o, s:o}", "format", FORMAT, "passwords", passwords,
        "client_key", write_key(&secrets->client_key), "nodes", nodes);
    for (size_t i = 0; i < SECRETS_ACCOUNTS; i++)
        json_object_set_new(passwords, secrets_accounts[i], text_to_json(secrets->passwords[i]));
    for (size_t i = 0; i < secrets->node_count; i++) {
        const struct secrets_node *node = &secrets->nodes[i];
        json_array_append_new(nodes,
            json_pack("{s:o, s:o, s:o, s:b, s:o}", "name", text_to_json(node->name), "instance_id",
                text_to_json(node->instance_id), "sentinel_id", text_to_json(node->sentinel_id),
                "joins", node->joins, "host_key", write_key(&node->host_key)));
    }
    FREE_AUTO char *path = path_join(folder, SECRETS_FILE);
    return write_json_file(path, 0600, root, err);
}

// ---- make ---------------------------------------------------------------------------------------

static int
make_key(const char *folder, const char *comment, struct secrets_key *ret, struct error *err)
{
    FREE_AUTO char *temp = NULL;
    if (dir_temp(folder, "key", &temp, err) < 0)
        return -1;
    FREE_AUTO char *private_path = path_join(temp, "key");
    FREE_AUTO char *public_path = path_join(temp, "key.pub");
    // -N "": no passphrase.
    const char *const argv[] = {
        "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", private_path, NULL};
    const struct proc_options options = {.timeout_ms = KEYGEN_TIMEOUT_MS};
    int answer = proc_check(argv, &options, NULL, err);
    if (answer < 0 && err->code == ERR_MISSING)
        error_set(err, ERR_MISSING,
            "ssh-keygen, which makes the SSH keys, is not installed; install the package "
            "'openssh-client' (Debian) or 'openssh' (Arch)");
    else if (answer < 0)
        error_context(err, "cannot make an SSH key");
    else if ((answer = file_read(private_path, KEY_MAX, &ret->private, NULL, err)) == 0 &&
             (answer = file_read(public_path, KEY_MAX, &ret->public, NULL, err)) == 0)
        ret->public[strcspn(ret->public, "\n")] = '\0';
    ERROR_AUTO struct error later = {0}; // only the first error is reported
    return dir_remove(temp, answer < 0 ? &later : err) < 0 ? -1 : answer;
}

// Replaces the key.
static int
renew_key(const char *folder, const char *comment, struct secrets_key *key, struct error *err)
{
    free_key(key);
    *key = (struct secrets_key){0};
    return make_key(folder, comment, key, err);
}

// Replaces the secrets that are no node's.
static int
renew_shared(
    struct secrets *secrets, const char *folder, const struct spec *spec, struct error *err)
{
    FREE_AUTO char *comment = str_format("airbuild@%s", spec->cluster);
    for (size_t i = 0; i < SECRETS_ACCOUNTS; i++) {
        free(secrets->passwords[i]);
        secrets->passwords[i] = random_text(PASSWORD_LENGTH);
    }
    return renew_key(folder, comment, &secrets->client_key, err);
}

int
secrets_renew(
    struct secrets *secrets, const char *folder, const struct spec *spec, struct error *err)
{
    if (renew_shared(secrets, folder, spec, err) < 0)
        return -1;
    for (size_t i = 0; i < secrets->node_count; i++) {
        struct secrets_node *node = &secrets->nodes[i];
        if (renew_key(folder, node->name, &node->host_key, err) < 0)
            return -1;
    }
    return secrets_store(secrets, folder, err);
}

int
secrets_open(const char *folder, const struct spec *spec, struct secrets **ret, struct error *err)
{
    SECRETS_AUTO struct secrets *secrets = NULL;
    if (secrets_load(folder, &secrets, err) < 0) {
        if (err->code != ERR_NOT_FOUND)
            return -1;
        error_clear(err);
        secrets = mem_zero(1, sizeof *secrets);
        if (renew_shared(secrets, folder, spec, err) < 0)
            return -1;
    }
    size_t known = secrets->node_count;
    for (size_t i = 0; i < spec->node_count; i++) {
        const char *name = spec->nodes[i].name;
        if (secrets_find(secrets, name) != NULL)
            continue;
        struct secrets_node *node = secrets_add_node(secrets, name);
        node->instance_id = random_uuid();
        node->sentinel_id = random_hex(SENTINEL_ID_LENGTH);
        if (make_key(folder, name, &node->host_key, err) < 0)
            return -1;
    }
    if (secrets->node_count != known && secrets_store(secrets, folder, err) < 0)
        return -1;
    *ret = TAKE(secrets);
    return 0;
}

int
secrets_new_disk(
    struct secrets *secrets, const char *folder, const char *node, bool joins, struct error *err)
{
    struct secrets_node *own = (struct secrets_node *) secrets_find(secrets, node);
    if (own == NULL)
        return error_set(err, ERR_NOT_FOUND,
            "the cluster's secrets lack node '%s'; run 'airbuild launch' to add it", node);
    free(own->instance_id);
    own->instance_id = random_uuid();
    own->joins = joins;
    return secrets_store(secrets, folder, err);
}

// ---- ssh ----------------------------------------------------------------------------------------

// Publish a file unless one with these bytes and this mode exists.
static int
publish_file(const char *folder, const char *name, mode_t mode, const char *text, struct error *err)
{
    FREE_AUTO char *path = path_join(folder, name), *old = NULL;
    ERROR_AUTO struct error unread = {0};
    size_t length = strlen(text);
    struct stat info;
    if (file_read(path, length, &old, NULL, &unread) == 0 && str_equal(old, text) &&
        lstat(path, &info) == 0 && (info.st_mode & (mode_t) 07777) == mode)
        return 0;
    return file_write(path, mode, text, length, err);
}

// As ssh_config(5) reads it: paths are quoted, percent signs in them doubled. Quotes and dollar
// signs cannot be escaped.
static int
make_config(const char *folder, const struct spec *spec, char **ret, struct error *err)
{
    if (strpbrk(folder, "\"\\$\n\r") != NULL)
        return error_set(err, ERR_USAGE,
            "ssh's configuration cannot name the folder '%s'; set AIRBUILD_HOME to one without "
            "quotes, backslashes, dollar signs and line breaks",
            folder);
    STRV_AUTO struct strv parts = {0};
    strv_split(&parts, folder, '%');
    FREE_AUTO char *escaped = strv_join(&parts, "%%");
    struct buf text = {0};
    buf_add(&text, "# Made by airbuild at every launch. Use it by: ssh -F this-file NODE\n");
    for (size_t i = 0; i < spec->node_count; i++) {
        const struct spec_node *node = &spec->nodes[i];
        buf_printf(&text,
            "Host %s %s\n"
            "    HostName %s\n"
            "    User %s\n"
            "    IdentityFile \"%s/id_ed25519\"\n"
            "    UserKnownHostsFile \"%s/known_hosts\"\n"
            "    GlobalKnownHostsFile /dev/null\n"
            "    IdentitiesOnly yes\n"
            "    StrictHostKeyChecking yes\n"
            "    HostKeyAlgorithms ssh-ed25519\n"
            "    PreferredAuthentications publickey\n"
            "    ConnectTimeout 10\n",
            node->name, node->address, node->address, spec->ssh_user, escaped, escaped);
    }
    *ret = buf_take(&text);
    return 0;
}

int
secrets_write_ssh(
    const struct secrets *secrets, const char *folder, const struct spec *spec, struct error *err)
{
    FREE_AUTO char *ssh = path_join(folder, "ssh"), *config = NULL;
    FREE_AUTO char *public = str_format("%s\n", secrets->client_key.public);
    BUF_AUTO struct buf hosts = {0};
    buf_add(&hosts, ""); // a text even without nodes
    // Every node by name and address, so that ssh finds its key by either.
    for (size_t i = 0; i < spec->node_count; i++) {
        const struct spec_node *node = &spec->nodes[i];
        const struct secrets_node *own = secrets_find(secrets, node->name);
        if (own != NULL)
            buf_printf(&hosts, "%s,%s %s\n", node->name, node->address, own->host_key.public);
    }
    if (dir_make(ssh, 0700, err) < 0 || make_config(ssh, spec, &config, err) < 0 ||
        publish_file(ssh, "id_ed25519", 0600, secrets->client_key.private, err) < 0 ||
        publish_file(ssh, "id_ed25519.pub", 0644, public, err) < 0 ||
        publish_file(ssh, "known_hosts", 0644, hosts.data, err) < 0 ||
        publish_file(ssh, "config", 0644, config, err) < 0)
        return error_context(err, "cannot write the files for ssh");
    return 0;
}
