// test_bake_pacman.c - configuration and arguments of pacman and pacstrap, causes of pacman's
// errors, and the root arguments from an image's own GRUB. Nothing runs. AIRBUILD_REGENERATE=1
// writes the golden files again.
// SPDX-License-Identifier: Apache-2.0
#include "unit.h"

#include "bake/arch.h"
#include "bake/debian.h"
#include "bake/install.h"
#include "base/asset.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "spec/validators.h"

#define GOLDEN "tests/golden/bake/"

static const char text[] = "name: base-small\n"
                           "bootstrap:\n"
                           "  family: arch\n"
                           "  sources: [core, extra]\n"
                           "  packages: [base, linux]\n"
                           "  exclude: [/usr/share/man/*]\n"
                           "steps:\n"
                           "  - {command: echo one, family: debian}\n"
                           "  - {command: echo two, family: arch}\n";

static struct recipe *
read_recipe(const char *folder)
{
    ERROR_AUTO struct error err = {0};
    struct recipe *recipe = NULL;
    FREE_AUTO char *path = path_join(folder, "small.yaml");
    assert_ok(file_write(path, 0644, text, strlen(text), &err), &err);
    assert_ok(recipe_load_file(path, &recipe, &err), &err);
    return recipe;
}

static char kind[] = "arch", mirror[] = "file:///srv/arch", keys[] = "/srv/it's.asc";

static void
assert_words(const struct bake_job *job, bool kept, const char *golden)
{
    STRV_AUTO struct strv words = {0};
    arch_bootstrap_words(job, kept, &words);
    strv_add(&words, "");
    FREE_AUTO char *lines = strv_join(&words, "\n");
    assert_golden(golden, lines);
}

static void
test_pacstrap(void **state)
{
    RECIPE_AUTO struct recipe *recipe = read_recipe(*state);
    struct spec_base base = {.kind = SPEC_BASE_BOOTSTRAP, .bootstrap = kind, .mirror = mirror};
    struct bake_source source = {.recipe = recipe, .base = base};
    struct bake_item item = {.source = &source};
    struct bake_job job = {.item = &item, .work = "/store/work"};
    strv_add(&job.prefetch, "valkey");
    STRV_AUTO struct strv servers = {0};
    strv_add(&servers, "https://one.example/$repo/os/$arch");
    strv_add(&servers, "https://two.example/$repo/os/$arch");
    FREE_AUTO char *conf = arch_bootstrap_conf(&job, &servers);
    assert_golden(GOLDEN "pacstrap.conf", conf);
    assert_words(&job, false, GOLDEN "pacstrap.txt");
    source.base.keyring = keys;
    assert_words(&job, true, GOLDEN "pacstrap-kept.txt");
    strv_free(&job.prefetch);
}

// A layer's pacman keeps the installed kernel and runs the image's own hooks.
static void
test_conf_of_a_layer(void **state)
{
    STRV_AUTO struct strv servers = {0}, repositories = {0};
    strv_add(&servers, "https://one.example/$repo/os/$arch");
    strv_add(&repositories, "extra");
    struct pacman pacman = {.servers = &servers,
        .repositories = &repositories,
        .folder = "/cache",
        .hooks = "/etc/pacman.d/hooks/"};
    FREE_AUTO char *conf = pacman_conf(&pacman);
    assert_golden(GOLDEN "pacman.conf", conf);
}

static void
test_only_its_own_steps(void **state)
{
    RECIPE_AUTO struct recipe *recipe = read_recipe(*state);
    FREE_AUTO char *script = bootstrap_script(recipe);
    assert_null(strstr(script, "echo one"));
    assert_contains(script, "echo two");
    assert_contains(script, "small.yaml:9'");
}

static void
test_step_that_failed(void **state)
{
    RECIPE_AUTO struct recipe *recipe = read_recipe(*state);
    ERROR_AUTO struct error err = {0};
    assert_int_equal(bootstrap_step_failed(recipe, "all is well\n", &err), 0);
    assert_error(bootstrap_step_failed(
                     recipe, "the tap is dry\nairbuild: failed: r.yaml:9\nerror: and more\n", &err),
        &err, ERR_SPEC, "r.yaml:9: a step of the recipe 'base-small' failed: the tap is dry");
}

static void
test_another_set_for_another_mirror(void **state)
{
    RECIPE_AUTO struct recipe *recipe = read_recipe(*state);
    char other_mirror[] = "https://other.example/arch";
    struct spec_base base = {.kind = SPEC_BASE_BOOTSTRAP, .bootstrap = kind, .mirror = mirror};
    FREE_AUTO char *first = bootstrap_set(recipe, &base);
    FREE_AUTO char *same = bootstrap_set(recipe, &base);
    base.mirror = other_mirror;
    FREE_AUTO char *other = bootstrap_set(recipe, &base);
    assert_string_equal(first, same);
    assert_string_not_equal(first, other);
}

