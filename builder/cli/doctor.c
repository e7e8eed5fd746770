// doctor.c - adds a fact; see doctor.h.
// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor.h"

#include "base/json.h"

#include <stdarg.h>

void
doctor_add(struct doctor *doctor, const char *name, enum doctor_result result, const char *fix,
    const char *format, ...)
{
    static const struct {
        const char *name;
        enum message_color color;
    } results[] = {
        [DOCTOR_PASS] = {"PASS", COLOR_GREEN},
        [DOCTOR_WARN] = {"WARN", COLOR_YELLOW},
        [DOCTOR_FAIL] = {"FAIL", COLOR_RED},
    };
    va_list args;
    va_start(args, format);
    FREE_AUTO char *detail = str_formatv(format, args);
    va_end(args);
    doctor->failed |= result == DOCTOR_FAIL;
    table_row(doctor->table);
    table_cell(doctor->table, results[result].color, results[result].name);
    table_cell(doctor->table, COLOR_NONE, name);
    table_cellf(doctor->table, COLOR_NONE, "%s%s%s", detail, fix != NULL ? "; fix: " : "",
        fix != NULL ? fix : "");
    // "mend" is the key of the first release.
    json_array_append_new(doctor->list,
        json_pack("{s:s, s:s, s:o, s:o}", "name", name, "result", results[result].name, "detail",
            text_to_json(detail), "mend", text_to_json(fix)));
}
