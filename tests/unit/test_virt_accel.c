// test_virt_accel.c - the proof of KVM with fake emulators: one line, silence, failure, absence;
// and its cache. Needs and uses no KVM.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "virt/accel.h"

#include <sys/stat.h>
#include <sys/wait.h>

struct bench {
    char *folder;
    char *qemu, *kernel, *device, *boot_id, *runs;
    struct accel_places places;
    struct error err;
};

static void
put(const char *path, mode_t mode, const char *text)
{
    ERROR_AUTO struct error err = {0};
    assert_ok(file_write(path, mode, text, strlen(text), &err), &err);
}

// An emulator that records each run, then runs the script.
static void
pretend(struct bench *bench, const char *script)
{
    FREE_AUTO char *text =
        str_format("#!/bin/sh\nprintf '%%s\\n' \"$*\" >>'%s'\n%s\n", bench->runs, script);
    put(bench->qemu, 0755, text);
}

#define BIOS "echo 'SeaBIOS (version 1.16.2)'; echo 'Booting from ROM..'; "
#define WORKS BIOS "echo '[    0.000000] Linux version 6.1.0 (gcc)'; echo 'Kernel panic'"
#define HANGS BIOS "while :; do :; done"
#define STARVES BIOS "exec sleep 60"

static int
setup(void **state)
{
    struct bench *bench = mem_zero(1, sizeof *bench);
    void *folder = NULL;
    if (scratch_make(&folder) < 0)
        return -1;
    bench->folder = folder;
    bench->qemu = path_join(folder, "qemu");
    bench->kernel = path_join(folder, "vmlinuz");
    bench->device = path_join(folder, "kvm");
    bench->boot_id = path_join(folder, "boot_id");
    bench->runs = path_join(folder, "runs");
    bench->places = (struct accel_places){
        folder, bench->device, bench->boot_id, bench->qemu, bench->kernel, 20000};
    put(bench->kernel, 0644, "kernel");
    put(bench->device, 0644, "");
    put(bench->boot_id, 0644, "6bb3c7e8-boot-one\n");
    pretend(bench, WORKS);
    *state = bench;
    return 0;
}

static int
teardown(void **state)
{
    struct bench *bench = *state;
    void *folder = bench->folder;
    int result = scratch_remove(&folder);
    free(bench->qemu);
    free(bench->kernel);
    free(bench->device);
    free(bench->boot_id);
    free(bench->runs);
    error_clear(&bench->err);
    free(bench);
    return result;
}

static int
count_runs(const struct bench *bench)
{
    ERROR_AUTO struct error err = {0};
    FREE_AUTO char *text = NULL;
    int count = 0;
    if (file_read(bench->runs, 1 << 20, &text, NULL, &err) < 0)
        return 0;
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        count++;
    return count;
}

static void
assert_verdict(
    struct bench *bench, enum accel_wanted wanted, bool kvm, bool cached, const char *why)
{
    ACCEL_VERDICT_AUTO struct accel_verdict verdict = {0};
    int runs = count_runs(bench);
    assert_ok(accel_prove_at(&bench->places, wanted, &verdict, &bench->err), &bench->err);
    assert_int_equal(verdict.kvm, kvm);
    if (cached)
        assert_int_equal(count_runs(bench), runs);
    assert_contains(verdict.why, why);
}

// ---- the proof -----------------------------------------------------------------------------------

static void
test_works(void **state)
{
    struct bench *bench = *state;
    assert_verdict(bench, ACCEL_AUTO, true, false, "a kernel started under KVM after ");
    FREE_AUTO char *arguments = NULL;
    assert_ok(file_read(bench->runs, 4096, &arguments, NULL, &bench->err), &bench->err);
    assert_contains(arguments, "-accel kvm -cpu host -m 256 ");
    assert_contains(arguments, " -no-reboot ");
    assert_contains(arguments, "-append console=ttyS0 panic=-1");
}

// A first line is proof, whatever the guest does later.
static void
test_works_and_stays(void **state)
{
    struct bench *bench = *state;
    pretend(bench, "echo '[    0.000000] Linux version 6.1.0'; exec sleep 60");
    bench->places.timeout_ms = 2000;
    assert_verdict(bench, ACCEL_AUTO, true, false, "a kernel started");
}

// The firmware runs and the kernel does not, as with a /dev/kvm that does not work.
static void
test_hangs(void **state)
{
    struct bench *bench = *state;
    pretend(bench, HANGS);
    bench->places.timeout_ms = 500;
    assert_verdict(bench, ACCEL_AUTO, false, false, "but no kernel started under KVM within ");
    assert_verdict(bench, ACCEL_AUTO, false, true, "but no kernel started under KVM within ");
}

