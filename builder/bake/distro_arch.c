// distro_arch.c - Arch: a base from its packages by pacstrap, and packages by pacman.
// Signatures are always checked, with a keyring that is made for one bake and then removed.
// Packages are kept with their signatures.
// SPDX-License-Identifier: Apache-2.0
#include "bake/arch.h"

#include "bake/appliance_network.h"
#include "bake/install.h"
#include "base/asset.h"
#include "base/cleanup.h"
#include "base/file.h"

#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define MIRROR INSTALL_CACHE "/mirror"
#define FILE_URL "file://"
#define NOW "airbuild: now: " // prefix of the script's lines for people

enum {
    REASON_MAX = 300,
    PREPARE_MS = 60 * 1000,
    KEYRING_MS = 180 * 1000,
    ASK_MS = 180 * 1000,
    DOWNLOAD_MS = 600 * 1000,
    INSTALL_MS = 300 * 1000
};

// ---- configuration -------------------------------------------------------------------------------

// Packages must be signed, and kept ones are checked again. Arch does not sign package databases.
char *
pacman_conf(const struct pacman *pacman)
{
    BUF_AUTO struct buf out = {0};
    buf_add(&out, "[options]\nArchitecture = auto\nParallelDownloads = 5\n");
    buf_printf(
        &out, "CacheDir = %s/packages/\nGPGDir = %s/gnupg/\n", pacman->folder, pacman->folder);
    if (pacman->hooks != NULL)
        buf_printf(&out, "HookDir = %s\n", pacman->hooks);
    buf_printf(&out, "HookDir = %s/hooks/\n", pacman->folder);
    if (pacman->hooks != NULL)
        buf_add(&out, "IgnorePkg = linux linux-*\n");
    buf_add(&out, "SigLevel = Required DatabaseOptional\n"
                  "LocalFileSigLevel = Required\n");
    for (size_t i = 0; pacman->exclude != NULL && i < pacman->exclude->count; i++)
        buf_printf(&out, "NoExtract = %s\n", pacman->exclude->items[i] + 1); // relative to the root
    for (size_t i = 0; i < pacman->repositories->count; i++) {
        buf_printf(&out, "[%s]\n", pacman->repositories->items[i]);
        for (size_t j = 0; j < pacman->servers->count; j++)
            buf_printf(&out, "Server = %s\n", pacman->servers->items[j]);
    }
    return buf_take(&out);
}

// ---- causes -------------------------------------------------------------------------------------

#define HOOK_FAILED "error: command failed to execute correctly" // not fatal

// pacman prints "error: ", its scripts "==> ERROR: "; other programs give the reason last.
static char *
pacman_reason(const char *text)
{
    static const char *const signs[] = {"error: ", "ERROR: "};
    STRV_AUTO struct strv lines = {0};
    const char *last = "it gave no reason";
    strv_split(&lines, text == NULL ? "" : text, '\n');
    for (size_t i = 0; i < lines.count; i++) {
        if (lines.items[i][0] == '\0' || strstr(lines.items[i], HOOK_FAILED) != NULL)
            continue;
        last = lines.items[i];
        for (size_t j = 0; j < sizeof signs / sizeof *signs; j++) {
            const char *error = strstr(lines.items[i], signs[j]);
            if (error != NULL)
                return str_ndup(error + 7, strnlen(error + 7, REASON_MAX));
        }
    }
    return str_ndup(last, strnlen(last, REASON_MAX));
}

