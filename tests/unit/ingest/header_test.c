#include "ingest/header.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void normalises(void **state)
{
    (void)state;
    static const char *const CASES[][2] = {
        {"Default (as of 2023-05-09)", "default"},
        {"Date of Repayment", "date_of_repayment"},
        {"  --Number of\tLoans--  ", "number_of_loans"},
        {"a__b", "a_b"},
        {"50% Off!", "50_off"},
        {"Amount €", "amount"},
        {"A—B", "a_b"},
        {"Größe", "größe"},
        {"ÄNDERUNG (Ü)", "änderung"},
        {"ÉTÉ d’été", "été_d_été"},
        {"Prix\u00A0TTC", "prix_ttc"},
        {"\uFEFFid", "id"},
        {"STRASSE ẞ", "strasse_ß"},
        {"İL", "il"},
        {"ȺȾ", "ⱥⱦ"}, /* longer in lower case */
        {"ŁÓDŹ № 7", "łódź_7"},
        {"Ñandú/Año", "ñandú_año"},
        {"ДАТА погашения", "дата_погашения"},
        {"Їжак «ҐАВА»", "їжак_ґава"},
        {"ΗΜΕΡΟΜΗΝΊΑ", "ημερομηνία"},
        {"ԱՄԻՍ։", "ամիս"},
        {"日期（年）", "日期_年"},
        {"金額・税込", "金額_税込"},
        {"날짜 / 금액", "날짜_금액"},
        {"تاريخ السداد؟", "تاريخ_السداد"},
        {"السنة ٢٠٢٣", "السنة_٢٠٢٣"},
        {"שָׁלוֹם־עולם", "שָׁלוֹם_עולם"},
        {"दिनांक ॥ राशि", "दिनांक_राशि"},
        {"বিক্রয়", "বিক্রয়"},
        {"ที่อยู่", "ที่อยู่"},
        {"E\u0301TE\u0301", "e\u0301te\u0301"},
        {"\u0301a \u0301b", "a_b"}, /* marks that belong to no letter */
        {"ＦＵＬＬ　Ｗｉｄｔｈ", "ｆｕｌｌ_ｗｉｄｔｈ"},
        {"𐐀𐐁", "𐐨𐐩"},
        {"😀 mood 😀", "mood"},
        {"m² × 10⁻³", "m_10"},
        {"a\xFF"
         "b",
         "a_b"},
        {"\xC3(\xC3", ""},
        {"(all)", ""},
        {"***", ""},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        TEXT_AUTO(text);
        header_normalise(CASES[i][0], strlen(CASES[i][0]), &text);
        assert_string_equal(text_str(&text), CASES[i][1]);
    }
}

static void *normalise_often(void *unused)
{
    (void)unused;
    for (int i = 0; i < 100; i++) {
        TEXT_AUTO(text);
        header_normalise("ÉTÉ €", strlen("ÉTÉ €"), &text);
        if (!str_eq(text_str(&text), "été"))
            return "wrong";
    }
    return NULL;
}

/* Runs first: the locale is made by whichever thread comes first. */
static void normalises_in_threads(void **state)
{
    (void)state;
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, normalise_often, NULL), 0);
    for (size_t i = 0; i < 4; i++) {
        void *wrong;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
}

enum { MAX = 5 };

/* The fields as "2 0 1", or the error as it is printed. */
static void check(const HeaderColumn *columns, const char *const *headers, const char *expected)
{
    HeaderField fields[MAX];
    size_t n_columns = 0, n_fields = 0, ret[MAX];
    while (n_columns < MAX && columns[n_columns].name)
        n_columns++;
    for (; n_fields < MAX && headers[n_fields]; n_fields++)
        fields[n_fields] = (HeaderField){headers[n_fields], strlen(headers[n_fields]), (int)n_fields * 10 + 1};
    ERROR_AUTO(err);
    char got[1000] = "";
    if (header_match(columns, n_columns, fields, n_fields, "f.csv", 1, ret, &err)) {
        for (size_t i = 0; i < n_columns; i++)
            snprintf(got + strlen(got), sizeof(got) - strlen(got), i ? " %zu" : "%zu", ret[i]);
    } else {
        assert_int_equal(err.code, ERROR_FAILED);
        char *text = error_text(&err);
        snprintf(got, sizeof(got), "%s", text);
        free(text);
    }
    assert_string_equal(got, expected);
}

