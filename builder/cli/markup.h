// markup.h - text that goes into XML and HTML: nothing in it can be taken for markup. Pure.
// SPDX-License-Identifier: Apache-2.0
#ifndef AIRBUILD_CLI_MARKUP_H
#define AIRBUILD_CLI_MARKUP_H

#include "base/str.h"

// Append text (NULL is ""), good in elements and in quoted attributes: & < > " ' are written as
// references; control characters, what is not UTF-8 and what XML 1.0 cannot hold
// (https://www.w3.org/TR/xml/#charsets) as \xNN.
void markup_text(struct buf *buf, const char *text);

#endif