// The name of a layer's kept packages: Arch's depends on the snapshot.
static void
test_another_set_for_another_day(void **state)
{
    char one_day[] = "2026-10-01", other_day[] = "2026-11-01";
    struct spec_base base = {.kind = SPEC_BASE_FILE, .snapshot = one_day};
    STRV_AUTO struct strv packages = {0};
    strv_add(&packages, "valkey");
    FREE_AUTO char *first = install_set("key", &distro_arch, &packages, &base);
    FREE_AUTO char *debian = install_set("key", &distro_debian, &packages, &base);
    base.snapshot = other_day;
    FREE_AUTO char *later = install_set("key", &distro_arch, &packages, &base);
    FREE_AUTO char *same = install_set("key", &distro_debian, &packages, &base);
    assert_string_not_equal(first, later);
    assert_string_equal(debian, same);
}

static void
test_servers_are_filled_in(void **state)
{
    FREE_AUTO char *one = distro_fill("/srv/$repo/os/$arch", "$repo", "core", "$arch", "x86_64");
    FREE_AUTO char *two =
        distro_fill("/srv/$repo-$repo/$other$", "$repo", "extra", "$arch", "x86_64");
    assert_string_equal(one, "/srv/core/os/x86_64");
    assert_string_equal(two, "/srv/extra-extra/$other$");
}

// Output of pacman 6.0 and 7.0, which prints the first cause last.
static const struct {
    const char *said;
    enum error_code code;
    const char *sentence;
} causes[] = {
    {NULL, ERR_FAILED, "pacman failed: it gave no reason"},
    {"gpg: key generation failed: File name too long\n\n", ERR_FAILED,
        "pacman failed: gpg: key generation failed: File name too long"},
    {"==> ERROR: There is no secret key available to sign with.\n==> Use 'pacman-key'\n",
        ERR_FAILED, "pacman failed: There is no secret key available to sign with."},
    {"error: command failed to execute correctly\nchroot: failed to run command 'sh'\n", ERR_FAILED,
        "pacman failed: chroot: failed to run command 'sh'"},
    {"error: failed to init transaction (unable to lock database)\n", ERR_FAILED,
        "pacman failed: failed to init transaction (unable to lock database)"},
    {"error: target not found: valkey\n", ERR_SPEC,
        "'https://m/' does not have a requested package; check its name, or use another snapshot: "
        "target not found: valkey"},
    {"warning: cannot resolve \"libc>=3\", a dependency of \"valkey\"\n"
     "error: failed to prepare transaction (could not satisfy dependencies)\n",
        ERR_SPEC, "'https://m/' does not have a requested package"},
    {"error: failed retrieving file 'extra.db' from m : Could not resolve host: m\n"
     "error: failed to synchronize all databases (download library error)\n",
        ERR_NETWORK,
        "the packages cannot be downloaded from 'https://m/' and none are kept; check the "
        "network and the mirror, then run 'airbuild images' again: failed retrieving file "
        "'extra.db' from m : Could not resolve host: m"},
    {"error: failed retrieving file 'valkey-9.1.3-1-x86_64.pkg.tar.zst' from m : transfer "
     "closed with 1 bytes remaining to read\n"
     "warning: failed to retrieve some files\n"
     "error: failed to commit transaction (transfer closed)\n",
        ERR_NETWORK, "the packages cannot be downloaded from 'https://m/'"},
    {"error: valkey: signature from \"Somebody New <new@archlinux.org>\" is unknown trust\n"
     "error: failed to commit transaction (invalid or corrupted package (PGP signature))\n",
        ERR_DAMAGED,
        "a package of 'https://m/' is not signed by a key that the image's keyring trusts; an "
        "old keyring does not know new packagers, so use a snapshot of the image's own "
        "date, or a newer image: valkey: signature from \"Somebody New "
        "<new@archlinux.org>\" is unknown trust"},
    {"error: haproxy: signature from \"Some One <one@archlinux.org>\" is invalid\n"
     "error: failed to commit transaction (invalid or corrupted package (PGP signature))\n",
        ERR_DAMAGED,
        "a package of 'https://m/' does not match its signature; it was damaged at the "
        "mirror or on the way, so run it again, or use another mirror: haproxy: signature "
        "from \"Some One <one@archlinux.org>\" is invalid"},
    {"error: failed to commit transaction (invalid or corrupted package (checksum))\n", ERR_DAMAGED,
        "a package of 'https://m/' does not match its signature"},
    {"error: keyring is not writable\nerror: required key missing from keyring\n", ERR_DAMAGED,
        "is not signed by a key that the image's keyring trusts"},
    {"error: valkey: missing required signature\n", ERR_DAMAGED, "is not signed by a key"},
    {"error: could not open file /db/sync/core.db: Unrecognized archive format\n"
     "error: target not found: base\n",
        ERR_NETWORK,
        "'https://m/' did not return a package database; open it in a browser to see whether this "
        "network asks for a sign-in, or use another mirror: could not open file "
        "/db/sync/core.db: Unrecognized archive format"},
    {"error: GPGME error: No data\nerror: failed to synchronize all databases (invalid or "
     "corrupted database (PGP signature))\n",
        ERR_NETWORK, "'https://m/' did not return a package database"},
    {"error: failed retrieving file 'core.db' from m : Operation too slow. Less than 1 bytes/sec "
     "transferred the last 10 seconds\n",
        ERR_NETWORK, "the packages cannot be downloaded from 'https://m/'"},
    {"error: key \"879F6E911D00C168\" could not be looked up remotely\n"
     "error: failed to commit transaction (unexpected error)\n",
        ERR_DAMAGED, "is not signed by a key that the image's keyring trusts; an old keyring"},
    {"error: Partition / too full: 90 blocks needed, 2 blocks free\n"
     "error: failed to commit transaction (not enough free disk space)\n",
        ERR_SPACE, "the disk became full while packages were installed"},
};

