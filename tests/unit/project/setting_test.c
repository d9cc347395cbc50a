/* The table of settings, held against itself and against what the reader does with it. */
#include "folder.h"
#include "project/project.h"
#include "project/setting.h"
#include "project/yaml.h"

static void is_whole(void **state)
{
    (void)state;
    size_t count;
    const Setting *table = setting_table(&count);
    assert_int_equal(count, SETTING_COUNT);
    for (size_t i = 0; i < count; i++) {
        const Setting *s = &table[i];
        SettingId id;
        assert_non_null(s->key);
        assert_non_null(s->doc);
        assert_non_null(s->example);
        assert_false(str_ends(s->doc, "."));
        assert_ptr_equal(setting_find(s->scope, s->key, &id), s); /* no key twice in a scope */
        assert_int_equal(id, i);
        assert_ptr_equal(setting_get(id), s);
        assert_int_equal(s->type == SETTING_CHOICE, s->choices != NULL);
        assert_true(!s->folder || s->scope == SCOPE_MODEL);
        assert_true(i == 0 || table[i - 1].scope <= s->scope); /* scopes stand together */
        assert_non_null(setting_scope_name(s->scope));
        assert_non_null(setting_type_name(s->type));
    }
}

/* Says whether a project takes a model or source with the example of a setting. */
static void try_example(const Setting *s, Errors *errors)
{
    TEXT_AUTO(text);
    Project project;
    bool model = s->scope == SCOPE_MODEL || s->scope == SCOPE_CHECK;
    const char *columns =
        "columns: {date_of_repayment: date, a: integer, b: integer, customer_id: integer, state: text, "
        "default: integer}\n";
    folder_write("sources/customers.yaml", "columns: {id: integer}\n");
    folder_write("checks/file.sql", "select * from customers where id < 0");
    folder_write("sources/exchange_rates.yaml", "table: exchange_rates\n");
    if (s->scope == SCOPE_CHECK)
        text_appendf(&text, "-- ---\n-- checks:\n--   - %s: %s\n-- ---\n", s->key, s->example);
    else if (model)
        text_appendf(&text, "-- ---\n-- %s: %s\n%s-- ---\n", s->key, s->example,
                     str_eq(s->key, "keep")       ? "-- materialized: history\n"
                     : str_eq(s->key, "lookback") ? "-- materialized: incremental\n"
                                                  : "");
    else
        text_appendf(&text, "%s%s%s: %s\n", str_eq(s->key, "csv") || str_eq(s->key, "changes") ? "" : "csv: x.csv\n",
                     str_eq(s->key, "columns") ? "" : columns, s->key, s->example);
    if (str_eq(s->key, "mode"))
        text_append(&text, "unique_key: a\n");
    if (model)
        text_append(&text, "select a, b, customer_id, state, date_of_repayment, \"default\" from x");
    folder_write(model ? "models/m.sql" : "sources/s.yaml", text_str(&text));
    project_read(&(ProjectOptions){0}, &project, errors);
    project_clear(&project);
}

/* Examples are what the reference shows: each must be read, or be told to wait. */
static void has_examples_that_hold(void **state)
{
    (void)state;
    size_t count, tried = 0;
    const Setting *table = setting_table(&count);
    for (size_t i = 0; i < count; i++) {
        const Setting *s = &table[i];
        bool alone = str_eq(s->key, "severity") || str_eq(s->key, "name");
        if ((s->scope != SCOPE_MODEL && s->scope != SCOPE_SOURCE && s->scope != SCOPE_CHECK) || alone)
            continue;
        TestFolder folder;
        ERRORS_AUTO(errors);
        folder_enter(&folder);
        folder_write("sluice.yaml", "name: x\n");
        try_example(s, &errors);
        folder_leave(&folder);
        for (size_t k = 0; k < errors.count; k++)
            if (!strstr(errors.items[k].message, "not supported yet"))
                fail_msg("%s: %s: %s", s->key, s->example, errors.items[k].message);
        assert_int_equal(errors.count > 0, s->status == SETTING_LATER);
        tried++;
    }
    assert_true(tried > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(is_whole), cmocka_unit_test(has_examples_that_hold)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
