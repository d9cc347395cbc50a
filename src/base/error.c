#include "base/error.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

void error_clear(Error *err)
{
    free(err->message);
    free(err->detail);
    free(err->hint);
    free(err->file);
    *err = (Error){0};
}

static __attribute__((format(printf, 1, 0))) char *format(const char *fmt, va_list ap)
{
    Text text = {0};
    text_vappendf(&text, fmt, ap);
    return text_steal(&text);
}

bool error_set(Error *err, ErrorCode code, const char *fmt, ...)
{
    if (!err)
        return false;
    va_list ap;
    va_start(ap, fmt);
    char *message = format(fmt, ap); /* before the clear: an argument may be the old message */
    va_end(ap);
    error_clear(err);
    err->code = code;
    err->message = message;
    return false;
}

bool error_at(Error *err, ErrorCode code, const char *file, int line, int column, const char *fmt, ...)
{
    if (!err)
        return false;
    va_list ap;
    va_start(ap, fmt);
    char *message = format(fmt, ap);
    va_end(ap);
    char *place = mem_strdup(file);
    error_clear(err);
    *err = (Error){.code = code, .message = message, .file = place, .line = line, .column = column};
    return false;
}

bool error_hint(Error *err, const char *fmt, ...)
{
    if (!err)
        return false;
    va_list ap;
    va_start(ap, fmt);
    char *hint = format(fmt, ap);
    va_end(ap);
    free(err->hint);
    err->hint = hint;
    return false;
}

bool error_detail(Error *err, const char *fmt, ...)
{
    if (!err)
        return false;
    va_list ap;
    va_start(ap, fmt);
    char *detail = format(fmt, ap);
    va_end(ap);
    free(err->detail);
    err->detail = detail;
    return false;
}

bool error_prefix(Error *err, const char *fmt, ...)
{
    if (!err || !err->message)
        return false;
    Text text = {0};
    va_list ap;
    va_start(ap, fmt);
    text_vappendf(&text, fmt, ap);
    va_end(ap);
    text_append(&text, err->message);
    free(err->message);
    err->message = text_steal(&text);
    return false;
}

bool error_place(Error *err, const char *file, int line, int column)
{
    if (!err)
        return false;
    char *place = mem_strdup(file);
    free(err->file);
    err->file = place;
    err->line = line;
    err->column = column;
    return false;
}

void error_move(Error *to, Error *from)
{
    if (to) {
        error_clear(to);
        *to = *from;
    } else {
        error_clear(from);
    }
    *from = (Error){0};
}

void error_place_text(const Error *err, Text *out)
{
    if (!err->file)
        return;
    text_append_shown(out, err->file, strlen(err->file), SIZE_MAX);
    if (err->line > 0)
        text_appendf(out, ":%d", err->line);
    if (err->line > 0 && err->column > 0)
        text_appendf(out, ":%d", err->column);
}

char *error_text(const Error *err)
{
    Text text = {0};
    error_place_text(err, &text);
    if (text.len)
        text_append(&text, ": ");
    text_append(&text, err->message ? err->message : "unknown error");
    if (err->sqlstate[0])
        text_appendf(&text, " (SQLSTATE %s)", err->sqlstate);
    if (err->detail)
        text_appendf(&text, "\ndetail: %s", err->detail);
    if (err->hint)
        text_appendf(&text, "\nhint: %s", err->hint);
    return text_steal(&text);
}

void errors_clear(Errors *errors)
{
    for (size_t i = 0; i < errors->count; i++)
        error_clear(&errors->items[i]);
    free(errors->items);
    *errors = (Errors){0};
}

void errors_add(Errors *errors, Error *err)
{
    if (errors->count == ERRORS_MAX) {
        errors->dropped++;
        error_clear(err);
        return;
    }
    if (!errors->items)
        errors->items = mem_alloc(ERRORS_MAX * sizeof(Error));
    errors->items[errors->count++] = *err;
    *err = (Error){0};
}

void errors_report(Errors *errors, const char *file, int line, int column, const char *hint, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    Error err = {.code = ERROR_PROJECT, .line = line, .column = column};
    err.message = format(fmt, ap);
    va_end(ap);
    err.file = mem_strdup(file);
    err.hint = mem_strdup(hint);
    errors_add(errors, &err);
}

static int compare_place(const Error *a, const Error *b)
{
    int by_file = strcmp(a->file ? a->file : "", b->file ? b->file : "");
    if (by_file)
        return by_file;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return (a->column > b->column) - (a->column < b->column);
}

/* Insertion sort: stable, and the list is short. */
void errors_sort(Errors *errors)
{
    for (size_t i = 1; i < errors->count; i++) {
        Error item = errors->items[i];
        size_t j = i;
        for (; j > 0 && compare_place(&errors->items[j - 1], &item) > 0; j--)
            errors->items[j] = errors->items[j - 1];
        errors->items[j] = item;
    }
}
