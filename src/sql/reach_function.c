/* Functions, casts, operators and constants: does a row's value depend on anything but the row? */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "sql/reach_analysis.h"

/* Stable functions of pg_catalog that depend on nothing but their arguments and settings that are pinned (TimeZone,
 * DateStyle, IntervalStyle, extra_float_digits). Left out are those that depend on the time, the session, other
 * settings (text search) or the catalog. */
static const char *const stable_names[] = {
    "array_to_json",
    "array_to_string",
    "concat",
    "concat_ws",
    "date",
    "date_add",
    "date_bin",
    "date_part",
    "date_subtract",
    "date_trunc",
    "extract",
    "format",
    "generate_series",
    "json_agg",
    "json_build_array",
    "json_build_object",
    "json_object_agg",
    "jsonb_agg",
    "jsonb_build_array",
    "jsonb_build_object",
    "jsonb_object_agg",
    "length",
    "make_timestamptz",
    "overlaps",
    "pg_typeof",
    "quote_literal",
    "quote_nullable",
    "row_to_json",
    "time",
    "timestamp",
    "timestamptz",
    "timezone",
    "to_char",
    "to_date",
    "to_json",
    "to_jsonb",
    "to_number",
    "to_timestamp",
};

static bool is_stable_allowed(const char *name, size_t arg_count)
{
    if (strcmp(name, "age") == 0) /* with one argument it is the distance from today */
        return arg_count == 2;
    return reach_is_one_of(name, stable_names, sizeof stable_names / sizeof *stable_names);
}

/* Types whose text input knows 'today'. */
static bool is_dated_type(const char *name)
{
    static const char *const names[] = {"date",        "time",           "timetz",       "timestamp",
                                        "timestamptz", "daterange",      "tsrange",      "tstzrange",
                                        "abstime",     "datemultirange", "tsmultirange", "tstzmultirange"};
    return reach_is_one_of(name, names, sizeof names / sizeof *names);
}

/* --- constants --------------------------------------------------------------------------------------------------- */

void reach_constant(Select *select, const SqlNode *constant)
{
    static const char *const words[] = {"now", "today", "tomorrow", "yesterday"};
    const char *s = sql_node_string(sql_node_get(constant, "sval"), "sval");
    while (s && *s) {
        size_t len = 0;
        while (isalpha((unsigned char)s[len]))
            len++;
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (strlen(words[i]) == len && strncasecmp(words[i], s, len) == 0)
                analysis_volatile(select->analysis, select->env.text, node_offset(constant),
                                  "'%s' may be read as the time of the run", words[i]);
        s += len ? len : 1;
    }
}

/* --- casts ------------------------------------------------------------------------------------------------------- */

static bool is_text_type(const char *type)
{
    static const char *const names[] = {"text",   "character varying", "varchar", "character",
                                        "bpchar", "\"char\"",          "char",    "name",
                                        "citext", "unknown",           "json",    "cstring"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_starts(type, names[i]))
            return true;
    return false;
}

static bool is_text_constant(const SqlNode *node) { return sql_is(node, "A_Const") && !sql_node_get(node, "bsval"); }

static void check_dated(Select *select, const Names *names, const char *type, const SqlNode *arg, size_t offset)
{
    if (!is_dated_type(type) || is_text_constant(arg))
        return;
    const char *from = reach_type(select, names, arg);
    if (!from || is_text_type(from))
        analysis_volatile(select->analysis, select->env.text, offset,
                          "a text cast to %s may say 'today'; to_date() and to_timestamp() take none of that", type);
}

void reach_cast(Select *select, const Names *names, const SqlNode *type, const SqlNode *arg, size_t offset)
{
    static const char *const fields[] = {"names", "typmods", "typemod", "arrayBounds"};
    static const char *const refused[] = {"money",     "timetz",      "xml",          "aclitem",
                                          "refcursor", "pg_snapshot", "txid_snapshot"};
    Analysis *analysis = select->analysis;
    SqlList list = sql_node_list(type, "names");
    const char *name = sql_last_name(list);
    bool known = name && list.count <= 2 && (list.count == 1 || str_eq(sql_string_value(list.items[0]), "pg_catalog"));
    for (uint32_t i = 0; type && i < type->field_count; i++)
        known = known && reach_is_one_of(type->fields[i].name, fields, sizeof fields / sizeof *fields);
    known = known && !reach_is_one_of(name, refused, sizeof refused / sizeof *refused) && !str_starts(name, "reg");
    for (size_t i = 0; known && i < analysis->catalog->user_type_count; i++)
        known = !str_eq(analysis->catalog->user_types[i], name);
    if (!known) {
        analysis_volatile(analysis, select->env.text, offset, "a cast to %s, of which the analysis knows nothing",
                          name ? name : "a type");
        return;
    }
    check_dated(select, names, name, arg, offset);
}

