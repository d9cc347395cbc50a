#include "cli/shell.h"

#include <string.h>

void shell_word(const char *s, Text *out)
{
    const char *safe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+=./:,@";
    if (*s && s[strspn(s, safe)] == '\0') {
        text_append(out, s);
        return;
    }
    text_append_char(out, '\'');
    for (; *s; s++) {
        if (*s == '\'')
            text_append(out, "'\\''");
        else
            text_append_char(out, *s);
    }
    text_append_char(out, '\'');
}
