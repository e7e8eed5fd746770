// secrets.c - the secrets as a value and as JSON: read with every part checked, written whole.
// It makes no secret: make.c does.
// SPDX-License-Identifier: Apache-2.0
#include "seed/secrets.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/jv.h"
#include "base/str.h"
#include "seed/make.h"

#include <stdlib.h>
#include <string.h>

#define FORMAT 1 // of the file
#define SECRETS_MAX ((size_t) 1 << 20)

#define HEX "0123456789abcdef"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

static const char *const account_names[SECRETS_ACCOUNTS] = {
    [SECRETS_APP] = "app",
    [SECRETS_ADMIN] = "admin",
    [SECRETS_REPLICA] = "replica",
    [SECRETS_SENTINEL] = "sentinel",
    [SECRETS_CHECK] = "check",
    [SECRETS_STATUS] = "status",
};

const char *
secrets_account_name(enum secrets_account account)
{
    return account_names[account];
}

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

static void
free_node(struct secrets_node *node)
{
    free(node->name);
    free(node->instance_id);
    free(node->sentinel_id);
    free_key(&node->host_key);
}

void
secrets_free(struct secrets *secrets)
{
    if (secrets == NULL)
        return;
    for (size_t i = 0; i < SECRETS_ACCOUNTS; i++)
        free(secrets->passwords[i]);
    free_key(&secrets->client_key);
    for (size_t i = 0; i < secrets->node_count; i++)
        free_node(&secrets->nodes[i]);
    free(secrets->nodes);
    free(secrets);
}

void
secrets_freep(struct secrets **secrets)
{
    secrets_free(*secrets);
}

struct secrets_node *
secrets_add_node(struct secrets *secrets)
{
    size_t capacity = secrets->node_count;
    mem_grow(&secrets->nodes, &capacity, secrets->node_count + 1, sizeof *secrets->nodes);
    struct secrets_node *node = &secrets->nodes[secrets->node_count++];
    *node = (struct secrets_node){0};
    return node;
}

// ---- read --------------------------------------------------------------------------------------

// A member that must be a text of these characters; length 0: any length but none. Not NULL in *ret
// on success.
static int
read_text(const struct jv *object, const char *name, const char *characters, size_t length,
    char **ret, struct error *err)
{
    const char *text = jv_get_string(object, name);
    if (text == NULL)
        return error_set(err, ERR_DAMAGED, "'%s' is missing", name);
    size_t good = strspn(text, characters);
    if (text[good] != '\0' || good == 0 || (length != 0 && good != length))
        return error_set(err, ERR_DAMAGED, "'%s' is not what it should be", name);
    *ret = str_dup(text);
    return 0;
}

static int
read_key(const struct jv *object, const char *name, struct secrets_key *ret, struct error *err)
{
    static const char base64[] = LETTERS "0123456789+/=";
    static const char armour[] = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
    FREE_AUTO char *characters = str_format("%s- \n@._", base64);
    const struct jv *key = jv_get(object, name);
    if (read_text(key, "private", characters, 0, &ret->private, err) < 0 ||
        read_text(key, "public", characters, 0, &ret->public, err) < 0)
        return error_context(err, "%s", name);
    if (!str_starts(ret->private, armour) || !str_ends(ret->private, "KEY-----\n"))
        return error_set(err, ERR_DAMAGED, "%s: 'private' is no OpenSSH key", name);
    if (!str_starts(ret->public, "ssh-ed25519 ") || strchr(ret->public, '\n') != NULL)
        return error_set(err, ERR_DAMAGED, "%s: 'public' is no ed25519 key", name);
    return 0;
}

static int
read_node(const struct jv *object, struct secrets *secrets, struct error *err)
{
    const char *name = jv_get_string(object, "name");
    if (name == NULL || name[0] == '\0' || secrets_find(secrets, name) != NULL)
        return error_set(err, ERR_DAMAGED, "a node has no name, or one that another has");
    struct secrets_node *node = secrets_add_node(secrets);
    node->name = str_dup(name);
    node->joins = jv_get_bool(object, "joins", false);
    if (read_text(object, "instance_id", HEX "-", 36, &node->instance_id, err) < 0 ||
        read_text(object, "sentinel_id", HEX, 40, &node->sentinel_id, err) < 0 ||
        read_key(object, "host_key", &node->host_key, err) < 0)
        return error_context(err, "node '%s'", name);
    return 0;
}

static int
read_parts(const struct jv *root, struct secrets *secrets, struct error *err)
{
    if (jv_get_int(root, "format", 0) != FORMAT)
        return error_set(err, ERR_DAMAGED, "'format' is not %d", FORMAT);
    const struct jv *passwords = jv_get(root, "passwords"), *nodes = jv_get(root, "nodes");
    for (size_t i = 0; i < SECRETS_ACCOUNTS; i++)
        if (read_text(passwords, account_names[i], LETTERS "0123456789", SECRETS_PASSWORD_LENGTH,
                &secrets->passwords[i], err) < 0)
            return error_context(err, "passwords");
    if (read_key(root, "client_key", &secrets->client_key, err) < 0)
        return -1;
    for (size_t i = 0; i < jv_count(nodes); i++)
        if (read_node(jv_at(nodes, i), secrets, err) < 0)
            return -1;
    return 0;
}

static char *
secrets_path(const char *folder)
{
    return path_join(folder, "secrets.json");
}

int
secrets_load(const char *folder, struct secrets **ret, struct error *err)
{
    FREE_AUTO char *path = secrets_path(folder);
    JV_AUTO struct jv *root = NULL;
    SECRETS_AUTO struct secrets *secrets = mem_zero(1, sizeof *secrets);
    int answer = jv_read(path, SECRETS_MAX, &root, err);
    if (answer < 0 && err->code != ERR_DAMAGED)
        return -1;
    if (answer == 0)
        answer = read_parts(root, secrets, err);
    if (answer == 0)
        *ret = TAKE(secrets);
    else
        error_set(err, ERR_DAMAGED,
            "the secrets in '%s' are damaged (%s); bring the file back from a copy, or remove the "
            "cluster by 'airbuild destroy' and launch it anew",
            path, err->message);
    return answer;
}

// ---- write -------------------------------------------------------------------------------------

static struct jv *
write_key(const struct secrets_key *key)
{
    struct jv *object = jv_object();
    jv_set_string(object, "private", key->private);
    jv_set_string(object, "public", key->public);
    return object;
}

static struct jv *
secrets_node_json(const struct secrets_node *node)
{
    struct jv *object = jv_object();
    jv_set_string(object, "name", node->name);
    jv_set_string(object, "instance_id", node->instance_id);
    jv_set_string(object, "sentinel_id", node->sentinel_id);
    jv_set_bool(object, "joins", node->joins);
    jv_set(object, "host_key", write_key(&node->host_key));
    return object;
}

int
secrets_store(const struct secrets *secrets, const char *folder, struct error *err)
{
    JV_AUTO struct jv *root = jv_object();
    struct jv *passwords = jv_object(), *nodes = jv_array();
    jv_set_int(root, "format", FORMAT);
    jv_set(root, "passwords", passwords);
    jv_set(root, "client_key", write_key(&secrets->client_key));
    jv_set(root, "nodes", nodes);
    for (size_t i = 0; i < SECRETS_ACCOUNTS; i++)
        jv_set_string(passwords, account_names[i], secrets->passwords[i]);
    for (size_t i = 0; i < secrets->node_count; i++)
        jv_push(nodes, secrets_node_json(&secrets->nodes[i]));
    FREE_AUTO char *path = secrets_path(folder);
    return jv_write(path, 0600, root, err);
}