// A QEMU that got no processor proves nothing: it gets more time, and the refusal expires.
static void
test_starves(void **state)
{
    struct bench *bench = *state;
    FREE_AUTO char *cache = path_join(bench->folder, "accel.json");
    pretend(bench, STARVES);
    bench->places.timeout_ms = 300;
    assert_verdict(bench, ACCEL_AUTO, false, false, "within 1.5 s, in which QEMU ran for 0.");
    assert_int_equal(count_runs(bench), 2);
    assert_verdict(bench, ACCEL_AUTO, false, true, "within 1.5 s");
    FREE_AUTO char *text = NULL;
    assert_ok(file_read(cache, 1 << 16, &text, NULL, &bench->err), &bench->err);
    char *until = strstr(text, "\"until\": ");
    assert_non_null(until);
    until += strlen("\"until\": ");
    assert_true(atoll(until) > 0);
    memset(until, ' ', strspn(until, "0123456789") - 1);
    until[strspn(until, " ")] = '1'; // the first second of this boot
    put(cache, 0644, text);
    pretend(bench, WORKS);
    assert_verdict(bench, ACCEL_AUTO, true, false, "a kernel started");
    assert_verdict(bench, ACCEL_AUTO, true, true, "a kernel started");
}

// The host was busy for a moment.
static void
test_late(void **state)
{
    struct bench *bench = *state;
    pretend(bench, "[ $(wc -l <\"$0.runs\" 2>/dev/null || echo 0) -gt 0 ] || "
                   "{ echo >\"$0.runs\"; exec sleep 60; }; " WORKS);
    bench->places.timeout_ms = 2000;
    assert_verdict(bench, ACCEL_AUTO, true, false, "a kernel started");
    assert_int_equal(count_runs(bench), 2);
}

static void
test_fails(void **state)
{
    struct bench *bench = *state;
    pretend(bench, "echo one >&2; echo 'failed to initialize kvm: Device busy' >&2; exit 1");
    assert_verdict(bench, ACCEL_AUTO, false, false,
        "QEMU cannot use KVM: failed to initialize kvm: Device busy");
    pretend(bench, "exit 3 # wordless");
    assert_verdict(bench, ACCEL_AUTO, false, false, "QEMU ended with status 3");
}

// ---- no proof possible -------------------------------------------------------------------------

static void
test_no_device(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(unlink(bench->device), 0);
    assert_verdict(bench, ACCEL_AUTO, false, false, "there is no '");
    assert_error(accel_prove_at(&bench->places, ACCEL_KVM, &(struct accel_verdict){0}, &bench->err),
        &bench->err, ERR_MISSING, "KVM cannot be used here: there is no '");
    assert_int_equal(count_runs(bench), 0);
}

static void
test_no_qemu(void **state)
{
    struct bench *bench = *state;
    bench->places.qemu = NULL;
    assert_verdict(bench, ACCEL_AUTO, false, false, "no qemu-system-x86_64");
    assert_error(accel_prove_at(&bench->places, ACCEL_KVM, &(struct accel_verdict){0}, &bench->err),
        &bench->err, ERR_MISSING, "install QEMU");
}

static void
test_no_kernel(void **state)
{
    struct bench *bench = *state;
    bench->places.kernel = NULL;
    assert_verdict(bench, ACCEL_AUTO, false, false, "there is no kernel to test KVM with");
    assert_error(accel_prove_at(&bench->places, ACCEL_KVM, &(struct accel_verdict){0}, &bench->err),
        &bench->err, ERR_MISSING, "there is no kernel to test KVM with");
}

static void
test_qemu_vanishes(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(unlink(bench->qemu), 0);
    assert_verdict(bench, ACCEL_AUTO, false, false, bench->qemu);
}

// ---- the wanted accelerator -----------------------------------------------------------------------------

static void
test_tcg(void **state)
{
    struct bench *bench = *state;
    assert_verdict(bench, ACCEL_TCG, false, false, "software emulation was requested");
    assert_int_equal(count_runs(bench), 0);
}

