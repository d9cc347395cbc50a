#include "sql/parse.h"

#include <pg_query.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/text.h"
#include "sql/place.h"

/* ---- calling the library ---------------------------------------------------------------------------------------
 *
 * The library's JSON and not its protobuf tree: protobuf-c moves the bytes of every level once more for each level
 * above it, which on a megabyte of `1+1+1...` is hours; the JSON of that takes a third of a second. */

typedef struct Call {
    const char *text;
    bool want_parse;
    PgQueryParseResult parse;
    PgQueryScanResult scan;
} Call;

static void *call_run(void *arg)
{
    Call *call = arg;
    if (call->want_parse)
        call->parse = pg_query_parse(call->text);
    if (!call->parse.error)
        call->scan = pg_query_scan(call->text);
    return NULL;
}

static void call_clear(Call *call)
{
    if (call->want_parse)
        pg_query_free_parse_result(call->parse);
    if (call->scan.pbuf.data || call->scan.error)
        pg_query_free_scan_result(call->scan);
}

/* A level of SQL takes at least two bytes of text ("+1") and less than 256 bytes of stack (measured, 15 and 17):
 * this is twice that. Pages are only used as far as the recursion really goes. */
static size_t stack_size(size_t text_len)
{
    size_t size = ((size_t)1 << 20) + text_len * 256;
    size_t page = 4096;
    return (size + page - 1) / page * page;
}

/* Texts this short cannot use more stack than any thread has to spare, and most models are: a thread for each would
 * cost more than the parsing. */
enum { SHORT_TEXT = 4096 };

static bool call_library(Call *call, Error *err)
{
    size_t len = strlen(call->text);
    if (len <= SHORT_TEXT) {
        call_run(call);
        return true;
    }
    pthread_attr_t attr;
    pthread_t thread;
    pthread_attr_init(&attr);
    int rc = pthread_attr_setstacksize(&attr, stack_size(len));
    if (rc == 0)
        rc = pthread_create(&thread, &attr, call_run, call);
    pthread_attr_destroy(&attr);
    if (rc != 0)
        return error_set(err, ERROR_FAILED, "cannot start a thread to parse SQL: %s", strerror(rc));
    pthread_join(thread, NULL);
    return true;
}

static bool report(const Call *call, Error *err)
{
    const PgQueryError *error = call->parse.error ? call->parse.error : call->scan.error;
    int line = 0, column = 0;
    if (error->cursorpos > 0)
        sql_position_to_line(call->text, error->cursorpos, &line, &column);
    if (str_starts(error->message, "memory exhausted")) /* bison's stack */
        return error_at(err, ERROR_PROJECT, NULL, line, column, "the SQL is nested too deeply");
    return error_at(err, ERROR_PROJECT, NULL, line, column, "%s", error->message);
}

static bool check_text(const char *text, Error *err)
{
    size_t n = strnlen(text, (size_t)SQL_TEXT_MAX + 1);
    if (n > SQL_TEXT_MAX)
        return error_set(err, ERROR_PROJECT, "the SQL is longer than %d bytes", SQL_TEXT_MAX);
    for (size_t i = 0; i < n;) {
        size_t len = utf8_len(text + i, n - i);
        if (!len) {
            int line, column;
            sql_offset_to_line(text, i, &line, &column);
            return error_at(err, ERROR_PROJECT, NULL, line, column, "invalid UTF-8: byte 0x%02x",
                            (unsigned)(unsigned char)text[i]);
        }
        i += len;
    }
    return true;
}

/* ---- tokens ----------------------------------------------------------------------------------------------------
 *
 * The scanner answers with a protobuf message: ScanResult { version = 1; repeated ScanToken tokens = 2 },
 * ScanToken { start = 1; end = 2; token = 4; keyword_kind = 5 }. Only the start is needed, and those few lines cost
 * less than building on protobuf-c. (The end is wrong for U&"..." and U&'...'.)
 * https://protobuf.dev/programming-guides/encoding/ */

