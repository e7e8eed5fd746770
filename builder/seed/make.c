// make.c - new secrets: passwords and ids from libcrypto's generator, SSH keys by ssh-keygen. What
// is there is kept.
// SPDX-License-Identifier: Apache-2.0
#include "seed/make.h"

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/proc.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

#define KEY_MAX 4096 // bytes of a key file
#define KEYGEN_TIMEOUT_MS 30000
#define SENTINEL_ID_LENGTH 40 // sentinel's `myid`, as it writes it itself

static int
run_keygen(const char *path, const char *comment, struct error *err)
{
    // -N "": no passphrase. The key itself only ever is in the file.
    const char *const argv[] = {
        "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path, NULL};
    const struct proc_options options = {.timeout_ms = KEYGEN_TIMEOUT_MS};
    if (proc_check(argv, &options, NULL, err) == 0)
        return 0;
    if (err->code == ERR_MISSING)
        return error_set(err, ERR_MISSING,
            "there is no ssh-keygen to make SSH keys with; install the package 'openssh-client' "
            "(Debian) or 'openssh' (Arch)");
    return error_context(err, "cannot make an SSH key");
}

// folder: a private one, where nothing else is called "key".
static int
make_key_in(const char *folder, const char *comment, struct secrets_key *ret, struct error *err)
{
    FREE_AUTO char *private_path = path_join(folder, "key");
    FREE_AUTO char *public_path = path_join(folder, "key.pub");
    if (run_keygen(private_path, comment, err) < 0 ||
        file_read(private_path, KEY_MAX, &ret->private, NULL, err) < 0 ||
        file_read(public_path, KEY_MAX, &ret->public, NULL, err) < 0)
        return -1;
    ret->public[strcspn(ret->public, "\n")] = '\0';
    return 0;
}

static int
make_key(const char *folder, const char *comment, struct secrets_key *ret, struct error *err)
{
    FREE_AUTO char *temp = NULL;
    if (dir_temp(folder, "key", &temp, err) < 0)
        return -1;
    int answer = make_key_in(temp, comment, ret, err);
    ERROR_AUTO struct error later = {0}; // the first error is the one to tell
    if (dir_remove(temp, answer < 0 ? &later : err) < 0)
        return -1;
    return answer;
}

static int
make_node(const char *folder, const char *name, struct secrets *secrets, struct error *err)
{
    struct secrets_node *node = secrets_add_node(secrets);
    node->name = str_dup(name);
    node->instance_id = random_uuid();
    node->sentinel_id = random_hex(SENTINEL_ID_LENGTH);
    return make_key(folder, name, &node->host_key, err);
}

static int
make_missing(
    const char *folder, const struct spec *spec, struct secrets *secrets, struct error *err)
{
    for (size_t i = 0; i < spec->node_count; i++)
        if (secrets_find(secrets, spec->nodes[i].name) == NULL &&
            make_node(folder, spec->nodes[i].name, secrets, err) < 0)
            return -1;
    return 0;
}

static int
make_common(const char *folder, const struct spec *spec, struct secrets *secrets, struct error *err)
{
    for (size_t i = 0; i < SECRETS_ACCOUNTS; i++)
        secrets->passwords[i] = random_text(SECRETS_PASSWORD_LENGTH);
    FREE_AUTO char *comment = str_format("airbuild@%s", spec->cluster);
    return make_key(folder, comment, &secrets->client_key, err);
}

int
secrets_open(const char *folder, const struct spec *spec, struct secrets **ret, struct error *err)
{
    SECRETS_AUTO struct secrets *secrets = NULL;
    size_t known = 0;
    if (secrets_load(folder, &secrets, err) == 0) {
        known = secrets->node_count;
    } else {
        if (err->code != ERR_NOT_FOUND)
            return -1;
        error_clear(err);
        secrets = mem_zero(1, sizeof *secrets);
        if (make_common(folder, spec, secrets, err) < 0)
            return -1;
    }
    if (make_missing(folder, spec, secrets, err) < 0)
        return -1;
    if (secrets->node_count != known && secrets_store(secrets, folder, err) < 0)
        return -1;
    *ret = TAKE(secrets);
    return 0;
}

int
secrets_new_disk(
    struct secrets *secrets, const char *folder, const char *node, bool joins, struct error *err)
{
    for (size_t i = 0; i < secrets->node_count; i++) {
        if (!str_equal(secrets->nodes[i].name, node))
            continue;
        free(secrets->nodes[i].instance_id);
        secrets->nodes[i].instance_id = random_uuid();
        secrets->nodes[i].joins = joins;
        return secrets_store(secrets, folder, err);
    }
    return error_set(err, ERR_NOT_FOUND,
        "the cluster's secrets know no node '%s'; run 'airbuild launch' to add it", node);
}
