// doctor_tools.c - the programs that airbuild starts, the kernel for libguestfs' appliance, and the
// images; see doctor.h.
// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "cli/workspace.h"
#include "virt/accel.h"

#include <string.h>
#include <unistd.h>

static const struct tool {
    const char *name, *use, *apt;
    const char *pacman; // NULL: not among Arch's packages
    bool bake;          // needed by baking only, so not when all images are ready
    bool vital;
} tools[] = {
    {"qemu-img", "creates disks", "qemu-utils", "qemu-img", false, true},
    {"ssh-keygen", "creates keys", "openssh-client", "openssh", false, true},
    {"ssh", "needed by 'airbuild ssh'", "openssh-client", "openssh", false, false},
    {"mmdebstrap", "creates the Debian base", "mmdebstrap", NULL, true, true},
    {"gpgv", "checks signatures of images", "gpgv", "gnupg", true, true},
    {"pacstrap", "creates the base of Arch's packages", "arch-install-scripts",
        "arch-install-scripts", true, true},
    {"dnsmasq", "serves DNS and DHCP on libvirt's networks", "dnsmasq-base", "dnsmasq", false,
        true},
    {"supermin", "creates libguestfs' appliance", "supermin", "supermin", true, true},
};

enum tool_need { TOOL_UNUSED, TOOL_MAYBE, TOOL_NEEDED };

static bool
has_base(const struct spec *spec, enum spec_base_kind kind)
{
    return spec->bases[SPEC_HAPROXY].kind == kind || spec->bases[SPEC_REDIS].kind == kind;
}

// A base that is chosen when it is baked (auto) may need one tool or another.
static enum tool_need
tool_need(const char *tool, const struct spec *spec)
{
    enum tool_need otherwise = has_base(spec, SPEC_BASE_AUTO) ? TOOL_MAYBE : TOOL_UNUSED;
    if (str_equal(tool, "mmdebstrap"))
        return has_base(spec, SPEC_BASE_DEBIAN) ? TOOL_NEEDED : otherwise;
    if (str_equal(tool, "gpgv"))
        return has_base(spec, SPEC_BASE_ARCH) || spec->bases[SPEC_HAPROXY].signature != NULL ||
                       spec->bases[SPEC_REDIS].signature != NULL
                   ? TOOL_NEEDED
                   : otherwise;
    if (str_equal(tool, "pacstrap"))
        return has_base(spec, SPEC_BASE_BOOTSTRAP) ? TOOL_NEEDED : TOOL_UNUSED;
    if (str_equal(tool, "dnsmasq"))
        return spec->network.mode != SPEC_NETWORK_BRIDGE && str_starts(spec->uri, "qemu:///")
                   ? TOOL_NEEDED
                   : TOOL_UNUSED;
    return TOOL_NEEDED;
}

static void
check_tool(struct doctor *doctor, const struct tool *tool)
{
    enum tool_need need = tool_need(tool->name, doctor->spec);
    if (need == TOOL_UNUSED)
        return;
    FREE_AUTO char *path = path_program(tool->name);
    if (path != NULL) {
        doctor_pass(doctor, tool->name, "%s", path);
        return;
    }
    FREE_AUTO char *fix =
        tool->pacman != NULL
            ? str_format("apt-get install %s, or pacman -S %s", tool->apt, tool->pacman)
            : str_format("apt-get install %s; Arch has none, set base: arch or {file: ...} there",
                  tool->apt);
    bool fails = tool->vital && need == TOOL_NEEDED && !(tool->bake && doctor->baked);
    doctor_add(
        doctor, tool->name, fails ? DOCTOR_FAIL : DOCTOR_WARN, fix, "not installed; %s", tool->use);
}

// supermin needs a kernel and its modules; a fixed appliance (LIBGUESTFS_PATH) needs none.
static void
check_appliance(struct doctor *doctor)
{
    const char *fixed = getenv("LIBGUESTFS_PATH");
    STRV_AUTO struct strv kernels = {0};
    accel_kernels(&kernels);
    const char *whole = NULL, *closed = NULL;
    for (size_t i = 0; i < kernels.count && whole == NULL; i++) {
        const char *path = kernels.items[i]; // /boot/vmlinuz-VERSION, /usr/lib/modules/VERSION/...
        const char *version =
            path + strlen(str_starts(path, "/boot/") ? "/boot/vmlinuz-" : "/usr/lib/modules/");
        FREE_AUTO char *modules =
            str_format("/lib/modules/%.*s/modules.dep", (int) strcspn(version, "/"), version);
        if (access(path, R_OK) != 0)
            closed = path;
        else if (access(modules, R_OK) == 0)
            whole = path;
    }
    enum doctor_result result = doctor->baked ? DOCTOR_WARN : DOCTOR_FAIL;
    if (fixed != NULL && fixed[0] == '/')
        doctor_pass(doctor, "appliance", "the fixed one in '%s'", fixed);
    else if (whole != NULL)
        doctor_pass(doctor, "appliance", "libguestfs can use '%s'", whole);
    else if (closed != NULL)
        doctor_add(doctor, "appliance", result, "'chmod 0644 /boot/vmlinuz-*' as root",
            "libguestfs needs a kernel and has no permission to read '%s'", closed);
    else
        doctor_add(doctor, "appliance", result,
            "apt-get install linux-image-cloud-amd64, or pacman -S linux",
            "libguestfs needs a kernel and its modules; this host has none");
}

void
doctor_check_programs(struct doctor *doctor)
{
    for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++)
        check_tool(doctor, &tools[i]);
    check_appliance(doctor);
}

void
doctor_check_images(struct doctor *doctor)
{
    WORKSPACE_AUTO struct workspace workspace = {0};
    ERROR_AUTO struct error found = {0};
    if (workspace_open(doctor->spec, NULL, BAKE_LOOK, NULL, &workspace, &found) != 0) {
        doctor_add(doctor, "images", DOCTOR_FAIL,
            "correct that, or set AIRBUILD_HOME to a folder of your own", "%s", found.message);
        return;
    }
    STRV_AUTO struct strv missing = {0};
    for (size_t i = 0; i < workspace.plan->count; i++)
        if (workspace.plan->items[i].state != BAKE_READY)
            strv_addf(&missing, "%s is %s", workspace.plan->items[i].name,
                bake_state_name(workspace.plan->items[i].state));
    FREE_AUTO char *list = strv_join(&missing, ", ");
    doctor->baked = missing.count == 0;
    if (doctor->baked)
        doctor_pass(doctor, "images", "all %zu images are ready", workspace.plan->count);
    else
        doctor_add(doctor, "images", DOCTOR_WARN, "run 'airbuild images'", "%s", list);
}
