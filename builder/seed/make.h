// make.h - between secrets.c (the value and its file), make.c (what makes it) and ssh.c (what ssh
// needs of it). Internal to seed/.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_SEED_MAKE_H
#define AIRBUILD_SEED_MAKE_H

#include "base/error.h"
#include "seed/secrets.h"

#define SECRETS_PASSWORD_LENGTH 32

// A new empty node at the end of the list. Pointers to other nodes are void after it.
struct secrets_node *secrets_add_node(struct secrets *secrets);

// Publish FOLDER/secrets.json.
int secrets_store(const struct secrets *secrets, const char *folder, struct error *err);

#endif
