// bootstrap_arch.c - Arch's packages become a tree: downloaded by this host's pacman, installed by
// pacstrap. The host need not be an Arch.
// SPDX-License-Identifier: Apache-2.0
#include "bake/arch.h"
#include "bake/bootstrap_inside.h"
#include "bake/pacman.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/proc.h"

#include <string.h>
#include <unistd.h>

#define TOLD "airbuild: now: "

// ---- what is told -------------------------------------------------------------------------------

char *
bootstrap_arch_conf(const struct bootstrap *bootstrap, const struct strv *servers)
{
    const struct recipe_bootstrap *wanted = &bootstrap->recipe->bootstrap;
    struct pacman pacman = {.servers = servers,
        .repositories = &wanted->sources,
        .exclude = &wanted->exclude,
        .folder = bootstrap->folder};
    return pacman_conf(&pacman);
}

static void
add_names(struct buf *out, const struct strv *names)
{
    for (size_t i = 0; i < names->count; i++) {
        buf_add(out, " ");
        buf_add_word(out, names->items[i]);
    }
}

// The path of a socket has at most 107 bytes (unix(7)), and a draft's is longer: the keyring is
// made elsewhere.
static void
add_keyring(struct buf *out, const char *keys)
{
    buf_add(out, "echo '" TOLD "making the keyring'\n"
                 "keyring=$(mktemp -d)\n"
                 "trap 'end_keyring \"$keyring\"; rm -rf \"$keyring\"' EXIT\n"
                 "make_keyring \"$keyring\"");
    if (keys != NULL) {
        buf_add(out, " ");
        buf_add_word(out, keys);
    }
    buf_add(out, "\nend_keyring \"$keyring\"\ncp -a \"$keyring\" gnupg\n");
}

#define PACMAN                                                                       \
    "pacman --config pacman.conf -r \"$PWD/root\" --dbpath \"$PWD/db\" --noconfirm " \
    "--noprogressbar "

// Packages that layers will ask for, as far as the new system does not have them.
static void
add_prefetch(struct buf *out, const struct bootstrap *bootstrap)
{
    buf_add(out, "rm -rf db/local\nln -s ../root/var/lib/pacman/local db/local\n");
    for (size_t i = 0; i < bootstrap->prefetch_count; i++) {
        buf_printf(
            out, "mkdir prefetch-%zu\npacman --config pacman.conf --dbpath \"$PWD/db\" -T", i);
        add_names(out, &bootstrap->prefetch[i].packages);
        buf_printf(out,
            " >missing || [ $? = 127 ]\n"
            "[ ! -s missing ] || " PACMAN "--cachedir \"$PWD/prefetch-%zu\" -Sw $(cat missing)\n",
            i);
    }
}

// C.UTF-8: pacman leaves out, without a word, files whose names its locale cannot hold.
// What is installed is in packages/ then, whichever way it came there, each with its signature.
// Hooks run, in the new system: its initial RAM disk is made by its own tool, as `early` says.
char *
bootstrap_arch_script(const struct bootstrap *bootstrap, bool kept)
{
    BUF_AUTO struct buf out = {0};
    buf_printf(&out, "export LC_ALL=C.UTF-8\n%scd ", pacman_functions);
    buf_add_word(&out, bootstrap->folder);
    buf_add(&out, "\nmkdir -p db hooks root\nwithout_sandbox pacman.conf\n");
    add_keyring(&out, bootstrap->base->keyring);
    if (!kept) {
        buf_add(&out, "echo '" TOLD "downloading packages'\n" PACMAN "-Syw");
        add_names(&out, &bootstrap->recipe->bootstrap.packages);
        buf_add(&out, "\n");
    }
    buf_add(&out, "echo '" TOLD "installing packages'\n"
                  "cp -a early/. root\n"
                  "set --\n"
                  "for file in packages/*; do\n"
                  "    case $file in *.sig) ;; *) set -- \"$@\" \"$file\" ;; esac\n"
                  "done\n"
                  "pacstrap -c -C pacman.conf -G -M -U root \"$@\"\n");
    if (!kept)
        add_prefetch(&out, bootstrap);
    buf_add(&out, "echo '" TOLD "carrying out the recipe'\n"
                  "cp -a steps root/airbuild\n"
                  "arch-chroot root sh -eu /airbuild/script\n"
                  "rm -rf root/airbuild\n");
    return buf_take(&out);
}