// The order matters: an invalid database also reports missing packages, and an unknown key also
// reports a corrupted package.
int
pacman_error(const char *text, const char *server, const char *system, struct error *err)
{
    static const char *const space[] = {
        "No space left on device", "not enough free disk space", "too full:", NULL};
    static const char *const damaged[] = {"\" is invalid",
        "invalid or corrupted package (checksum)", "invalid or corrupted package)", NULL};
    static const char *const list[] = {
        ".db: Unrecognized archive format", "invalid or corrupted database", NULL};
    static const char *const key[] = {"unknown trust", "marginal trust", "never trust",
        "PGP signature", "required key missing", "could not be looked up remotely",
        "could not be imported", "is disabled", "key is unknown", "missing required signature",
        NULL};
    static const char *const network[] = {"failed retrieving file", "failed to retrieve some files",
        "failed to synchronize", "failed to update", "Could not resolve host", "Failed to connect",
        "Operation too slow", NULL};
    static const char *const package[] = {
        "target not found", "could not satisfy dependencies", "unable to satisfy dependency", NULL};
    FREE_AUTO char *reason = pacman_reason(text);
    if (str_has_any(text, space))
        return error_set(err, ERR_SPACE,
            "the disk became full while packages were installed; free some space and run it "
            "again: %s",
            reason);
    if (str_has_any(text, list))
        return error_set(err, ERR_NETWORK,
            "'%s' did not return a package database; open it in a browser to see whether this "
            "network asks for a sign-in, or use another mirror: %s",
            server, reason);
    if (str_has_any(text, damaged))
        return error_set(err, ERR_DAMAGED,
            "a package of '%s' does not match its signature; it was damaged at the mirror or on "
            "the way, so run it again, or use another mirror: %s",
            server, reason);
    if (str_has_any(text, key))
        return error_set(err, ERR_DAMAGED,
            "a package of '%s' is not signed by a key that %s keyring trusts; an old keyring does "
            "not know new packagers, so use a snapshot of the image's own date, or a newer image: "
            "%s",
            server, system, reason);
    if (str_has_any(text, network))
        return error_set(err, ERR_NETWORK,
            "the packages cannot be downloaded from '%s' and none are kept; check the network and "
            "the mirror, then run 'airbuild images' again: %s",
            server, reason);
    if (str_has_any(text, package))
        return error_set(err, ERR_SPEC,
            "'%s' does not have a requested package; check its name, or use another snapshot: %s",
            server, reason);
    return error_set(err, ERR_FAILED, "pacman failed: %s", reason);
}

// ---- a base from packages ------------------------------------------------------------------------

// Names of repositories go into pacman.conf and into paths.
static const char *
check_repository(const char *name)
{
    const char *allowed = "abcdefghijklmnopqrstuvwxyz0123456789-";
    bool fits = strspn(name, allowed) == strlen(name) && name[0] != '-';
    return fits && !str_equal(name, "options")
               ? NULL
               : "is not a valid repository name of pacman; name them as in [core, extra]";
}

char *
arch_bootstrap_conf(const struct bake_job *job, const struct strv *servers)
{
    const struct recipe_bootstrap *wanted = &job->item->source->recipe->bootstrap;
    struct pacman pacman = {.servers = servers,
        .repositories = &wanted->sources,
        .exclude = &wanted->exclude,
        .folder = job->work};
    return pacman_conf(&pacman);
}

void
arch_bootstrap_words(const struct bake_job *job, bool kept, struct strv *ret)
{
    const char *keys = job->item->source->base.keyring;
    strv_add(ret, "bootstrap");
    strv_add(ret, job->work);
    strv_add(ret, kept ? "kept" : "download");
    strv_add(ret, keys == NULL ? "" : keys);
    strv_take(ret, strv_join(&job->item->source->recipe->bootstrap.packages, " "));
    for (size_t i = 0; i < job->prefetch.count; i++)
        strv_add(ret, job->prefetch.items[i]);
}

static void
on_arch_line(void *context, const char *line)
{
    const struct bake_job *job = context;
    if (str_starts(line, NOW))
        progress_step(
            job->options->progress, job->item->source->recipe->name, "%s", line + strlen(NOW));
}

// keyring: the mirror's own keys, or NULL for Arch's. Debian's package of these installs them in
// another folder than Arch's.
static int
check_host(const char *keyring, struct error *err)
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
    if (keyring == NULL && !file_exists("/usr/share/pacman/keyrings/archlinux.gpg") &&
        !file_exists("/usr/share/keyrings/archlinux.gpg"))
        return error_set(err, ERR_MISSING,
            "the keys that sign Arch's packages are not installed; run 'apt install "
            "archlinux-keyring' (on Arch 'pacman -S archlinux-keyring'), or name the "
            "mirror's own keys by 'keyring'");
    if (keyring != NULL && !file_exists(keyring))
        return error_set(
            err, ERR_NOT_FOUND, "there is no keyring '%s'; check 'keyring' of the base", keyring);
    return 0;
}

