// parser_error.h - inside yaml/ only: the errors of libyaml's parser in airbuild's words.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_YAML_PARSER_ERROR_H
#define AIRBUILD_YAML_PARSER_ERROR_H

#include "yaml/yaml.h"

#include <yaml.h>

// Adds the parser's error to source.
void parser_error_add(struct yaml_source *source, const yaml_parser_t *parser);

#endif
