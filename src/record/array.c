#include "record/array.h"

#include <inttypes.h>

void array_clear(Array *array) { text_clear(&array->text); }

static void next(Array *array) { text_append_char(&array->text, array->text.len == 0 ? '{' : ','); }

void array_add(Array *array, const char *value)
{
    next(array);
    if (!value) {
        text_append(&array->text, "null");
        return;
    }
    text_append_char(&array->text, '"');
    for (const char *p = value; *p; p++) {
        if (*p == '"' || *p == '\\')
            text_append_char(&array->text, '\\');
        text_append_char(&array->text, *p);
    }
    text_append_char(&array->text, '"');
}

void array_add_int(Array *array, int64_t value)
{
    next(array);
    text_appendf(&array->text, "%" PRId64, value);
}

const char *array_str(Array *array)
{
    text_append(&array->text, array->text.len == 0 ? "{}" : "}");
    return text_str(&array->text);
}