static int
explain_pacstrap(const struct bake_job *job, const char *text, struct error *err)
{
    STRV_AUTO struct strv servers = {0};
    arch_servers(&job->item->source->base, &servers);
    return pacman_error(text, servers.items[0], "the host's", err);
}

// Runs in its own mount namespace, so that it leaves no mount on the host, however it ends.
static int
bootstrap_arch(const struct bake_job *job, bool kept, struct proc_result *ret, struct error *err)
{
    STRV_AUTO struct strv servers = {0}, words = {0};
    arch_servers(&job->item->source->base, &servers);
    FREE_AUTO char *conf = arch_bootstrap_conf(job, &servers), *script = NULL;
    FREE_AUTO char *path = path_join(job->work, "pacman.conf");
    struct proc_options options = {
        .timeout_ms = BOOTSTRAP_MS, .line = on_arch_line, .context = (void *) job};
    if (check_host(job->item->source->base.keyring, err) < 0 ||
        file_write(path, 0644, conf, strlen(conf), err) < 0 ||
        asset_read("images/scripts/arch.sh", &script, NULL, err) < 0)
        return -1;
    const char *const program[] = {"unshare", "--mount", "sh", "-eu", "-c", script, "arch.sh"};
    for (size_t i = 0; i < sizeof program / sizeof *program; i++)
        strv_add(&words, program[i]);
    arch_bootstrap_words(job, kept, &words);
    if (proc_run((const char *const *) words.items, &options, ret, err) < 0)
        return error_context(err, "the base cannot be made");
    return 0;
}

// ---- packages into an image ----------------------------------------------------------------------

static const char *const repositories[] = {"core", "extra"};
enum { REPOSITORIES = sizeof repositories / sizeof *repositories };

struct pacman_run {
    struct guest *guest;
    const struct strv *packages;
    struct strv asked;   // servers, as the base names them
    struct strv servers; // as the guest reaches them
    const char *local;   // a mirror that is a folder of this host: its server line; or NULL
};

static void
pacman_run_clear(struct pacman_run *run)
{
    strv_free(&run->asked);
    strv_free(&run->servers);
}

static int
run_pacman(const struct pacman_run *run, const char *verb, const struct strv *packages, char **ret,
    struct error *err)
{
    if (guest_script(run->guest, "arch", verb, packages, ret, err) == 0)
        return 0;
    if (err->code != ERR_FAILED)
        return -1;
    FREE_AUTO char *text = TAKE(err->message);
    return pacman_error(text, run->asked.items[0], "the image's", err);
}

static int
prepare_pacman(const struct pacman_run *run, struct error *err)
{
    STRV_AUTO struct strv names = {0};
    struct pacman pacman = {.servers = &run->servers,
        .repositories = &names,
        .folder = INSTALL_CACHE,
        .hooks = "/etc/pacman.d/hooks/"};
    for (size_t i = 0; i < REPOSITORIES; i++)
        strv_add(&names, repositories[i]);
    FREE_AUTO char *conf = pacman_conf(&pacman);
    guest_step(run->guest, PREPARE_MS, "preparing pacman");
    if (guest_write(run->guest, INSTALL_CACHE "/pacman.conf", 0644, conf, strlen(conf), err) < 0 ||
        guest_script(run->guest, "arch", "prepare", NULL, NULL, err) < 0)
        return -1;
    guest_step(run->guest, KEYRING_MS, "making pacman's keyring");
    if (guest_script(run->guest, "arch", "keyring", NULL, NULL, err) == 0)
        return 0;
    if (err->code != ERR_FAILED)
        return -1;
    FREE_AUTO char *reason = pacman_reason(err->message);
    return error_set(err, ERR_FAILED,
        "cannot make pacman's keyring in the image; check its package archlinux-keyring: %s",
        reason);
}

