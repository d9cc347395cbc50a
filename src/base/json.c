#include "base/json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void before_value(Json *json)
{
    if (json->after_key) {
        json->after_key = false;
        return;
    }
    if (json->depth == 0)
        return;
    if (json->some[json->depth - 1])
        text_append_char(json->out, ',');
    json->some[json->depth - 1] = true;
}

static void open_with(Json *json, char open, char close)
{
    before_value(json);
    if (json->depth == JSON_DEPTH)
        abort();
    text_append_char(json->out, open);
    json->close[json->depth] = close;
    json->some[json->depth] = false;
    json->depth++;
}

void json_object(Json *json) { open_with(json, '{', '}'); }

void json_array(Json *json) { open_with(json, '[', ']'); }

void json_end(Json *json)
{
    if (json->depth == 0)
        abort();
    text_append_char(json->out, json->close[--json->depth]);
}

static void write_string(Text *out, const char *s)
{
    size_t n = strlen(s), i = 0;
    text_append_char(out, '"');
    while (i < n) {
        size_t len = utf8_len(s + i, n - i);
        unsigned char c = (unsigned char)s[i];
        if (len == 0)
            text_append(out, "\\ufffd");
        else if (c == '"' || c == '\\')
            text_appendf(out, "\\%c", c);
        else if (c == '\n')
            text_append(out, "\\n");
        else if (c < 0x20)
            text_appendf(out, "\\u%04x", c);
        else
            text_append_n(out, s + i, len);
        i += len ? len : 1;
    }
    text_append_char(out, '"');
}

void json_key(Json *json, const char *key)
{
    before_value(json);
    write_string(json->out, key);
    text_append_char(json->out, ':');
    json->after_key = true;
}

void json_string(Json *json, const char *s)
{
    if (!s) {
        json_null(json);
        return;
    }
    before_value(json);
    write_string(json->out, s);
}

void json_int(Json *json, int64_t n)
{
    before_value(json);
    text_appendf(json->out, "%" PRId64, n);
}

void json_null(Json *json) { json_raw(json, "null"); }

void json_raw(Json *json, const char *s)
{
    before_value(json);
    text_append(json->out, s);
}
