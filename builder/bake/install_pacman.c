// install_pacman.c - pacman inside the appliance. Signatures are always checked, by a keyring that
// is made for this and removed. What is downloaded is kept with its signatures; pacman -U installs
// it, now and when the image is baked again without a network.
// SPDX-License-Identifier: Apache-2.0
#include "bake/install_inside.h"
#include "bake/pacman.h"
#include "bake/reach.h"
#include "base/cleanup.h"
#include "base/file.h"

#include <string.h>
#include <sys/utsname.h>

#define FOLDER INSTALL_CACHE
#define PACKAGES FOLDER "/packages"
#define MIRROR FOLDER "/mirror"
#define FILE_URL "file://"

// C.UTF-8: pacman leaves out, without a word, files whose names its locale cannot hold.
// The real list of what is installed, but lists of mirrors of our own: the image keeps none.
#define PACMAN                                                                                \
    "export LC_ALL=C.UTF-8\n"                                                                 \
    "pac() { pacman --config " FOLDER "/pacman.conf --noconfirm \"$@\" >" FOLDER "/log 2>&1 " \
    "|| { cat " FOLDER "/log >&2; return 1; }; }\n"                                           \
    "ask() { pac --noprogressbar --dbpath " FOLDER "/db \"$@\"; }\n"

enum {
    PREPARE_MS = 60 * 1000,
    KEYRING_MS = 180 * 1000,
    ASK_MS = 180 * 1000,
    DOWNLOAD_MS = 600 * 1000,
    INSTALL_MS = 300 * 1000
};

static const char *const repositories[] = {"core", "extra"};

struct pacman_run {
    struct guest *guest;
    const struct install *install;
    struct strv servers;      // as the guest is told
    struct strv repositories; // of the mirror
    const char *local;        // a mirror that is a folder of this host: its server line; or NULL
};

static void
run_clear(struct pacman_run *run)
{
    strv_free(&run->servers);
    strv_free(&run->repositories);
}

static int
say_cause(const struct pacman_run *run, struct error *err)
{
    const struct strv *servers = run->install->servers;
    if (err->code != ERR_FAILED)
        return -1;
    FREE_AUTO char *text = TAKE(err->message);
    return pacman_error(
        text, servers->count == 0 ? "the store" : servers->items[0], "the image's", err);
}

static int
run_pacman(const struct pacman_run *run, const char *text, char **ret, struct error *err)
{
    FREE_AUTO char *command = str_format(PACMAN "%s", text);
    return guest_run(run->guest, command, ret, err) < 0 ? say_cause(run, err) : 0;
}

// ---- before -------------------------------------------------------------------------------------

// A folder of this host is out of the appliance's reach: what is asked for is carried in.
static void
choose_servers(struct pacman_run *run)
{
    const struct strv *servers = run->install->servers;
    for (size_t i = 0; i < sizeof repositories / sizeof *repositories; i++)
        strv_add(&run->repositories, repositories[i]);
    if (servers->count > 0 && str_starts(servers->items[0], FILE_URL)) {
        run->local = servers->items[0];
        strv_add(&run->servers, FILE_URL MIRROR "/$repo");
        return;
    }
    for (size_t i = 0; i < servers->count; i++)
        if (!str_starts(servers->items[i], FILE_URL))
            strv_take(&run->servers, reach_url(servers->items[i]));
}

static int
prepare_pacman(const struct pacman_run *run, struct error *err)
{
    static const char folder[] = "mkdir -p " FOLDER "/db " FOLDER "/hooks " PACKAGES "\n"
                                 "ln -sfn /var/lib/pacman/local " FOLDER "/db/local\n"
                                 "mask_hooks " FOLDER "/hooks\n"
                                 "without_sandbox " FOLDER "/pacman.conf\n";
    static const char keyring[] = "export LC_ALL=C.UTF-8\n"
                                  "trap 'end_keyring " FOLDER "/gnupg' EXIT\n"
                                  "make_keyring " FOLDER "/gnupg >" FOLDER
                                  "/log 2>&1 || { cat " FOLDER "/log >&2; exit 1; }\n";
    struct pacman pacman = {.servers = &run->servers,
        .repositories = &run->repositories,
        .folder = FOLDER,
        .hooks = "/etc/pacman.d/hooks/",
        .keep_kernel = true};
    FREE_AUTO char *conf = pacman_conf(&pacman);
    FREE_AUTO char *first = str_format("%s%s", pacman_functions, folder);
    FREE_AUTO char *second = str_format("%s%s", pacman_functions, keyring);
    guest_step(run->guest, PREPARE_MS, "preparing pacman");
    if (guest_write(run->guest, FOLDER "/pacman.conf", 0644, conf, strlen(conf), err) < 0 ||
        guest_run(run->guest, first, NULL, err) < 0)
        return -1;
    guest_step(run->guest, KEYRING_MS, "making pacman's keyring");
    if (guest_run(run->guest, second, NULL, err) == 0)
        return 0;
    if (err->code != ERR_FAILED)
        return -1;
    FREE_AUTO char *reason = pacman_reason(err->message);
    return error_set(err, ERR_FAILED,
        "the image's keyring of pacman cannot be made; is archlinux-keyring whole in it? %s",
        reason);
}