static void
test_causes(void **state)
{
    for (size_t i = 0; i < sizeof causes / sizeof *causes; i++) {
        ERROR_AUTO struct error err = {0};
        assert_error(pacman_error(causes[i].said, "https://m/", "the image's", &err), &err,
            causes[i].code, causes[i].sentence);
    }
}

static void
test_cmdline(void **state)
{
    static const struct {
        const char *line, *is;
    } cases[] = {
        {NULL, "root=UUID=1 rw quiet console=ttyS0,115200 net.ifnames=0"},
        {"", "root=UUID=1 rw quiet console=ttyS0,115200 net.ifnames=0"},
        {"\tlinux\t/boot/vmlinuz-linux root=UUID=1 rw net.ifnames=0 rootflags=compress=zstd:1 "
         "console=tty0 console=ttyS0,115200\n",
            "root=UUID=1 rootflags=compress=zstd:1 rw quiet console=ttyS0,115200 net.ifnames=0"},
        {"linux /@/boot/vmlinuz root=UUID=1 rw rootflags=subvol=@ rootflags=compress=zstd\n",
            "root=UUID=1 rootflags=subvol=@,compress=zstd rw quiet console=ttyS0,115200 "
            "net.ifnames=0"},
        {"linux /vmlinuz root=UUID=1 ro rootflags=noatime\n",
            "root=UUID=1 rootflags=noatime rw quiet console=ttyS0,115200 net.ifnames=0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        FREE_AUTO char *is = base_cmdline("root=UUID=1", cases[i].line);
        assert_string_equal(is, cases[i].is);
    }
}

static void
test_initrd_of_a_kernel(void **state)
{
    FREE_AUTO char *arch = distro_initrd(&distro_arch, "/boot/vmlinuz-linux");
    FREE_AUTO char *lts = distro_initrd(&distro_arch, "/boot/vmlinuz-linux-lts");
    FREE_AUTO char *debian = distro_initrd(&distro_debian, "/boot/vmlinuz-6.1.0-28-amd64");
    assert_string_equal(arch, "/boot/initramfs-linux.img");
    assert_string_equal(lts, "/boot/initramfs-linux-lts.img");
    assert_string_equal(debian, "/boot/initrd.img-6.1.0-28-amd64");
}

// Each distribution is found by its number, name and package format, the program carries its script
// and recipe, and the spec knows its name.
static void
test_distros(void **state)
{
    for (unsigned i = 0; distro_words[i + 1] != NULL; i++) {
        ERROR_AUTO struct error err = {0};
        FREE_AUTO char *script = NULL;
        const struct distro *distro = distro_numbered(i);
        FREE_AUTO char *name = str_format("images/scripts/%s.sh", distro->name);
        assert_string_equal(distro->name, distro_words[i + 1]);
        assert_ptr_equal(distro_named(distro->name), distro);
        assert_ptr_equal(distro_of_format(distro->package_format), distro);
        struct spec_base base = {.kind = distro->packages_kind, .bootstrap = (char *) distro->name};
        assert_ptr_equal(distro_of_packages(&base), distro);
        assert_ok(asset_read(name, &script, NULL, &err), &err);
        RECIPE_AUTO struct recipe *recipe = NULL;
        FREE_AUTO char *base_recipe = str_format("base-%s", distro->name);
        assert_ok(recipe_load(base_recipe, &recipe, &err), &err);
        assert_ptr_equal(recipe_distro(recipe), distro);
        assert_true(valid_bootstrap(distro->name) == (i > 0));
    }
    assert_null(distro_named("suse"));
    assert_null(distro_of_format(NULL));
    assert_null(distro_of_packages(&(struct spec_base){.kind = SPEC_BASE_FILE}));
    assert_null(distro_images_of(SPEC_BASE_URL));
    assert_ptr_equal(distro_images_of(SPEC_BASE_ARCH), &arch_images);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(test_pacstrap),
        cmocka_unit_test(test_conf_of_a_layer),
        scratch_test(test_only_its_own_steps),
        scratch_test(test_step_that_failed),
        scratch_test(test_another_set_for_another_mirror),
        cmocka_unit_test(test_another_set_for_another_day),
        cmocka_unit_test(test_servers_are_filled_in),
        cmocka_unit_test(test_causes),
        cmocka_unit_test(test_cmdline),
        cmocka_unit_test(test_initrd_of_a_kernel),
        cmocka_unit_test(test_distros),
    };
    unsetenv("AIRBUILD_ARCH_MIRRORS");
    return cmocka_run_group_tests_name("pacman", tests, NULL, NULL);
}
