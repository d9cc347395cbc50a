/* The catalog that the shapes, and the fuzzer of reach, are looked at with. */
#pragma once

#include "sql/catalog.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const SqlColumnFacts loans_columns[] = {
    {"date_of_repayment", "date"},
    {"number_of_loans", "integer"},
    {"default", "integer"},
    {"liquidation", "integer"},
    {"batch", "text"},
};
static const SqlColumnFacts orders_columns[] = {
    {"id", "bigint"},   {"day", "date"}, {"customer", "integer"},        {"amount", "numeric"},
    {"status", "text"}, {"due", "text"}, {"weight", "double precision"},
};
static const SqlColumnFacts payments_columns[] = {
    {"day", "date"}, {"customer", "integer"}, {"amount", "numeric"}, {"method", "text"}};
static const SqlColumnFacts rates_columns[] = {{"day", "date"}, {"currency", "text"}, {"rate", "numeric"}};
static const SqlColumnFacts events_columns[] = {
    {"at", "timestamp with time zone"}, {"user_id", "integer"}, {"kind", "text"}, {"payload", "jsonb"}};
static const SqlColumnFacts readings_columns[] = {
    {"at", "timestamp without time zone"}, {"sensor", "integer"}, {"value", "double precision"}};
static const SqlColumnFacts ticks_columns[] = {{"block", "bigint"}, {"price", "numeric"}};
static const SqlColumnFacts customers_columns[] = {
    {"customer", "integer"}, {"name", "text"}, {"country", "text"}, {"since", "date"}};
static const SqlColumnFacts partner_columns[] = {{"day", "date"}, {"amount", "numeric"}};
static const SqlColumnFacts paid_columns[] = {{"day", "date"}, {"customer", "integer"}, {"amount", "numeric"}};

static SqlRelationFacts reach_relations[] = {
    {.name = "loans",
     .columns = loans_columns,
     .column_count = COUNT(loans_columns),
     .time_column = "date_of_repayment",
     .time_type = SQL_TIME_DATE},
    {.name = "orders",
     .columns = orders_columns,
     .column_count = COUNT(orders_columns),
     .time_column = "day",
     .time_type = SQL_TIME_DATE},
    {.name = "payments",
     .columns = payments_columns,
     .column_count = COUNT(payments_columns),
     .time_column = "day",
     .time_type = SQL_TIME_DATE},
    {.name = "rates",
     .columns = rates_columns,
     .column_count = COUNT(rates_columns),
     .time_column = "day",
     .time_type = SQL_TIME_DATE},
    {.name = "events",
     .columns = events_columns,
     .column_count = COUNT(events_columns),
     .time_column = "at",
     .time_type = SQL_TIME_TIMESTAMPTZ},
    {.name = "readings",
     .columns = readings_columns,
     .column_count = COUNT(readings_columns),
     .time_column = "at",
     .time_type = SQL_TIME_TIMESTAMP},
    {.name = "ticks",
     .columns = ticks_columns,
     .column_count = COUNT(ticks_columns),
     .time_column = "block",
     .time_type = SQL_TIME_INTEGER},
    {.name = "customers", .columns = customers_columns, .column_count = COUNT(customers_columns)},
    {.name = "partner",
     .kind = SQL_RELATION_OTHER,
     .columns = partner_columns,
     .column_count = COUNT(partner_columns),
     .other = "a foreign table"},
    {.name = "unknown_columns", .time_column = "day", .time_type = SQL_TIME_DATE},
    /* Views and ephemeral models: their query is put in by the tests. */
    {.name = "paid", .kind = SQL_RELATION_QUERY, .columns = paid_columns, .column_count = COUNT(paid_columns)},
    {.name = "rolling", .kind = SQL_RELATION_QUERY},
    {.name = "loop", .kind = SQL_RELATION_QUERY},
};

static const struct {
    const char *name, *sql;
} reach_views[] = {
    {"paid", "select day, customer, amount\n  from payments\n where method <> 'test'"},
    {"rolling", "select day, sum(amount) over (\n    order by day\n    range between interval '2 days' preceding and "
                "current row) as amount\n  from payments"},
    {"loop", "select * from loop"},
};

#define IMMUTABLE(name)                                                                                                \
    {                                                                                                                  \
        name, 'i', false, false, false, false                                                                          \
    }
#define STABLE(name)                                                                                                   \
    {                                                                                                                  \
        name, 's', false, false, false, false                                                                          \
    }
