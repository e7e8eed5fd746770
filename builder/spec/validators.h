// validators.h - inside spec/ only: whether a text is a valid value of its kind.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_SPEC_VALIDATORS_H
#define AIRBUILD_SPEC_VALIDATORS_H

#include <stdbool.h>

bool valid_short_name(const char *text); // host label of at most 10 characters
bool valid_node_name(const char *text);  // host label of at most 31 characters, not localhost
bool valid_interface(const char *text);  // name of a Linux network interface
bool valid_address(const char *text);
bool valid_subnet(const char *text);
bool valid_mac(const char *text);
bool valid_uri(const char *text);
bool valid_mirror(const char *text);
bool valid_suite(const char *text);
bool valid_download(const char *text); // URL of a file: http, https or file, no account in it
bool valid_sha256(const char *text);
bool valid_snapshot(const char *text);   // a day of the calendar, 2026-11-01
bool valid_arch_image(const char *text); // latest, or a version such as 20261001.604814
bool valid_bootstrap(const char *text);
bool valid_path(const char *text);
bool valid_account(const char *text); // that account_is_taken does not refuse
bool valid_public_key(const char *text);
bool valid_master_name(const char *text);

// Whether a base image already has an account or a group of that name.
bool account_is_taken(const char *name);
bool uri_is_local(const char *text); // of a valid_uri: it names no other host

#endif
