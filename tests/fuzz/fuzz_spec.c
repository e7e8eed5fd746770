// fuzz_spec.c - libFuzzer target for the spec parser, the YAML reader and the YAML writer. Built
// with clang -fsanitize=fuzzer,address,undefined; tests/errors and images/cluster.yaml seed it.
// SPDX-License-Identifier: Apache-2.0
#include "spec_one.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    spec_one((const char *) data, size);
    return 0;
}
