// doctor_tools.c - the programs that airbuild starts, and what libguestfs makes its appliance of;
// see doctor.h.
// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "cli/workspace.h"
#include "virt/accel.h"

#include <string.h>
#include <unistd.h>

static const struct tool {
    const char *name, *use, *apt;
    const char *pacman; // NULL: not among Arch's packages
    bool bake;          // only for baking: no matter once the images are there
    bool vital;
} tools[] = {
    {"qemu-img", "it makes disks", "qemu-utils", "qemu-img", false, true},
    {"ssh-keygen", "it makes keys", "openssh-client", "openssh", false, true},
    {"ssh", "needed by 'airbuild ssh'", "openssh-client", "openssh", false, false},
    {"mmdebstrap", "it makes the Debian base", "mmdebstrap", NULL, true, true},
    {"gpgv", "it checks the signatures of images", "gpgv", "gnupg", true, true},
    {"pacstrap", "it makes the base of Arch's packages", "arch-install-scripts",
        "arch-install-scripts", true, true},
    {"dnsmasq", "it serves libvirt's networks", "dnsmasq-base", "dnsmasq", false, true},
    {"supermin", "it makes libguestfs' appliance", "supermin", "supermin", true, true},
};

static bool
has_base(const struct spec *spec, enum spec_base_kind kind)
{
    return spec_base_for(spec, SPEC_HAPROXY)->kind == kind ||
           spec_base_for(spec, SPEC_REDIS)->kind == kind;
}

static bool
has_signature(const struct spec *spec)
{
    return spec_base_for(spec, SPEC_HAPROXY)->signature != NULL ||
           spec_base_for(spec, SPEC_REDIS)->signature != NULL;
}

static bool
applies(const struct tool *tool, const struct spec *spec)
{
    if (str_equal(tool->name, "mmdebstrap"))
        return has_base(spec, SPEC_BASE_AUTO) || has_base(spec, SPEC_BASE_DEBIAN);
    if (str_equal(tool->name, "gpgv"))
        return has_base(spec, SPEC_BASE_AUTO) || has_base(spec, SPEC_BASE_ARCH) ||
               has_signature(spec);
    if (str_equal(tool->name, "pacstrap"))
        return has_base(spec, SPEC_BASE_BOOTSTRAP);
    if (str_equal(tool->name, "dnsmasq"))
        return spec->network.mode != SPEC_NETWORK_BRIDGE && str_starts(spec->uri, "qemu:///");
    return true;
}

// Which of the two makes a base that is chosen when it is baked is not known before.
static bool
is_sure(const struct tool *tool, const struct spec *spec)
{
    if (str_equal(tool->name, "mmdebstrap"))
        return has_base(spec, SPEC_BASE_DEBIAN);
    if (str_equal(tool->name, "gpgv"))
        return has_base(spec, SPEC_BASE_ARCH) || has_signature(spec);
    return true;
}

static void
check_tool(struct doctor *doctor, const struct tool *tool)
{
    FREE_AUTO char *path = path_program(tool->name);
    if (path != NULL) {
        doctor_pass(doctor, tool->name, "%s", path);
        return;
    }
    FREE_AUTO char *mend =
        tool->pacman != NULL
            ? str_format("apt-get install %s, or pacman -S %s", tool->apt, tool->pacman)
            : str_format("apt-get install %s; Arch has none, take base: arch or {file: ...} there",
                  tool->apt);
    bool fails = tool->vital && is_sure(tool, doctor->spec) && !(tool->bake && doctor->baked);
    doctor_bad(doctor, tool->name, fails ? DOCTOR_FAIL : DOCTOR_WARN, mend, "not installed; %s",
        tool->use);
}

// The version at the end of /boot/vmlinuz-VERSION, or in /usr/lib/modules/VERSION/vmlinuz; caller
// frees.
static char *
kernel_version(const char *path)
{
    const char *dash = strstr(path, "/boot/vmlinuz-");
    if (dash != NULL)
        return str_dup(dash + strlen("/boot/vmlinuz-"));
    const char *start = path + strlen("/usr/lib/modules/");
    return str_ndup(start, strcspn(start, "/"));
}

// Its modules are there too.
static bool
kernel_is_whole(const char *path)
{
    FREE_AUTO char *version = kernel_version(path);
    FREE_AUTO char *modules = str_format("/lib/modules/%s/modules.dep", version);
    return access(modules, R_OK) == 0;
}

// The kernel that supermin will take: LIBGUESTFS_PATH's fixed appliance needs none.
static void
check_appliance(struct doctor *doctor)
{
    const char *fixed = getenv("LIBGUESTFS_PATH");
    STRV_AUTO struct strv kernels = {0};
    accel_kernels(&kernels);
    const char *whole = NULL, *closed = NULL;
    for (size_t i = 0; i < kernels.count && whole == NULL; i++) {
        if (access(kernels.items[i], R_OK) != 0)
            closed = kernels.items[i];
        else if (kernel_is_whole(kernels.items[i]))
            whole = kernels.items[i];
    }
    enum doctor_result result = doctor->baked ? DOCTOR_WARN : DOCTOR_FAIL;
    if (fixed != NULL && fixed[0] == '/')
        doctor_pass(doctor, "appliance", "the fixed one in '%s'", fixed);
    else if (whole != NULL)
        doctor_pass(doctor, "appliance", "libguestfs can use '%s'", whole);
    else if (closed != NULL)
        doctor_bad(doctor, "appliance", result, "'chmod 0644 /boot/vmlinuz-*' as root",
            "libguestfs needs a kernel and may not read '%s'", closed);
    else
        doctor_bad(doctor, "appliance", result,
            "apt-get install linux-image-cloud-amd64, or pacman -S linux",
            "libguestfs needs a kernel with its modules in /boot, and there is none");
}

int
doctor_check_programs(struct doctor *doctor, struct error *err)
{
    for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++)
        if (applies(&tools[i], doctor->spec))
            check_tool(doctor, &tools[i]);
    check_appliance(doctor);
    return interrupt_check(err);
}

int
doctor_check_images(struct doctor *doctor, struct error *err)
{
    WORKSPACE_AUTO struct workspace workspace = {0};
    ERROR_AUTO struct error found = {0};
    if (workspace_open(doctor->spec, NULL, BAKE_LOOK, NULL, &workspace, &found) != 0) {
        if (found.code == ERR_INTERRUPTED)
            return error_set(err, found.code, "%s", found.message);
        doctor_bad(doctor, "images", DOCTOR_FAIL,
            "mend that, or set AIRBUILD_HOME to a folder of your own", "%s", found.message);
        return 0;
    }
    STRV_AUTO struct strv missing = {0};
    for (size_t i = 0; i < workspace.plan->count; i++)
        if (workspace.plan->items[i].state != BAKE_READY)
            strv_addf(&missing, "%s is %s", workspace.plan->items[i].name,
                bake_state_name(workspace.plan->items[i].state));
    FREE_AUTO char *list = strv_join(&missing, ", ");
    doctor->baked = missing.count == 0;
    if (doctor->baked)
        doctor_pass(doctor, "images", "all %zu are ready", workspace.plan->count);
    else
        doctor_bad(doctor, "images", DOCTOR_WARN, "run 'airbuild images'", "%s", list);
    return 0;
}