typedef struct Wire {
    const unsigned char *at;
    const unsigned char *end;
} Wire;

static bool wire_varint(Wire *wire, uint64_t *ret)
{
    *ret = 0;
    for (unsigned shift = 0; shift < 64 && wire->at < wire->end; shift += 7) {
        unsigned char byte = *wire->at++;
        *ret |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return true;
    }
    return false;
}

/* The next field: a number, or with wire type 2 the bytes in *ret_bytes. */
static bool wire_field(Wire *wire, uint64_t *ret_number, uint64_t *ret_value, Wire *ret_bytes)
{
    uint64_t key;
    if (!wire_varint(wire, &key) || !wire_varint(wire, ret_value))
        return false;
    *ret_number = key >> 3;
    *ret_bytes = (Wire){0};
    if ((key & 7) == 0)
        return true;
    if ((key & 7) != 2 || *ret_value > (uint64_t)(wire->end - wire->at))
        return false;
    *ret_bytes = (Wire){.at = wire->at, .end = wire->at + *ret_value};
    wire->at += *ret_value;
    return true;
}

static bool wire_token_start(Wire wire, size_t text_len, size_t *ret)
{
    uint64_t number, value;
    Wire bytes;
    *ret = 0;
    while (wire.at < wire.end) {
        if (!wire_field(&wire, &number, &value, &bytes) || (number == 1 && value > text_len))
            return false;
        if (number == 1)
            *ret = (size_t)value;
    }
    return true;
}

static bool is_comment(const char *token) { return str_starts(token, "--") || str_starts(token, "/*"); }

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* Takes the starts of all tokens, comments included: a token ends before the white space before the next.
 * Leaves out the comments; no operator can begin like one. Returns how many are left. */
static size_t finish_tokens(const char *text, SqlToken *tokens, size_t count)
{
    size_t kept = 0;
    size_t text_len = strlen(text);
    for (size_t i = 0; i < count; i++) {
        size_t start = tokens[i].start;
        size_t end = i + 1 < count ? tokens[i + 1].start : text_len;
        while (end > start && is_space(text[end - 1]))
            end--;
        if (!is_comment(text + start))
            tokens[kept++] = (SqlToken){.start = start, .end = end};
    }
    return kept;
}

/* The caller frees *ret. */
static bool read_tokens(const Call *call, SqlToken **ret, size_t *ret_count, Error *err)
{
    const unsigned char *data = (const unsigned char *)call->scan.pbuf.data;
    Wire wire = {.at = data, .end = data ? data + call->scan.pbuf.len : NULL};
    size_t text_len = strlen(call->text), count = 0, cap = 0, start;
    SqlToken *tokens = NULL;
    while (wire.at < wire.end) {
        uint64_t number, value;
        Wire bytes;
        bool ok = wire_field(&wire, &number, &value, &bytes);
        if (ok && number != 2)
            continue;
        if (!ok || !wire_token_start(bytes, text_len, &start) || (count && start < tokens[count - 1].start)) {
            free(tokens);
            return error_set(err, ERROR_PROJECT, "the SQL scanner's answer is not of the known form");
        }
        if (count == cap) {
            cap = cap ? cap * 2 : 64;
            tokens = mem_resize(tokens, cap, sizeof *tokens);
        }
        tokens[count++].start = start;
    }
    *ret = tokens;
    *ret_count = finish_tokens(call->text, tokens, count);
    return true;
}

size_t sql_token_at(const SqlTree *tree, size_t offset)
{
    SqlSource source = {.tokens = tree->tokens, .token_count = tree->token_count};
    return sql_source_token(&source, offset);
}

bool sql_token_is(const SqlTree *tree, size_t index, const char *word)
{
    if (index >= tree->token_count)
        return false;
    SqlToken token = tree->tokens[index];
    size_t len = strlen(word);
    return token.end - token.start == len && strncasecmp(tree->text + token.start, word, len) == 0;
}

