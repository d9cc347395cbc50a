#include "project/select.h"

#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* One term: `2+name+1`, `@tag:x` ... */
typedef struct Term {
    const char *text; /* as written, for errors */
    const char *method;
    const char *value;
    int up, down; /* how many steps to inputs and readers; INT_MAX: all */
    bool at;
} Term;

typedef struct Selecting {
    const Project *project;
    Arena *arena;
    Error *err;
} Selecting;

static const char *const methods[] = {"tag", "source", "path"};

static bool fail(const Selecting *s, const char *text, const char *message)
{
    TEXT_AUTO(shown);
    text_append_shown(&shown, text, strlen(text), 100);
    return error_set(s->err, ERROR_PROJECT, "selection '%s': %s", text_str(&shown), message);
}

static size_t count_digits(const char *s) { return strspn(s, "0123456789"); }

static int steps_of(const char *digits, size_t n)
{
    if (n == 0)
        return INT_MAX;
    long steps = n > 9 ? INT_MAX : strtol(digits, NULL, 10);
    return (int)steps;
}

/* Takes `@`, `+`, `2+` off the front and `+`, `+2` off the end. */
static bool parse_term(const Selecting *s, const char *text, Term *ret)
{
    *ret = (Term){.text = text, .value = text};
    char *rest = arena_strdup(s->arena, text);
    if (*rest == '@') {
        ret->at = true;
        rest++;
    }
    size_t digits = count_digits(rest);
    if (rest[digits] == '+') {
        ret->up = steps_of(rest, digits);
        rest += digits + 1;
    }
    char *plus = strrchr(rest, '+');
    if (plus && plus[1 + count_digits(plus + 1)] == '\0') {
        ret->down = steps_of(plus + 1, strlen(plus + 1));
        *plus = '\0';
    }
    if (ret->at && (ret->up || ret->down))
        return fail(s, text, "@ stands for both directions already, + cannot be added");
    if (strpbrk(rest, "+@"))
        return fail(s, text, "+ and @ stand before or after a name, once each");
    char *colon = strchr(rest, ':');
    ret->value = rest;
    if (colon) {
        *colon = '\0';
        ret->method = rest;
        ret->value = colon + 1;
    }
    return *ret->value ? true : fail(s, text, "a name is missing");
}

/* --- what a term names ------------------------------------------------------------------------------------------- */

static bool matches(const char *pattern, const char *s) { return fnmatch(pattern, s, 0) == 0; }

static bool matches_path(const char *path, const char *value)
{
    if (str_starts(value, "./"))
        value += 2;
    size_t n = strlen(value);
    while (n > 1 && value[n - 1] == '/')
        n--;
    bool below = strncmp(path, value, n) == 0 && (path[n] == '\0' || path[n] == '/');
    return below || matches(value, path);
}

static bool term_matches(const Term *term, const Node *node)
{
    if (!term->method)
        return matches(term->value, node->name);
    if (str_eq(term->method, "source"))
        return node->kind == NODE_SOURCE && matches(term->value, node->name);
    if (str_eq(term->method, "path"))
        return matches_path(node->path, term->value);
    for (size_t i = 0; i < node->tags.count; i++)
        if (matches(term->value, node->tags.items[i]))
            return true;
    return false;
}

/* The error of a term that names nothing, with what is near. */
static bool fail_unmatched(const Selecting *s, const Term *term)
{
    const Project *project = s->project;
    Strings near = {0};
    size_t room = 1;
    for (size_t i = 0; i < project->node_count; i++)
        room += 1 + project->nodes[i]->tags.count;
    near.items = arena_array(s->arena, room, sizeof *near.items);
    bool by_tag = str_eq(term->method, "tag"), by_path = str_eq(term->method, "path");
    for (size_t i = 0; i < project->node_count; i++) {
        const Node *node = project->nodes[i];
        for (size_t k = 0; by_tag && k < node->tags.count; k++)
            near.items[near.count++] = node->tags.items[k];
        if (!by_tag && (!str_eq(term->method, "source") || node->kind == NODE_SOURCE))
            near.items[near.count++] = by_path ? node->path : node->name;
    }
    fail(s, term->text,
         by_tag                                ? "no source or model has this tag"
         : by_path                             ? "no source or model is below this path"
         : term->method                        ? "there is no such source"
         : strpbrk(term->value, "*?[") != NULL ? "no source or model matches"
                                               : "there is no such source or model");
    const char *hint = nearest(term->value, near.items, near.count);
    return hint ? error_hint(s->err, "did you mean '%s'?", hint) : false;
}

static bool check_method(const Selecting *s, const Term *term)
{
    size_t count = sizeof methods / sizeof *methods;
    if (!term->method)
        return true;
    for (size_t i = 0; i < count; i++)
        if (str_eq(term->method, methods[i]))
            return true;
    fail(s, term->text, "known before a colon: tag, source, path");
    const char *hint = nearest(term->method, methods, count);
    return hint ? error_hint(s->err, "did you mean '%s:'?", hint) : false;
}