// ---- a mirror that is a folder ------------------------------------------------------------------

// FILE of the mirror's REPOSITORY goes to the same place of the guest's; a signature may be absent.
static int
carry_in(const struct pacman_run *run, const char *repository, const char *name, bool optional,
    struct error *err)
{
    struct utsname host = {0};
    (void) uname(&host);
    FREE_AUTO char *folder = pacman_fill(run->local + strlen(FILE_URL), repository, host.machine);
    FREE_AUTO char *from = path_join(folder, name);
    FREE_AUTO char *to = str_format(MIRROR "/%s/%s", repository, name);
    if (!file_exists(from))
        return optional ? 0
                        : error_set(err, ERR_NETWORK,
                              "the mirror has no '%s'; check the path of the base's mirror", from);
    return guest_upload(run->guest, from, to, err);
}

static int
carry_lists(const struct pacman_run *run, struct error *err)
{
    for (size_t i = 0; i < run->repositories.count; i++) {
        const char *repository = run->repositories.items[i];
        FREE_AUTO char *name = str_format("%s.db", repository);
        FREE_AUTO char *signature = str_format("%s.sig", name);
        if (carry_in(run, repository, name, false, err) < 0 ||
            carry_in(run, repository, signature, true, err) < 0)
            return -1;
    }
    return 0;
}

// text: what pacman would download, a line each: REPOSITORY URL.
static int
carry_packages(const struct pacman_run *run, const char *text, struct error *err)
{
    STRV_AUTO struct strv lines = {0};
    strv_split(&lines, text, '\n');
    for (size_t i = 0; i < lines.count; i++) {
        const char *blank = strchr(lines.items[i], ' '), *slash = strrchr(lines.items[i], '/');
        if (blank == NULL || slash == NULL)
            continue;
        FREE_AUTO char *repository = str_ndup(lines.items[i], (size_t) (blank - lines.items[i]));
        FREE_AUTO char *signature = str_format("%s.sig", slash + 1);
        if (carry_in(run, repository, slash + 1, false, err) < 0 ||
            carry_in(run, repository, signature, true, err) < 0)
            return -1;
    }
    return 0;
}

// ---- the two ways -------------------------------------------------------------------------------

static int
download_pacman(const struct pacman_run *run, const char *names, struct error *err)
{
    FREE_AUTO char *which = NULL;
    FREE_AUTO char *look = str_format("ask -Sy\n"
                                      "ask -Sp --print-format '%%r %%l' %s\n"
                                      "cat " FOLDER "/log\n",
        names);
    FREE_AUTO char *get = str_format("ask -Sw %s", names);
    guest_step(run->guest, ASK_MS, "asking the mirror");
    if ((run->local != NULL && carry_lists(run, err) < 0) || run_pacman(run, look, &which, err) < 0)
        return -1;
    guest_step(run->guest, DOWNLOAD_MS, "downloading %s", names);
    if (run->local != NULL && carry_packages(run, which, err) < 0)
        return -1;
    if (run_pacman(run, get, NULL, err) < 0)
        return -1;
    return install_keep(run->guest, run->install, PACKAGES, err);
}

static int
install_files(const struct pacman_run *run, const char *names, struct error *err)
{
    guest_step(run->guest, INSTALL_MS, "installing %s", names);
    return run_pacman(run,
        "set --\n"
        "for file in " PACKAGES "/*; do\n"
        "    case $file in *.sig) ;; *) set -- \"$@\" \"$file\" ;; esac\n"
        "done\n"
        "pac --noprogressbar -U \"$@\"\n"
        "rm -rf " FOLDER "\n",
        NULL, err);
}

int
install_pacman(struct guest *guest, const struct install *install, const struct strv *packages,
    struct error *err)
{
    __attribute__((cleanup(run_clear))) struct pacman_run run = {
        .guest = guest, .install = install};
    FREE_AUTO char *names = strv_join(packages, " ");
    bool kept = install_is_kept(install);
    if (!kept && install->offline)
        return install_offline(packages, err);
    choose_servers(&run);
    if (prepare_pacman(&run, err) < 0)
        return -1;
    int answer =
        kept ? install_lay(guest, install, PACKAGES, err) : download_pacman(&run, names, err);
    return answer < 0 ? -1 : install_files(&run, names, err);
}