static void matches_columns_to_fields(void **state)
{
    (void)state;
    static const struct {
        HeaderColumn columns[MAX];
        const char *headers[MAX];
        const char *expected;
    } CASES[] = {
        {{{"day", NULL}, {"default", NULL}}, {"Default (as of 2023-05-09)", "Day"}, "1 0"},
        {{{"Loan ID", NULL}, {"b", NULL}}, {"b", "loan-id"}, "1 0"},
        {{{"Été", NULL}, {"größe", NULL}},
         {"GRÖSSE", "ÉTÉ €"},
         "f.csv:1:1: the header does not match the declared columns\n"
         "detail: expected, not found: \"größe\"; found, not declared: \"GRÖSSE\"\n"
         "hint: \"GRÖSSE\" is near \"größe\"; give the column that name, or a `header:` with the text in the file"},
        {{{"Été", NULL}, {"größe", NULL}}, {"GRÖẞE", "ÉTÉ €"}, "1 0"},
        {{{"x", "Default (*)"}, {"default", NULL}}, {"Default", "Default (b)"}, "1 0"},
        {{{"x", " a"}, {"y", NULL}},
         {"a", "y"},
         "f.csv:1:1: the header does not match the declared columns\n"
         "detail: expected, not found: \"x\" (header: \" a\"); found, not declared: \"a\"\n"
         "hint: \"a\" is near \"x\"; give the column that name, or a `header:` with the text in the file"},
        {{{"x", "a"}}, {" a "}, "0"},
        {{{"x", ""}, {"y", NULL}}, {"", "y"}, "0 1"},
        {{{"x", "*a*b*"}}, {"xxaxxaxbx"}, "0"},
        {{{"x", "*"}, {"a", NULL}}, {"a", " * "}, "1 0"},
        {{{"x", "a (*)"}, {"y", "a (x)"}}, {"a (x)", "a (*)"}, "1 0"},
        {{{"x", "*"}, {"a", NULL}},
         {"*", "*"},
         "f.csv:1:11: the headers \"*\" and \"*\" both match the `header:` of column \"x\"\n"
         "hint: give a `header:` that only one of them matches"},
        {{{"x", "a*a"}, {"a", "a"}}, {"a", "aa"}, "1 0"},
        {{{"defualt", NULL}, {"day", NULL}},
         {"Default (x)", "Day"},
         "f.csv:1:1: the header does not match the declared columns\n"
         "detail: expected, not found: \"defualt\"; found, not declared: \"Default (x)\"\n"
         "hint: \"Default (x)\" is near \"defualt\"; give the column that name, or a `header:` with the text in the "
         "file"},
        {{{"a", NULL}},
         {"a", "surplus", "more"},
         "f.csv:1:11: the header does not match the declared columns\n"
         "detail: found, not declared: \"surplus\", \"more\"\n"
         "hint: declare every column of the file under `columns:`"},
        {{{"a", NULL}, {"b", NULL}},
         {"a"},
         "f.csv:1: the header does not match the declared columns\ndetail: expected, not found: \"b\""},
        {{{"default", NULL}},
         {"Default (a)", "Default (b)"},
         "f.csv:1:11: the headers \"Default (a)\" and \"Default (b)\" are both \"default\"\n"
         "hint: rename one in the file, or give the columns a `header:` with the exact text"},
        {{{"x", "Default (a)"}, {"y", "Default (b)"}}, {"Default (b)", "Default (a)"}, "1 0"},
        {{{"x", "Default*"}},
         {"Default (a)", "Default (b)"},
         "f.csv:1:11: the headers \"Default (a)\" and \"Default (b)\" both match the `header:` of column \"x\"\n"
         "hint: give a `header:` that only one of them matches"},
        {{{"x", "a*"}, {"y", "*b"}},
         {"ab", "c"},
         "f.csv:1:1: the header \"ab\" matches the `header:` of column \"x\" and of column \"y\""},
        {{{"loan", NULL}, {"Loan", NULL}},
         {"loan"},
         "f.csv:1: columns \"loan\" and \"Loan\" are both \"loan\" to a header\nhint: give one of them a `header:`"},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
        check(CASES[i].columns, CASES[i].headers, CASES[i].expected);
}

/* 1600 columns of hostile patterns and headers, which a matcher that goes back would not finish. */
static void stays_fast_on_hostile_patterns(void **state)
{
    (void)state;
    enum { COUNT = 1600 };
    static HeaderColumn columns[COUNT];
    static HeaderField fields[COUNT];
    static size_t ret[COUNT];
    static char text[201];
    memset(text, 'a', 200);
    for (size_t i = 0; i < COUNT; i++) {
        columns[i] = (HeaderColumn){"x", "a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b"};
        fields[i] = (HeaderField){text, 200, 0};
    }
    clock_t start = clock();
    ERROR_AUTO(err);
    assert_false(header_match(columns, COUNT, fields, COUNT, "f.csv", 1, ret, &err));
    assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 10.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normalises_in_threads),
        cmocka_unit_test(normalises),
        cmocka_unit_test(matches_columns_to_fields),
        cmocka_unit_test(stays_fast_on_hostile_patterns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
