// accel.c - the verdict on KVM: cached for this boot of the host, or proven by booting a kernel
// under it until its first line on the serial console. Without a root file system the kernel then
// panics, and QEMU ends (panic=-1, -no-reboot).
// SPDX-License-Identifier: Apache-2.0
#include "virt/accel.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/dir.h"
#include "base/file.h"
#include "base/json.h"
#include "base/lock.h"
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#define PROOF_MS 4000 // emulated, a kernel prints its first line after about 1 s
#define PATIENCE 5    // times the deadline, on a host that gives QEMU no time
#define LOCK_MS 40000 // another process' proof, on a busy host
#define UNSURE_S 300  // lifetime of a refusal that may come from the host's load
#define CACHE_MAX (64 * 1024)

void
accel_verdict_free(struct accel_verdict *verdict)
{
    free(verdict->why);
    *verdict = (struct accel_verdict){0};
}

// ---- QEMU and kernels of the host ----------------------------------------------------------------

char *
accel_qemu(void)
{
    char *path = path_program("qemu-system-x86_64");
    if (path == NULL && access("/usr/libexec/qemu-kvm", X_OK) == 0)
        path = str_dup("/usr/libexec/qemu-kvm");
    return path;
}

void
accel_kernels(struct strv *ret)
{
    static const char *const patterns[] = {"/boot/vmlinuz-*", "/usr/lib/modules/*/vmlinuz"};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        glob_t found = {0};
        if (glob(patterns[i], 0, NULL, &found) == 0)
            for (size_t j = found.gl_pathc; j > 0; j--)
                strv_add(ret, found.gl_pathv[j - 1]);
        globfree(&found);
    }
}

// Returns the kernel that runs, else any other that is readable.
static char *
host_kernel(void)
{
    struct utsname host;
    uname(&host);
    FREE_AUTO char *running = str_format("/boot/vmlinuz-%s", host.release);
    if (access(running, R_OK) == 0)
        return TAKE(running);
    STRV_AUTO struct strv kernels = {0};
    accel_kernels(&kernels);
    for (size_t i = 0; i < kernels.count; i++)
        if (access(kernels.items[i], R_OK) == 0)
            return str_dup(kernels.items[i]);
    return NULL;
}

// ---- the proof -----------------------------------------------------------------------------------

struct kvm_boot {
    int64_t begin_ms, timeout_ms;
    struct proc_result result;
    double started;       // seconds until the kernel's first line; 0: none came
    double busy;          // seconds of processor time that QEMU used
    struct error failure; // ERR_TIMEOUT: the deadline ended QEMU; else why it could not be run
};

static void
kvm_boot_free(struct kvm_boot *boot)
{
    proc_result_free(&boot->result);
    error_clear(&boot->failure);
}

// The firmware prints lines even where no kernel runs: only the kernel's own first line counts.
static void
on_kernel_line(void *context, const char *line)
{
    struct kvm_boot *boot = context;
    if (boot->started <= 0 && strstr(line, "Linux version ") != NULL)
        boot->started = (double) (clock_ms() - boot->begin_ms + 1) / 1000;
}

