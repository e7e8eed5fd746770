// bootstrap_inside.h - inside bootstrap*.c only.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_BAKE_BOOTSTRAP_INSIDE_H
#define AIRBUILD_BAKE_BOOTSTRAP_INSIDE_H

#include "bake/bootstrap.h"

enum { BOOTSTRAP_MS = 30 * 60 * 1000 };

// What the distribution's tool printed names a step that failed: the error about it, or 0.
int bootstrap_step_failed(const struct recipe *recipe, const char *text, struct error *err);

// Each makes FOLDER/root (or FOLDER/root.tar) of FOLDER/early, FOLDER/steps and FOLDER/packages;
// kept: the packages are there, else they are there afterwards.
int bootstrap_debian(const struct bootstrap *bootstrap, bool kept, struct error *err);
int bootstrap_arch(const struct bootstrap *bootstrap, bool kept, struct error *err);

#endif
