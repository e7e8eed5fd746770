// accel.c - the verdict on KVM: what was asked for, what is remembered of this boot of the host,
// the proof.
// SPDX-License-Identifier: Apache-2.0
#include "virt/accel.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/jv.h"
#include "base/str.h"
#include "virt/accel_probe.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define PROBE_MS 4000 // emulated, a kernel speaks after about 1 s
#define LOCK_MS 40000 // somebody else's proof, on a busy host
#define UNSURE_S 300  // how long a refusal is believed that the host's load may have made
#define CACHE_MAX (64 * 1024)

void
accel_verdict_free(struct accel_verdict *verdict)
{
    free(verdict->why);
    *verdict = (struct accel_verdict){0};
}

// ---- what is looked at -------------------------------------------------------------------------

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

// The kernel that runs, else any other.
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

// ---- what is remembered --------------------------------------------------------------------------

static void
add_file_to_key(struct buf *key, const char *path)
{
    struct stat status = {0};
    stat(path, &status);
    buf_printf(key, "%s %lld bytes of %lld.%09ld", path, (long long) status.st_size,
        (long long) status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

// Not the kernel's: which one spoke makes no difference to what the host can do, and the same
// question is asked with the host's own kernel and with an image's.
static char *
cache_key(const struct accel_places *places)
{
    struct buf key = {0};
    add_file_to_key(&key, places->qemu);
    return buf_take(&key);
}

// Seconds of this boot, those asleep among them.
static long long
boot_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec;
}

static char *
boot_id(const struct accel_places *places)
{
    char *id = NULL;
    ERROR_AUTO struct error ignored = {0};
    if (file_read(places->boot_id, 4096, &id, NULL, &ignored) < 0)
        return NULL;
    id[strcspn(id, "\n")] = '\0';
    return id;
}

// The cache as it is; an empty one when there is none, it is damaged, or of another boot.
static struct jv *
cache_read(const struct accel_places *places, const char *boot)
{
    ERROR_AUTO struct error ignored = {0};
    FREE_AUTO char *path = path_join(places->home, "accel.json");
    struct jv *cache = NULL;
    if (jv_read(path, CACHE_MAX, &cache, &ignored) == 0 &&
        str_equal(jv_get_string(cache, "boot"), boot))
        return cache;
    jv_free(cache);
    cache = jv_object();
    jv_set_string(cache, "boot", boot);
    return cache;
}

static bool
cache_find(const struct jv *cache, const char *key, struct accel_verdict *ret)
{
    const struct jv *entry = jv_get(cache, key);
    const char *why = jv_get_string(entry, "why");
    long long until = jv_get_int(entry, "until", 0);
    if (why == NULL || (until != 0 && until < boot_seconds()))
        return false;
    ret->unsure = until != 0;
    ret->kvm = jv_get_bool(entry, "kvm", false);
    ret->why = str_dup(why);
    ret->seconds = (double) jv_get_int(entry, "milliseconds", 0) / 1000;
    ret->cached = true;
    return true;
}

// A folder that cannot be written only costs the next airbuild another proof.
static void
cache_write(const struct accel_places *places, struct jv *cache, const char *key,
    const struct accel_verdict *verdict)
{
    ERROR_AUTO struct error ignored = {0};
    FREE_AUTO char *path = path_join(places->home, "accel.json");
    struct jv *entry = jv_object();
    jv_set_bool(entry, "kvm", verdict->kvm);
    jv_set_string(entry, "why", verdict->why);
    jv_set_int(entry, "milliseconds", (long long) (verdict->seconds * 1000));
    if (verdict->unsure)
        jv_set_int(entry, "until", boot_seconds() + UNSURE_S);
    jv_set(cache, key, entry);
    jv_write(path, 0644, cache, &ignored);
}

static bool
load_verdict(const struct accel_places *places, const char *boot, const char *key,
    bool trust_refusal, struct accel_verdict *ret)
{
    JV_AUTO struct jv *cache = cache_read(places, boot);
    if (!cache_find(cache, key, ret))
        return false;
    if (ret->kvm || trust_refusal)
        return true;
    accel_verdict_free(ret);
    return false;
}

// ---- the verdict -------------------------------------------------------------------------------

static int
probe(const struct accel_places *places, const char *boot, const char *key,
    struct accel_verdict *ret, struct error *err)
{
    if (accel_probe_run(places, ret, err) < 0)
        return -1;
    JV_AUTO struct jv *cache = cache_read(places, boot);
    cache_write(places, cache, key, ret);
    return 0;
}

// One proof at a time: the second airbuild finds the first one's verdict. Without a lock each has
// its own.
static int
probe_or_recall(const struct accel_places *places, bool trust_refusal, struct accel_verdict *ret,
    struct error *err)
{
    FREE_AUTO char *boot = boot_id(places);
    FREE_AUTO char *key = cache_key(places);
    FREE_AUTO char *lock = path_join(places->home, "accel.lock");
    CLOSE_AUTO int fd = -1;
    if (load_verdict(places, boot, key, trust_refusal, ret))
        return 0;
    if (dir_make_top(places->home, 0711, err) < 0 || lock_take(lock, LOCK_MS, &fd, err) < 0) {
        if (err->code == ERR_INTERRUPTED)
            return -1;
        error_clear(err);
    }
    if (load_verdict(places, boot, key, trust_refusal, ret))
        return 0;
    return probe(places, boot, key, ret, err);
}

static int
refuse_accel(struct accel_verdict *verdict, struct error *err)
{
    error_set(err, ERR_FAILED,
        "KVM does not work here: %s; set 'accel: auto' or 'accel: tcg' in cluster.yaml",
        verdict->why);
    accel_verdict_free(verdict);
    return -1;
}

// What stands in the way of any proof: with auto a verdict of its own.
static int
cannot_prove(enum accel_wanted wanted, struct accel_verdict *ret, struct error *err)
{
    if (wanted == ACCEL_KVM) {
        FREE_AUTO char *why = str_dup(err->message);
        return error_set(err, err->code,
            "KVM cannot be used here: %s; mend that, or set 'accel: auto' in cluster.yaml", why);
    }
    ret->why = str_dup(err->message);
    error_clear(err);
    return 0;
}

int
accel_prove_at(const struct accel_places *places, enum accel_wanted wanted,
    struct accel_verdict *ret, struct error *err)
{
    *ret = (struct accel_verdict){0};
    if (wanted == ACCEL_TCG) {
        ret->why = str_dup("software emulation was asked for");
        return 0;
    }
    if (accel_probe_check(places, err) < 0)
        return cannot_prove(wanted, ret, err);
    if (probe_or_recall(places, wanted == ACCEL_AUTO, ret, err) < 0)
        return err->code == ERR_MISSING ? cannot_prove(wanted, ret, err) : -1;
    return wanted == ACCEL_KVM && !ret->kvm ? refuse_accel(ret, err) : 0;
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
        .timeout_ms = PROBE_MS,
    };
    return accel_prove_at(&places, wanted, ret, err);
}
