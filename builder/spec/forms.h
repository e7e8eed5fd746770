// forms.h - inside spec/ only: what single values must look like. Each says whether a text will do.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_SPEC_FORMS_H
#define AIRBUILD_SPEC_FORMS_H

#include <stdbool.h>

bool form_short_name(const char *text); // host label of at most 10 characters
enum { NODE_NAME_MAX = 31 };
bool form_node_name(const char *text); // host label of at most 31 characters, not localhost
bool form_interface(const char *text); // name of a Linux network interface
bool form_address(const char *text);
bool form_subnet(const char *text);
bool form_mac(const char *text);
bool form_uri(const char *text);
bool form_mirror(const char *text);
bool form_suite(const char *text);
bool form_download(const char *text); // URL of a file: http, https or file, no account in it
bool form_sha256(const char *text);
bool form_snapshot(const char *text);   // a day of the calendar, 2026-11-01
bool form_arch_image(const char *text); // latest, or a version such as 20261001.604814
bool form_bootstrap(const char *text);
bool form_path(const char *text);
bool form_account(const char *text); // of somebody new, see account_is_taken
bool form_public_key(const char *text);
bool form_master_name(const char *text);

// Whether an image has an account or a group of that name already.
bool account_is_taken(const char *name);
bool uri_is_local(const char *text); // of what form_uri takes: no other host is named

#endif