// `accel: kvm` needs a proof, too, and repeats one that is cached as a refusal.
static void
test_forced(void **state)
{
    struct bench *bench = *state;
    struct accel_verdict verdict = {0};
    pretend(bench, "echo 'no KVM' >&2; exit 1");
    for (int i = 1; i <= 2; i++) {
        assert_error(accel_prove_at(&bench->places, ACCEL_KVM, &verdict, &bench->err), &bench->err,
            ERR_FAILED, "KVM does not work here: QEMU cannot use KVM: no KVM");
        assert_null(verdict.why);
        assert_int_equal(count_runs(bench), i);
    }
    assert_verdict(bench, ACCEL_AUTO, false, true, "no KVM");
    pretend(bench, WORKS);
    assert_verdict(bench, ACCEL_KVM, true, false, "a kernel started");
    assert_verdict(bench, ACCEL_KVM, true, true, "a kernel started");
}

// ---- the cache --------------------------------------------------------------------------

static void
test_remembered(void **state)
{
    struct bench *bench = *state;
    assert_verdict(bench, ACCEL_AUTO, true, false, "a kernel started");
    assert_verdict(bench, ACCEL_AUTO, true, true, "a kernel started");
    assert_int_equal(count_runs(bench), 1);
}

static void
test_forgotten(void **state)
{
    struct bench *bench = *state;
    assert_verdict(bench, ACCEL_AUTO, true, false, "");
    put(bench->boot_id, 0644, "6bb3c7e8-boot-two\n");
    assert_verdict(bench, ACCEL_AUTO, true, false, "");
    pretend(bench, WORKS " # another build");
    assert_verdict(bench, ACCEL_AUTO, true, false, "");
    assert_verdict(bench, ACCEL_AUTO, true, true, "");
    assert_int_equal(count_runs(bench), 3);
}

// The verdict holds for an image's kernel, the host's own, and none (as in a lab) alike.
static void
test_by_kernel(void **state)
{
    struct bench *bench = *state;
    FREE_AUTO char *other = path_join(bench->folder, "other-kernel");
    put(other, 0644, "other");
    assert_verdict(bench, ACCEL_AUTO, true, false, "");
    bench->places.kernel = other;
    assert_verdict(bench, ACCEL_AUTO, true, true, "");
    bench->places.kernel = NULL;
    assert_verdict(bench, ACCEL_AUTO, true, true, "");
    assert_int_equal(count_runs(bench), 1);
}

static void
test_damaged_cache(void **state)
{
    struct bench *bench = *state;
    FREE_AUTO char *cache = path_join(bench->folder, "accel.json");
    static const char *const texts[] = {"", "{", "[]", "{\"boot\": 7}", "null", "\xff\xfe"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        put(cache, 0644, texts[i]);
        assert_verdict(bench, ACCEL_AUTO, true, false, "");
        assert_verdict(bench, ACCEL_AUTO, true, true, "");
        assert_int_equal(count_runs(bench), i + 1);
    }
}

// Without a writable home every call runs the proof, without an error.
static void
test_no_home(void **state)
{
    struct bench *bench = *state;
    FREE_AUTO char *home = path_join(bench->kernel, "home");
    bench->places.home = home;
    assert_verdict(bench, ACCEL_AUTO, true, false, "");
    assert_verdict(bench, ACCEL_AUTO, true, false, "");
}

static int
prove_in_child(struct bench *bench)
{
    ACCEL_VERDICT_AUTO struct accel_verdict verdict = {0};
    if (accel_prove_at(&bench->places, ACCEL_AUTO, &verdict, &bench->err) < 0)
        return 1;
    return verdict.kvm ? 0 : 2;
}

// Several airbuilds at once run one proof, and all get its verdict.
static void
test_at_once(void **state)
{
    struct bench *bench = *state;
    pid_t children[4];
    pretend(bench, "sleep 0.3; " WORKS);
    for (int i = 0; i < 4; i++) {
        children[i] = fork();
        if (children[i] == 0)
            _exit(prove_in_child(bench));
    }
    for (int i = 0; i < 4; i++) {
        int status = 0;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    assert_int_equal(count_runs(bench), 1);
}

#define bench_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        bench_test(test_works),
        bench_test(test_works_and_stays),
        bench_test(test_hangs),
        bench_test(test_fails),
        bench_test(test_no_device),
        bench_test(test_no_qemu),
        bench_test(test_starves),
        bench_test(test_late),
        bench_test(test_no_kernel),
        bench_test(test_qemu_vanishes),
        bench_test(test_tcg),
        bench_test(test_forced),
        bench_test(test_remembered),
        bench_test(test_forgotten),
        bench_test(test_by_kernel),
        bench_test(test_damaged_cache),
        bench_test(test_no_home),
        bench_test(test_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