/* ---- parsing -------------------------------------------------------------------------------------------------- */

/* Start and end as written: what the parser gives takes in white space and comments on both sides. */
static void place_statements(SqlTree *tree, const SqlRawStatement *raw, SqlStatement *statements)
{
    size_t text_len = strlen(tree->text);
    for (size_t i = 0; i < tree->count; i++) {
        size_t end = raw[i].length ? raw[i].location + raw[i].length : text_len;
        size_t first = sql_token_at(tree, raw[i].location);
        size_t last = sql_token_at(tree, end);
        while (last > first && sql_token_is(tree, last - 1, ";"))
            last--;
        statements[i].node = raw[i].node;
        statements[i].start = first < last ? tree->tokens[first].start : text_len;
        statements[i].end = first < last ? tree->tokens[last - 1].end : text_len;
    }
}

static bool build_tree(Arena *arena, const Call *call, SqlTree *ret, Error *err)
{
    SqlRawStatement *raw = NULL;
    SqlToken *tokens = NULL;
    size_t token_count = 0;
    if (!read_tokens(call, &tokens, &token_count, err))
        return false;
    SqlSource source = {.text = call->text, .tokens = tokens, .token_count = token_count};
    if (!sql_tree_build(arena, call->parse.parse_tree, &source, &raw, &ret->count, err)) {
        free(tokens);
        return false;
    }
    SqlToken *kept = arena_array(arena, token_count, sizeof *kept);
    if (tokens)
        memcpy(kept, tokens, token_count * sizeof *kept);
    free(tokens);
    ret->tokens = kept;
    ret->token_count = token_count;
    ret->text = arena_strdup(arena, call->text);
    SqlStatement *statements = arena_array(arena, ret->count, sizeof *statements);
    place_statements(ret, raw, statements);
    ret->statements = statements;
    return true;
}

bool sql_parse(Arena *arena, const char *text, SqlTree *ret, Error *err)
{
    *ret = (SqlTree){.text = ""};
    if (!check_text(text, err))
        return false;
    Call call = {.text = text, .want_parse = true};
    if (!call_library(&call, err))
        return false;
    bool ok = call.parse.error || call.scan.error ? report(&call, err) : build_tree(arena, &call, ret, err);
    call_clear(&call);
    return ok;
}

static void hash_tokens(const char *text, const SqlToken *tokens, size_t count, char ret_hex[SQL_HASH_TEXT])
{
    TEXT_AUTO(bytes);
    while (count && text[tokens[count - 1].start] == ';')
        count--;
    for (size_t i = 0; i < count; i++) {
        text_append_n(&bytes, text + tokens[i].start, tokens[i].end - tokens[i].start);
        text_append_char(&bytes, '\0'); /* so that `a b` is not `ab` */
    }
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(text_str(&bytes), bytes.len));
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < sizeof canonical.digest; i++) {
        ret_hex[2 * i] = digits[canonical.digest[i] >> 4];
        ret_hex[2 * i + 1] = digits[canonical.digest[i] & 15];
    }
    ret_hex[SQL_HASH_TEXT - 1] = '\0';
}

void sql_tree_hash(const SqlTree *tree, char ret_hex[SQL_HASH_TEXT])
{
    hash_tokens(tree->text, tree->tokens, tree->token_count, ret_hex);
}

bool sql_token_hash(const char *text, char ret_hex[SQL_HASH_TEXT], Error *err)
{
    if (!check_text(text, err))
        return false;
    Call call = {.text = text};
    if (!call_library(&call, err))
        return false;
    SqlToken *tokens = NULL;
    size_t count = 0;
    bool ok = call.scan.error ? report(&call, err) : read_tokens(&call, &tokens, &count, err);
    if (ok)
        hash_tokens(text, tokens, count, ret_hex);
    free(tokens);
    call_clear(&call);
    return ok;
}
