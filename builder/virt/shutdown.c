// shutdown.c - several domains shut down in order, all at once, with one deadline.
// SPDX-License-Identifier: Apache-2.0
#include "base/cleanup.h"
#include "base/clock.h"
#include "virt/internal.h"

#include <stdlib.h>

#define LOOK_MS 200
#define PRESS_AGAIN_MS 5000 // a guest that is still booting loses a press of its button
#define PRESSES_BEFORE_AGENT 3

struct down {
    virDomainPtr domain; // NULL once it is off
    bool stuck;          // not waited for: it does not see its button
};

struct downs {
    struct down *downs;
    size_t count;
    size_t up; // that are waited for
    void (*each)(void *context, const char *name);
    void *context;
};

static void
downs_free(struct downs *downs)
{
    for (size_t i = 0; i < downs->count; i++)
        domain_freep(&downs->downs[i].domain);
    free(downs->downs);
}

// A paused guest does not see its button. One that cannot be set going is left to whoever pulls
// power; one that libvirt works on goes its own way.
static int
set_going(
    virDomainPtr domain, const struct condition *condition, bool *ret_stuck, struct error *err)
{
    *ret_stuck = condition->held == ERR_GUEST;
    if (condition->state != VIRT_PAUSED || condition->held != ERR_NONE ||
        power_resume(domain, condition, err) == 0)
        return 0;
    if (err->code == ERR_INTERRUPTED)
        return -1;
    error_clear(err);
    *ret_stuck = true;
    return 0;
}

static int
add_shutdown(struct downs *downs, struct virt *virt, const char *cluster, const char *name,
    struct error *err)
{
    DOMAIN_AUTO virDomainPtr domain = NULL;
    struct condition condition;
    bool stuck = false;
    if (domain_seek(virt, cluster, name, &domain, err) < 0)
        return -1;
    if (domain == NULL)
        return 0;
    if (domain_condition(domain, &condition, err) < 0)
        return -1;
    if (!state_is_up(condition.state))
        return 0;
    if (set_going(domain, &condition, &stuck, err) < 0)
        return -1;
    downs->downs[downs->count++] = (struct down){TAKE(domain), stuck};
    downs->up += !stuck;
    return 0;
}

static int
forget_ended(struct downs *downs, struct error *err)
{
    for (size_t i = 0; i < downs->count; i++) {
        struct down *down = &downs->downs[i];
        enum virt_state state;
        if (down->domain == NULL)
            continue;
        if (domain_state(down->domain, &state, NULL, err) < 0)
            return -1;
        if (state_is_up(state))
            continue;
        if (downs->each != NULL)
            downs->each(downs->context, virDomainGetName(down->domain));
        domain_freep(&down->domain);
        down->domain = NULL;
        downs->up -= !down->stuck;
    }
    return 0;
}

// A press that fails (the guest is just going off, its agent does not answer) is followed by
// another.
static int
press(const struct downs *downs, unsigned presses, struct error *err)
{
    bool agent = presses >= PRESSES_BEFORE_AGENT && presses % 2 != 0;
    for (size_t i = 0; i < downs->count; i++) {
        const struct down *down = &downs->downs[i];
        if (down->domain == NULL || down->stuck || power_press(down->domain, agent, err) == 0)
            continue;
        if (err->code == ERR_INTERRUPTED)
            return -1;
        error_clear(err);
    }
    return 0;
}

static int
bring_down(struct downs *downs, int64_t timeout_ms, struct error *err)
{
    int64_t end = clock_ms() + timeout_ms;
    int64_t next_press = clock_ms();
    for (unsigned presses = 0; downs->up > 0 && clock_left(end) > 0;) {
        if (clock_left(next_press) == 0) {
            if (press(downs, presses++, err) < 0)
                return -1;
            next_press = clock_ms() + PRESS_AGAIN_MS;
        }
        if (forget_ended(downs, err) < 0)
            return -1;
        if (downs->up > 0 && clock_sleep(LOOK_MS, err) < 0)
            return -1;
    }
    return 0;
}

int
virt_domain_shutdown(struct virt *virt, const char *cluster, const struct strv *names,
    int64_t timeout_ms, void (*each)(void *context, const char *name), void *context,
    struct strv *ret_left, struct error *err)
{
    CLEANUP(downs_free) struct downs downs = {.each = each, .context = context};
    downs.downs = mem_zero(names->count + 1, sizeof(*downs.downs));
    for (size_t i = 0; i < names->count; i++)
        if (add_shutdown(&downs, virt, cluster, names->items[i], err) < 0)
            return -1;
    if (bring_down(&downs, timeout_ms, err) < 0)
        return -1;
    for (size_t i = 0; i < downs.count; i++)
        if (downs.downs[i].domain != NULL)
            strv_add(ret_left, virDomainGetName(downs.downs[i].domain));
    return 0;
}
