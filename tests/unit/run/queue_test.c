#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "run/queue.h"

enum { MAX = 16 };

/* A project of nodes named a, b, c ..., each with what it reads and what it is. */
typedef struct Given {
    const char *reads[MAX]; /* letters of the nodes that each reads */
    const char *kinds;      /* a letter each: t table, v view, e ephemeral, s source */
    const char *todo;       /* a letter each: x to be done, - not */
} Given;

static struct {
    Node nodes[MAX], *pointers[MAX], *inputs[MAX][MAX];
    char names[MAX][2];
    bool todo[MAX];
    Project project;
    Arena arena;
} g;

static void make(const Given *given, Queue *ret)
{
    size_t count = strlen(given->kinds);
    memset(&g, 0, sizeof g);
    arena_init(&g.arena);
    for (size_t i = 0; i < count; i++) {
        Node *node = g.pointers[i] = &g.nodes[i];
        char kind = given->kinds[i];
        g.names[i][0] = (char)('a' + i);
        g.todo[i] = given->todo[i] == 'x';
        *node = (Node){.name = g.names[i], .order = i, .kind = kind == 's' ? NODE_SOURCE : NODE_MODEL};
        node->materialized = kind == 'v'   ? MATERIALIZED_VIEW
                             : kind == 'e' ? MATERIALIZED_EPHEMERAL
                                           : MATERIALIZED_TABLE;
        node->inputs = g.inputs[i];
        for (const char *p = given->reads[i]; *p; p++)
            node->inputs[node->input_count++] = &g.nodes[*p - 'a'];
    }
    g.project = (Project){.nodes = g.pointers, .node_count = count};
    queue_init(ret, &g.project, g.todo, &g.arena);
}

static void assert_takes(Queue *queue, const char *names)
{
    for (; *names; names++) {
        const Node *node = queue_take(queue);
        if (!node || *node->name != *names)
            fail_msg("took %s, not %c", node ? node->name : "nothing", *names);
    }
    assert_null(queue_take(queue));
}

static void end(Queue *queue, char name, QueueEnd how, bool changed)
{
    queue_end(queue, &g.nodes[name - 'a'], how, changed);
}

static const char *culprit(const Queue *queue, char name)
{
    QueueEnd why;
    const Node *node = queue_culprit(queue, &g.nodes[name - 'a'], &why);
    return node ? node->name : "";
}

/* a diamond, and one that stands alone */
static const Given diamond = {{"", "a", "a", "bc", ""}, "ttttt", "xxxxx"};

static void takes_in_order_what_has_its_inputs(void **state)
{
    (void)state;
    Queue queue;
    make(&diamond, &queue);
    assert_takes(&queue, "ae");
    end(&queue, 'a', QUEUE_GOOD, true);
    assert_takes(&queue, "bc");
    end(&queue, 'c', QUEUE_GOOD, true);
    assert_takes(&queue, "");
    queue_put_back(&queue, &g.nodes[1]);
    assert_takes(&queue, "b");
    end(&queue, 'b', QUEUE_GOOD, true);
    assert_takes(&queue, "d");
    assert_false(queue_done(&queue));
    end(&queue, 'd', QUEUE_GOOD, true);
    end(&queue, 'e', QUEUE_GOOD, false);
    assert_true(queue_done(&queue));
    arena_clear(&g.arena);
}

/* Through what is not to be done: by a view or an ephemeral model the one waits for the other all the same. */
static void waits_through_what_is_left_as_it_is(void **state)
{
    (void)state;
    static const char kinds[] = {'t', 'v', 'e'};
    for (size_t i = 0; i < sizeof kinds; i++) {
        char all[] = {'t', kinds[i], 't', '\0'};
        Given given = {{"", "a", "b"}, all, "x-x"};
        Queue queue;
        make(&given, &queue);
        assert_takes(&queue, "a");
        end(&queue, 'a', QUEUE_GOOD, true);
        assert_takes(&queue, "c");
        assert_int_equal(queue_inputs_changed(&queue, &g.nodes[2]), kinds[i] != 't');
        end(&queue, 'c', QUEUE_GOOD, true);
        assert_true(queue_done(&queue));
        arena_clear(&g.arena);
    }
}

static void tells_whose_failure_it_is(void **state)
{
    (void)state;
    Given given = {{"", "a", "b", "c", "a", "e"}, "tettvt", "x-xx-x"};
    Queue queue;
    make(&given, &queue);
    assert_takes(&queue, "a");
    end(&queue, 'a', QUEUE_BAD, false);
    assert_takes(&queue, "cf");
    assert_string_equal(culprit(&queue, 'c'), "a"); /* through the ephemeral one */
    assert_string_equal(culprit(&queue, 'f'), "");  /* a view that stands shows what there is */
    end(&queue, 'c', QUEUE_BAD, false);
    assert_takes(&queue, "d");
    assert_string_equal(culprit(&queue, 'd'), "c");
    arena_clear(&g.arena);
}

static void passes_on_what_changed(void **state)
{
    (void)state;
    static const struct {
        const char *kinds;
        bool source, between, expected;
    } cases[] = {
        {"stt", true, true, true},  {"stt", true, false, false},  {"svt", true, false, true},
        {"svt", false, true, true}, {"svt", false, false, false}, {"stt", false, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Given given = {{"", "a", "b"}, cases[i].kinds, "xxx"};
        Queue queue;
        make(&given, &queue);
        assert_takes(&queue, "a");
        end(&queue, 'a', QUEUE_GOOD, cases[i].source);
        assert_takes(&queue, "b");
        end(&queue, 'b', QUEUE_GOOD, cases[i].between);
        assert_takes(&queue, "c");
        assert_int_equal(queue_inputs_changed(&queue, &g.nodes[2]), cases[i].expected);
        arena_clear(&g.arena);
    }
}

/* A chain longer than any stack, of which the ends alone are to be done. */
static void needs_no_stack(void **state)
{
    (void)state;
    enum { LONG = 200000 };
    Node *nodes = calloc(LONG, sizeof *nodes), **pointers = calloc(LONG, sizeof *pointers);
    bool *todo = calloc(LONG, 1);
    Arena arena;
    arena_init(&arena);
    for (size_t i = 0; i < LONG; i++) {
        pointers[i] = &nodes[i];
        nodes[i] = (Node){.name = "n", .kind = NODE_MODEL, .order = i, .materialized = MATERIALIZED_VIEW};
        nodes[i].inputs = &pointers[i ? i - 1 : 0];
        nodes[i].input_count = i > 0;
    }
    todo[0] = todo[LONG - 1] = true;
    Project project = {.nodes = pointers, .node_count = LONG};
    Queue queue;
    queue_init(&queue, &project, todo, &arena);
    assert_ptr_equal(queue_take(&queue), &nodes[0]);
    assert_null(queue_take(&queue));
    queue_end(&queue, &nodes[0], QUEUE_GOOD, true);
    assert_ptr_equal(queue_take(&queue), &nodes[LONG - 1]);
    assert_true(queue_inputs_changed(&queue, &nodes[LONG - 1]));
    arena_clear(&arena);
    free(nodes);
    free(pointers);
    free(todo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_in_order_what_has_its_inputs),
        cmocka_unit_test(waits_through_what_is_left_as_it_is),
        cmocka_unit_test(tells_whose_failure_it_is),
        cmocka_unit_test(passes_on_what_changed),
        cmocka_unit_test(needs_no_stack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
