/* Shell: text that a POSIX shell reads. */
#pragma once

#include "base/text.h"

/* Appends s as one word: as it stands where that is safe, else within single quotes. */
void shell_word(const char *s, Text *out);