// Returns the processor time of the children that have ended, in seconds, their guests' included.
static double
children_time(void)
{
    struct rusage usage;
    getrusage(RUSAGE_CHILDREN, &usage);
    return (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static char *
explain_boot(const struct accel_places *places, struct kvm_boot *boot)
{
    if (boot->started > 0)
        return str_format("a kernel started under KVM after %.1f s", boot->started);
    if (boot->failure.code == ERR_TIMEOUT)
        return str_format("'%s' opens, but no kernel started under KVM within %.1f s, in which "
                          "QEMU ran for %.1f s",
            places->device, (double) boot->timeout_ms / 1000, boot->busy);
    if (boot->failure.code != ERR_NONE)
        return str_dup(boot->failure.message);
    struct buf *errors = &boot->result.errors;
    while (errors->length > 0 && errors->data[errors->length - 1] == '\n')
        errors->data[--errors->length] = '\0';
    if (errors->length == 0)
        return str_format(
            "QEMU ended with status %d under KVM before the kernel started", boot->result.status);
    const char *newline = strrchr(errors->data, '\n');
    return str_format("QEMU cannot use KVM: %s", newline != NULL ? newline + 1 : errors->data);
}

// Fails when the proof cannot even be tried: ERR_MISSING, ERR_ACCESS.
static int
check_places(const struct accel_places *places, struct error *err)
{
    CLOSE_AUTO int fd = open(places->device, O_RDWR | O_CLOEXEC);
    if (fd < 0 && (errno == EACCES || errno == EPERM))
        return error_set(err, ERR_ACCESS,
            "'%s' cannot be opened: permission denied (join its group, usually 'kvm', and log in "
            "again)",
            places->device);
    if (fd < 0 && errno == ENOENT)
        return error_set(err, ERR_MISSING, "there is no '%s'", places->device);
    if (fd < 0)
        return error_set(
            err, ERR_MISSING, "'%s' cannot be opened: %s", places->device, strerror(errno));
    if (places->qemu == NULL)
        return error_set(
            err, ERR_MISSING, "there is no qemu-system-x86_64 to test KVM with (install QEMU)");
    return 0;
}

// Boots the kernel, and once more with a longer deadline when QEMU was starved. *ret_unsure: it
// still was. -1: ERR_INTERRUPTED, or ERR_MISSING when there is no kernel.
static int
run_proof(const struct accel_places *places, struct accel_verdict *ret, bool *ret_unsure,
    struct error *err)
{
    if (places->kernel == NULL)
        return error_set(err, ERR_MISSING,
            "there is no kernel to test KVM with (none of /boot/vmlinuz-* and "
            "/usr/lib/modules/*/vmlinuz is readable)");
    const char *argv[] = {places->qemu, "-nodefaults", "-no-user-config", "-machine", "q35",
        "-accel", "kvm", "-cpu", "host", "-m", "256", "-display", "none", "-serial", "stdio",
        "-monitor", "none", "-no-reboot", "-kernel", places->kernel, "-append",
        "console=ttyS0 panic=-1", NULL};
    for (int64_t timeout_ms = places->timeout_ms;; timeout_ms *= PATIENCE) {
        CLEANUP(kvm_boot_free)
        struct kvm_boot boot = {.begin_ms = clock_ms(), .timeout_ms = timeout_ms};
        struct proc_options options = {
            .timeout_ms = timeout_ms, .line = on_kernel_line, .context = &boot};
        double before = children_time();
        if (proc_run(argv, &options, &boot.result, err) < 0 && err->code == ERR_INTERRUPTED)
            return -1;
        boot.busy = children_time() - before;
        error_move(&boot.failure, err);
        // A kernel that hangs under KVM spins: a QEMU that hardly ran was starved by a busy host.
        *ret_unsure = boot.started <= 0 && boot.failure.code == ERR_TIMEOUT &&
                      boot.busy < (double) places->timeout_ms / 1000 / 2;
        if (*ret_unsure && timeout_ms == places->timeout_ms)
            continue;
        ret->kvm = boot.started > 0;
        ret->why = explain_boot(places, &boot);
        return 0;
    }
}

// ---- the cache -----------------------------------------------------------------------------------

// Returns the cache; an empty one when there is none, it is damaged, or from another boot.
static json_t *
cache_read(const struct accel_places *places)
{
    ERROR_AUTO struct error ignored = {0};
    FREE_AUTO char *path = path_join(places->home, "accel.json");
    FREE_AUTO char *boot = NULL;
    json_t *cache = NULL;
    if (file_read(places->boot_id, 4096, &boot, NULL, &ignored) == 0)
        boot[strcspn(boot, "\n")] = '\0';
    if (read_json_file(path, CACHE_MAX, &cache, &ignored) == 0 &&
        str_equal(json_string_value(json_object_get(cache, "boot")), boot))
        return cache;
    json_decref(cache);
    return json_pack("{s:o}", "boot", text_to_json(boot));
}

// ---- the verdict ---------------------------------------------------------------------------------

// One proof at a time: a second airbuild waits, then finds the first one's verdict. Without a lock
// each runs its own. The key of a verdict is QEMU's path, size and time, not the kernel's: each
// kernel gives the same verdict on the host. A cached refusal counts only when trust_refusal is
// set.
static int
find_or_prove(const struct accel_places *places, bool trust_refusal, struct accel_verdict *ret,
    struct error *err)
{
    struct stat qemu = {0};
    stat(places->qemu, &qemu);
    FREE_AUTO char *key = str_format("%s %lld bytes of %lld.%09ld", places->qemu,
        (long long) qemu.st_size, (long long) qemu.st_mtim.tv_sec, qemu.st_mtim.tv_nsec);
    FREE_AUTO char *lock = path_join(places->home, "accel.lock");
    CLOSE_AUTO int fd = -1;
    const char *why;
    int kvm;
    json_int_t until = 0;
    bool unsure = false;
    if (dir_make_top(places->home, 0711, err) < 0 || lock_take(lock, LOCK_MS, &fd, err) < 0) {
        if (err->code == ERR_INTERRUPTED)
            return -1;
        error_clear(err);
    }
    json_auto_t *cache = cache_read(places);
    if (json_unpack(json_object_get(cache, key), "{s:s, s:b, s?I}", "why", &why, "kvm", &kvm,
            "until", &until) == 0 &&
        (until == 0 || until >= clock_up_s()) && (kvm || trust_refusal)) {
        *ret = (struct accel_verdict){.kvm = kvm, .why = str_dup(why)};
        return 0;
    }
    if (run_proof(places, ret, &unsure, err) < 0)
        return -1;
    // A failure to write the cache is ignored: it only costs the next airbuild another proof.
    ERROR_AUTO struct error ignored = {0};
    FREE_AUTO char *path = path_join(places->home, "accel.json");
    json_object_set_new(cache, key,
        json_pack("{s:b, s:o, s:o*}", "kvm", ret->kvm, "why", text_to_json(ret->why), "until",
            unsure ? json_integer(clock_up_s() + UNSURE_S) : NULL));
    write_json_file(path, 0644, cache, &ignored);
    return 0;
}

int
accel_prove_at(const struct accel_places *places, enum accel_wanted wanted,
    struct accel_verdict *ret, struct error *err)
{
    *ret = (struct accel_verdict){0};
    if (wanted == ACCEL_TCG) {
        ret->why = str_dup("software emulation was requested");
        return 0;
    }
    if (check_places(places, err) == 0 &&
        find_or_prove(places, wanted == ACCEL_AUTO, ret, err) == 0) {
        if (wanted != ACCEL_KVM || ret->kvm)
            return 0;
        error_set(err, ERR_FAILED,
            "KVM does not work here: %s; set 'accel: auto' or 'accel: tcg' in cluster.yaml",
            ret->why);
        accel_verdict_free(ret);
        return -1;
    }
    if (err->code == ERR_INTERRUPTED)
        return -1;
    if (wanted == ACCEL_KVM)
        return error_set(err, err->code,
            "KVM cannot be used here: %s; fix that, or set 'accel: auto' in cluster.yaml",
            err->message);
    // No proof is possible: with ACCEL_AUTO that is the verdict.
    ret->why = str_dup(err->message);
    error_clear(err);
    return 0;
}

int
accel_prove(const char *home, enum accel_wanted wanted, const char *kernel,
    struct accel_verdict *ret, struct error *err)
{
    FREE_AUTO char *qemu = accel_qemu();
    FREE_AUTO char *own_kernel = kernel == NULL ? host_kernel() : NULL;
    const struct accel_places places = {
        .home = home,
        .device = "/dev/kvm",
        .boot_id = "/proc/sys/kernel/random/boot_id",
        .qemu = qemu,
        .kernel = kernel != NULL ? kernel : own_kernel,
        .timeout_ms = PROOF_MS,
    };
    return accel_prove_at(&places, wanted, ret, err);
}