#define VOLATILE(name)                                                                                                 \
    {                                                                                                                  \
        name, 'v', false, false, false, false                                                                          \
    }
#define AGGREGATE(name)                                                                                                \
    {                                                                                                                  \
        name, 'i', true, false, false, false                                                                           \
    }
#define WINDOW(name)                                                                                                   \
    {                                                                                                                  \
        name, 'i', false, true, false, false                                                                           \
    }

/* As pg_proc has them (PostgreSQL 15), the worst over the overloads. */
static const SqlFunctionFacts reach_functions[] = {
    IMMUTABLE("lower"),
    IMMUTABLE("upper"),
    IMMUTABLE("abs"),
    IMMUTABLE("round"),
    IMMUTABLE("floor"),
    IMMUTABLE("substring"),
    IMMUTABLE("split_part"),
    IMMUTABLE("btrim"),
    IMMUTABLE("make_date"),
    IMMUTABLE("unnest"),
    IMMUTABLE("jsonb_array_elements"),
    IMMUTABLE("like_escape"),
    IMMUTABLE("generate_subscripts"),
    IMMUTABLE("make_interval"),
    IMMUTABLE("jsonb_each"),
    IMMUTABLE("md5"),
    IMMUTABLE("daterange"),
    IMMUTABLE("string_to_array"),
    STABLE("date_trunc"),
    STABLE("date_part"),
    STABLE("extract"),
    STABLE("timezone"),
    STABLE("to_char"),
    STABLE("to_date"),
    STABLE("to_timestamp"),
    STABLE("age"),
    STABLE("concat"),
    STABLE("format"),
    STABLE("date"),
    STABLE("length"),
    STABLE("generate_series"),
    STABLE("jsonb_build_object"),
    STABLE("overlaps"),
    STABLE("now"),
    STABLE("current_setting"),
    STABLE("to_tsvector"),
    STABLE("date_bin"),
    STABLE("jsonb_to_recordset"),
    VOLATILE("random"),
    VOLATILE("clock_timestamp"),
    VOLATILE("nextval"),
    AGGREGATE("count"),
    AGGREGATE("sum"),
    AGGREGATE("avg"),
    AGGREGATE("min"),
    AGGREGATE("max"),
    AGGREGATE("array_agg"),
    AGGREGATE("string_agg"),
    AGGREGATE("bool_or"),
    AGGREGATE("percentile_cont"),
    AGGREGATE("stddev"),
    {"json_agg", 's', true, false, false, false},
    {"jsonb_agg", 's', true, false, false, false},
    WINDOW("row_number"),
    WINDOW("lag"),
    WINDOW("lead"),
    WINDOW("first_value"),
    WINDOW("last_value"),
    WINDOW("nth_value"),
    WINDOW("ntile"),
    /* window functions and hypothetical-set aggregates of one name */
    IMMUTABLE("rank"),
    IMMUTABLE("dense_rank"),
    IMMUTABLE("percent_rank"),
    IMMUTABLE("cume_dist"),
    {"net_of_tax", 'i', false, false, true, true},
    {"country_of", 's', false, false, true, false},
    {"median", 'i', true, false, true, false},
};

static const char *const reach_user_operators[] = {"<->"};
static const char *const reach_user_types[] = {"money_amount"};

static const SqlCatalog reach_catalog = {
    .schema = "public",
    .relations = reach_relations,
    .relation_count = COUNT(reach_relations),
    .functions = reach_functions,
    .function_count = COUNT(reach_functions),
    .user_operators = reach_user_operators,
    .user_operator_count = COUNT(reach_user_operators),
    .user_types = reach_user_types,
    .user_type_count = COUNT(reach_user_types),
};

/* Parses the views' queries into trees, one per view. */
static inline bool reach_catalog_fill(Arena *arena, SqlTree trees[COUNT(reach_views)])
{
    for (size_t i = 0; i < COUNT(reach_views); i++) {
        if (!sql_parse(arena, reach_views[i].sql, &trees[i], NULL))
            return false;
        for (size_t r = 0; r < COUNT(reach_relations); r++) {
            reach_relations[r].schema = "public";
            reach_relations[r].label = reach_relations[r].name;
            if (reach_relations[r].kind != SQL_RELATION_QUERY ||
                __builtin_strcmp(reach_relations[r].name, reach_views[i].name) != 0)
                continue;
            reach_relations[r].query = &trees[i];
            reach_relations[r].file = arena_printf(arena, "models/%s.sql", reach_views[i].name);
        }
    }
    return true;
}
