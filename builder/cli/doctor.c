// doctor.c - the list of facts; see doctor.h.
// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor.h"

#include "base/str.h"

#include <stdarg.h>
#include <stdlib.h>

void
doctor_add(struct doctor *doctor, const char *name, enum doctor_result result, const char *fix,
    const char *format, ...)
{
    va_list args;
    va_start(args, format);
    mem_grow(&doctor->facts, &doctor->capacity, doctor->count + 1, sizeof(*doctor->facts));
    doctor->facts[doctor->count++] = (struct doctor_fact){
        .name = name,
        .result = result,
        .detail = str_formatv(format, args),
        .fix = str_dup(fix),
    };
    va_end(args);
}

const char *
doctor_result_name(enum doctor_result result)
{
    static const char *const names[] = {
        [DOCTOR_PASS] = "PASS", [DOCTOR_WARN] = "WARN", [DOCTOR_FAIL] = "FAIL"};
    return names[result];
}

void
doctor_free(struct doctor *doctor)
{
    for (size_t i = 0; i < doctor->count; i++) {
        free(doctor->facts[i].detail);
        free(doctor->facts[i].fix);
    }
    free(doctor->facts);
    *doctor = (struct doctor){0};
}
