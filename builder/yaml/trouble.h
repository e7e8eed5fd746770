// trouble.h - inside yaml/ only: what libyaml found wrong, as a complaint in airbuild's words.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_YAML_TROUBLE_H
#define AIRBUILD_YAML_TROUBLE_H

#include "yaml/yaml.h"

#include <yaml.h>

// The parser's error becomes one complaint of source.
void trouble_complain(struct yaml_source *source, const yaml_parser_t *parser);

// Bytes of the byte order mark that the text begins with: 3 or 0.
size_t trouble_mark(const struct yaml_source *source);

// Look at the bytes before libyaml does: false, and one complaint, when they are not text.
bool trouble_is_text(struct yaml_source *source);

#endif
