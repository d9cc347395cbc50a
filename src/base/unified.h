/* Unified: the difference of two texts, line by line, as `diff -u` shows it.
 *
 * The shortest edit script, by E. W. Myers, An O(ND) Difference Algorithm and Its Variations (1986), between the lines
 * that the texts do not begin and end with alike. A missing line end at the end of a text is no difference. */
#pragma once

#include <stdbool.h>

#include "base/text.h"

enum {
    UNIFIED_LINES_MAX = 100000, /* of each text */
    UNIFIED_EDITS_MAX = 1000,   /* lines added and lines gone, together; memory is up to its square, in ints */
    UNIFIED_CONTEXT = 3,        /* lines shown around a change */
};

typedef struct UnifiedSide {
    const char *text;
    int first_line; /* number of the text's first line, from 1 */
} UnifiedSide;

/* Appends hunks: `@@ -first,count +first,count @@`, then lines that begin with ' ', '-' or '+'; nothing where the texts
 * are the same. False, and nothing appended, where a bound is passed: they differ in too much to be shown. */
bool unified_diff(UnifiedSide from, UnifiedSide to, Text *out);
