// bake.c - bake images without the command line, and print "NAME KEY STATE" of every image.
// usage: bake HOME [--kvm] [--offline] [--plan] [--file DISK] [RECIPE]   (--plan: only print)
// SPDX-License-Identifier: Apache-2.0
#include "bake/bake.h"
#include "base/cleanup.h"
#include "base/interrupt.h"

#include <stdio.h>
#include <string.h>

struct arguments {
    const char *home, *file, *recipe;
    bool kvm, offline, plan;
};

static void
parse(int count, char **words, struct arguments *ret)
{
    for (int i = 1; i < count; i++) {
        if (strcmp(words[i], "--kvm") == 0)
            ret->kvm = true;
        else if (strcmp(words[i], "--offline") == 0)
            ret->offline = true;
        else if (strcmp(words[i], "--plan") == 0)
            ret->plan = true;
        else if (strcmp(words[i], "--file") == 0 && i + 1 < count)
            ret->file = words[++i];
        else if (ret->home == NULL)
            ret->home = words[i];
        else
            ret->recipe = words[i];
    }
}

static void
print_plan(const struct bake_plan *plan)
{
    static const char *const states[] = {"ready", "missing", "damaged"};
    for (size_t i = 0; i < plan->count; i++)
        printf("%s %s %s\n", plan->items[i].name, plan->items[i].key, states[plan->items[i].state]);
}

static int
run(const struct arguments *arguments, struct error *err)
{
    STORE_AUTO struct store *store = NULL;
    BAKE_PLAN_AUTO struct bake_plan *plan = NULL;
    PROGRESS_AUTO struct progress *progress = progress_new(stderr, false, false);
    struct spec_base base = {.kind = arguments->file == NULL ? SPEC_BASE_DEBIAN : SPEC_BASE_FILE,
        .file = (char *) arguments->file,
        .suite = (char[]){"bookworm"},
        .mirror = (char[]){"http://deb.debian.org/debian"}};
    struct spec spec = {.bases = {base, base}};
    struct bake_options options = {
        .kvm = arguments->kvm, .offline = arguments->offline, .progress = progress};
    if (interrupt_install(err) < 0 || store_open(arguments->home, &store, err) < 0 ||
        bake_plan_make(&spec, store, arguments->recipe, BAKE_ASK_NEW, progress, &plan, err) < 0)
        return -1;
    if (!arguments->plan && bake_run(plan, store, &options, err) < 0)
        return -1;
    print_plan(plan);
    return 0;
}

int
main(int count, char **words)
{
    ERROR_AUTO struct error err = {0};
    struct arguments arguments = {0};
    parse(count, words, &arguments);
    if (arguments.home == NULL || run(&arguments, &err) < 0) {
        fprintf(stderr, "bake: %s\n", err.message == NULL ? "bake HOME [...]" : err.message);
        return err.code == ERR_NONE ? ERR_USAGE : (int) err.code;
    }
    return 0;
}