/* --- along the graph --------------------------------------------------------------------------------------------- */

/* Steps from the chosen to each node along inputs. Inputs stand before their readers, so one pass backwards does. */
static void add_inputs(const Selecting *s, int most, const bool *from, bool *chosen)
{
    size_t count = s->project->node_count;
    int *steps = arena_array(s->arena, count + 1, sizeof *steps);
    for (size_t i = 0; i < count; i++)
        steps[i] = from[i] ? 0 : INT_MAX;
    for (size_t i = count; i-- > 0;) {
        const Node *node = s->project->nodes[i];
        for (size_t k = 0; steps[i] < most && k < node->input_count; k++) {
            size_t input = node->inputs[k]->order;
            if (steps[i] + 1 < steps[input])
                steps[input] = steps[i] + 1;
        }
        chosen[i] = chosen[i] || steps[i] < INT_MAX;
    }
}

static void add_readers(const Selecting *s, int most, const bool *from, bool *chosen)
{
    size_t count = s->project->node_count;
    int *steps = arena_array(s->arena, count + 1, sizeof *steps);
    for (size_t i = 0; i < count; i++) {
        const Node *node = s->project->nodes[i];
        steps[i] = from[i] ? 0 : INT_MAX;
        for (size_t k = 0; k < node->input_count; k++) {
            int before = steps[node->inputs[k]->order];
            if (before < most && before + 1 < steps[i])
                steps[i] = before + 1;
        }
        chosen[i] = chosen[i] || steps[i] < INT_MAX;
    }
}

static bool select_term(const Selecting *s, const char *text, bool *chosen, bool *named)
{
    size_t count = s->project->node_count;
    Term term;
    bool any = false;
    if (!parse_term(s, text, &term) || !check_method(s, &term))
        return false;
    bool *matched = arena_array(s->arena, count + 1, sizeof *matched);
    for (size_t i = 0; i < count; i++) {
        matched[i] = term_matches(&term, s->project->nodes[i]);
        any = any || matched[i];
        chosen[i] = matched[i];
        named[i] = matched[i];
    }
    if (!any)
        return fail_unmatched(s, &term);
    if (term.at) {
        add_readers(s, INT_MAX, matched, chosen);
        bool *both = arena_array(s->arena, count + 1, sizeof *both);
        memcpy(both, chosen, count * sizeof *both);
        add_inputs(s, INT_MAX, both, chosen);
    }
    if (term.up)
        add_inputs(s, term.up, matched, chosen);
    if (term.down)
        add_readers(s, term.down, matched, chosen);
    return true;
}

/* Terms between commas: what all of them choose. */
static bool select_intersection(const Selecting *s, char *text, Selection *selection)
{
    size_t count = s->project->node_count;
    bool *all = arena_array(s->arena, count + 1, sizeof *all), *names = arena_array(s->arena, count + 1, sizeof *names);
    bool *chosen = arena_array(s->arena, count + 1, sizeof *chosen);
    bool *named = arena_array(s->arena, count + 1, sizeof *named);
    bool first = true;
    for (char *next = text; next; first = false) {
        char *term = next;
        next = strchr(term, ',');
        if (next)
            *next++ = '\0';
        if (!*term)
            return fail(s, ",", "a name is missing beside the comma");
        if (!select_term(s, term, chosen, named))
            return false;
        for (size_t i = 0; i < count; i++) {
            all[i] = chosen[i] && (first || all[i]);
            names[i] = named[i] || names[i];
        }
    }
    for (size_t i = 0; i < count; i++) {
        selection->chosen[i] = selection->chosen[i] || all[i];
        selection->named[i] = selection->named[i] || (all[i] && names[i]);
    }
    return true;
}

bool select_nodes(const Project *project, const char *const *expressions, size_t n, Arena *arena,
                  Selection *ret_selection, Error *err)
{
    Selecting s = {project, arena, err};
    size_t count = project->node_count;
    Selection *selection = ret_selection;
    *selection = (Selection){.chosen = arena_array(arena, count + 1, sizeof(bool)),
                             .named = arena_array(arena, count + 1, sizeof(bool))};
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        char *copy = arena_strdup(arena, expressions[i]), *state = NULL;
        for (char *part = strtok_r(copy, " \t\n", &state); part; part = strtok_r(NULL, " \t\n", &state)) {
            any = true;
            if (!select_intersection(&s, part, selection))
                return false;
        }
    }
    if (n > 0 && !any)
        return fail(&s, expressions[0], "a name is missing");
    if (n == 0)
        memset(selection->chosen, true, count * sizeof(bool));
    for (size_t i = 0; i < count; i++)
        selection->count += selection->chosen[i];
    return true;
}