// Copies a file of a repository, and its signature if it has one, to the mirror in the guest.
static int
copy_in(const struct pacman_run *run, const char *repository, const char *name, struct error *err)
{
    struct utsname host = {0};
    (void) uname(&host);
    FREE_AUTO char *folder =
        distro_fill(run->local + strlen(FILE_URL), "$repo", repository, "$arch", host.machine);
    FREE_AUTO char *from = path_join(folder, name), *signature = str_format("%s.sig", from);
    FREE_AUTO char *to = str_format(MIRROR "/%s/%s", repository, name);
    FREE_AUTO char *signature_to = str_format("%s.sig", to);
    if (!file_exists(from))
        return error_set(
            err, ERR_NETWORK, "the mirror has no '%s'; check the path of the base's mirror", from);
    if (guest_upload(run->guest, from, to, err) < 0)
        return -1;
    return file_exists(signature) ? guest_upload(run->guest, signature, signature_to, err) : 0;
}

static int
download_pacman(const struct pacman_run *run, const char *names, struct error *err)
{
    STRV_AUTO struct strv lines = {0}; // "REPOSITORY URL" of each package to download
    FREE_AUTO char *which = NULL;
    guest_step(run->guest, ASK_MS, "asking the mirror");
    for (size_t i = 0; run->local != NULL && i < REPOSITORIES; i++) {
        FREE_AUTO char *list = str_format("%s.db", repositories[i]);
        if (copy_in(run, repositories[i], list, err) < 0)
            return -1;
    }
    if (run_pacman(run, "resolve", run->packages, &which, err) < 0)
        return -1;
    guest_step(run->guest, DOWNLOAD_MS, "downloading %s", names);
    strv_split(&lines, which, '\n');
    for (size_t i = 0; run->local != NULL && i < lines.count; i++) {
        char *blank = strchr(lines.items[i], ' '), *slash = strrchr(lines.items[i], '/');
        if (blank == NULL || slash == NULL)
            continue;
        *blank = '\0';
        if (copy_in(run, lines.items[i], slash + 1, err) < 0)
            return -1;
    }
    if (run_pacman(run, "download", run->packages, NULL, err) < 0)
        return -1;
    return install_keep(run->guest, err);
}

static int
install_pacman(struct guest *guest, bool kept, const struct strv *packages, struct error *err)
{
    CLEANUP(pacman_run_clear)
    struct pacman_run run = {.guest = guest, .packages = packages};
    FREE_AUTO char *names = strv_join(packages, " ");
    arch_servers(&guest->job->item->source->base, &run.asked);
    // The appliance cannot reach a folder of this host: its packages are copied in.
    if (str_starts(run.asked.items[0], FILE_URL)) {
        run.local = run.asked.items[0];
        strv_add(&run.servers, FILE_URL MIRROR "/$repo");
    }
    for (size_t i = 0; run.local == NULL && i < run.asked.count; i++)
        if (!str_starts(run.asked.items[i], FILE_URL))
            strv_take(&run.servers, appliance_url(run.asked.items[i]));
    if (prepare_pacman(&run, err) < 0)
        return -1;
    if ((kept ? install_restore(guest, err) : download_pacman(&run, names, err)) < 0)
        return -1;
    guest_step(guest, INSTALL_MS, "installing %s", names);
    return run_pacman(&run, "install_downloaded", NULL, NULL, err);
}

const struct distro distro_arch = {.name = "arch",
    .title = "Arch",
    .package_format = "pacman",
    .packages_kind = SPEC_BASE_BOOTSTRAP,
    .images = &arch_images,
    .is_dated = true,
    .usual_kernel = "/boot/vmlinuz-linux",
    .initrd_prefix = "/boot/initramfs-",
    .initrd_suffix = ".img",
    .check_source = check_repository,
    .bootstrap = bootstrap_arch,
    .explain = explain_pacstrap,
    .install = install_pacman};