// ---- carried out --------------------------------------------------------------------------------

// Only what the script tells is for people.
static void
on_arch_line(void *context, const char *line)
{
    const struct bootstrap *bootstrap = context;
    if (str_starts(line, TOLD))
        progress_step(bootstrap->progress, bootstrap->recipe->name, "%s", line + strlen(TOLD));
}

static int
check_programs(struct error *err)
{
    static const char *const programs[] = {"pacstrap", "arch-chroot", "pacman", "pacman-key"};
    if (geteuid() != 0)
        return error_set(err, ERR_ACCESS,
            "a base of Arch's packages is made by pacstrap, which needs root; run airbuild as "
            "root, or use 'base: arch', the official image");
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        FREE_AUTO char *path = path_program(programs[i]);
        if (path == NULL)
            return error_set(err, ERR_MISSING,
                "a base of Arch's packages is made by '%s', which is not installed; run 'apt "
                "install arch-install-scripts pacman-package-manager' (on Arch 'pacman -S "
                "arch-install-scripts')",
                programs[i]);
    }
    return 0;
}

// Debian's pacman-key looks where Debian's package of Arch's keys puts them.
static int
check_keys(const char *keys, struct error *err)
{
    if (keys == NULL && !file_exists("/usr/share/pacman/keyrings/archlinux.gpg") &&
        !file_exists("/usr/share/keyrings/archlinux.gpg"))
        return error_set(err, ERR_MISSING,
            "the keys that Arch's packages are signed by are not installed; run 'apt install "
            "archlinux-keyring' (on Arch 'pacman -S archlinux-keyring'), or name a file of the "
            "mirror's own by 'keyring'");
    if (keys != NULL && !file_exists(keys))
        return error_set(
            err, ERR_NOT_FOUND, "there is no keyring '%s'; check 'keyring' of the base", keys);
    return 0;
}

static int
explain_arch_failure(const struct bootstrap *bootstrap, const char *text,
    const struct strv *servers, struct error *err)
{
    if (bootstrap_step_failed(bootstrap->recipe, text, err) < 0)
        return -1;
    return pacman_error(text, servers->items[0], "the host's", err);
}

// In a mount namespace of its own: however it ends, no mount of it is left on the host.
static int
run_arch_script(const struct bootstrap *bootstrap, const char *script, const struct strv *servers,
    struct error *err)
{
    const char *const arguments[] = {"unshare", "--mount", "sh", "-eu", "-c", script, NULL};
    PROC_RESULT_AUTO struct proc_result result = {0};
    struct proc_options options = {
        .timeout_ms = BOOTSTRAP_MS, .line = on_arch_line, .context = (void *) bootstrap};
    if (proc_run(arguments, &options, &result, err) < 0)
        return error_context(err, "the base cannot be made");
    return result.status == 0 ? 0
                              : explain_arch_failure(bootstrap, result.errors.data, servers, err);
}

int
bootstrap_arch(const struct bootstrap *bootstrap, bool kept, struct error *err)
{
    STRV_AUTO struct strv servers = {0};
    arch_servers(bootstrap->base, &servers);
    FREE_AUTO char *conf = bootstrap_arch_conf(bootstrap, &servers);
    FREE_AUTO char *script = bootstrap_arch_script(bootstrap, kept);
    FREE_AUTO char *path = path_join(bootstrap->folder, "pacman.conf");
    if (check_programs(err) < 0 || check_keys(bootstrap->base->keyring, err) < 0 ||
        file_write(path, 0644, conf, strlen(conf), err) < 0)
        return -1;
    return run_arch_script(bootstrap, script, &servers, err);
}