bool reach_operator_named(Select *select, const char *op, size_t offset)
{
    Analysis *analysis = select->analysis;
    bool known = op && !str_starts(op, "@@"); /* text search hangs on a setting */
    for (size_t i = 0; known && i < analysis->catalog->user_operator_count; i++)
        known = !str_eq(analysis->catalog->user_operators[i], op);
    if (!known)
        analysis_volatile(analysis, select->env.text, offset, "the operator %s may not be one of PostgreSQL's own",
                          op ? op : "");
    return known;
}

bool reach_operator(Select *select, SqlList name, size_t offset)
{
    if (name.count == 1)
        return reach_operator_named(select, sql_last_name(name), offset);
    analysis_volatile(select->analysis, select->env.text, offset, "the operator %s may not be one of PostgreSQL's own",
                      sql_last_name(name));
    return false;
}

/* --- calls ------------------------------------------------------------------------------------------------------- */

static const char *call_name(Select *select, const SqlNode *call)
{
    SqlList names = sql_node_list(call, "funcname");
    const char *schema = names.count == 2 ? sql_string_value(names.items[0]) : NULL;
    bool near = names.count == 1 ||
                (schema && (str_eq(schema, "pg_catalog") || str_eq(schema, select->analysis->catalog->schema)));
    return near ? sql_last_name(names) : NULL;
}

static bool check_volatility(Select *select, const SqlFunctionFacts *facts, const char *name, size_t arg_count,
                             size_t offset)
{
    Analysis *analysis = select->analysis;
    if (facts->user && !facts->user_immutable) {
        analysis_volatile(analysis, select->env.text, offset,
                          "%s() is not declared immutable: it may read other tables", name);
        return false;
    }
    if (facts->user && (facts->aggregate || facts->window)) {
        analysis_volatile(analysis, select->env.text, offset, "%s() is an aggregate of your own", name);
        return false;
    }
    if (facts->volatility == 'i' || (facts->volatility == 's' && is_stable_allowed(name, arg_count)))
        return true;
    analysis_volatile(analysis, select->env.text, offset, "%s() may give another result in each run", name);
    return false;
}

static void warn_of_order(Select *select, const Names *names, const SqlNode *call, const char *name)
{
    static const char *const ordered[] = {"array_agg",       "string_agg",       "json_agg", "jsonb_agg",
                                          "json_object_agg", "jsonb_object_agg", "xmlagg"};
    static const char *const summing[] = {"sum",         "avg",        "stddev",   "variance",
                                          "stddev_samp", "stddev_pop", "var_samp", "var_pop"};
    Analysis *analysis = select->analysis;
    SqlList args = sql_node_list(call, "args");
    for (size_t i = 0; i < sizeof ordered / sizeof *ordered; i++)
        if (strcmp(ordered[i], name) == 0 && !sql_node_list(call, "agg_order").count && !sql_node_get(call, "over"))
            analysis_warn(analysis, select->env.text, node_offset(call),
                          "%s() without ORDER BY may put its values in another order from run to run", name);
    for (size_t i = 0; args.count && i < sizeof summing / sizeof *summing; i++) {
        const char *type = strcmp(summing[i], name) == 0 ? reach_type(select, names, args.items[0]) : NULL;
        if (type && (str_eq(type, "real") || str_eq(type, "double precision")))
            analysis_warn(analysis, select->env.text, node_offset(call),
                          "%s() of floating point may differ in its last digits from run to run", name);
    }
}

static void add_window(Select *select, const Names *names, const SqlNode *call, const char *name, bool aggregate)
{
    static const char *const known[] = {"row_number", "rank", "dense_rank",  "percent_rank", "cume_dist", "ntile",
                                        "lag",        "lead", "first_value", "last_value",   "nth_value"};
    Analysis *analysis = select->analysis;
    if (!aggregate && !reach_is_one_of(name, known, sizeof known / sizeof *known))
        analysis_volatile(analysis, select->env.text, node_offset(call), "%s() is no window function that is known",
                          name);
    select->windows =
        analysis_grow(analysis, select->windows, select->window_count, &select->window_cap, sizeof(Window));
    select->windows[select->window_count++] =
        (Window){.function = name, .call = call, .def = sql_node_get(call, "over"), .names = names};
}

void reach_function(Select *select, const Names *names, const SqlNode *call)
{
    Analysis *analysis = select->analysis;
    size_t offset = node_offset(call);
    SqlList args = sql_node_list(call, "args");
    const char *name = call_name(select, call);
    const SqlFunctionFacts *facts = name ? sql_catalog_function(analysis->catalog, name) : NULL;
    if (!facts) {
        const char *last = sql_last_name(sql_node_list(call, "funcname"));
        analysis_volatile(analysis, select->env.text, offset, "nothing is known of the function %s()",
                          last ? last : "");
        return;
    }
    if (!check_volatility(select, facts, name, args.count, offset))
        return;
    if (args.count == 1) /* date(x) is a cast */
        check_dated(select, names, name, args.items[0], offset);
    warn_of_order(select, names, call, name);
    if (sql_node_get(call, "over"))
        add_window(select, names, call, name, facts->aggregate);
}
