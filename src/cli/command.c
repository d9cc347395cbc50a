#include "cli/command.h"

#include <string.h>

#include "base/text.h"

static const Option opt_project = {
    .name = "project",
    .argument = "DIR",
    .doc = "the project; default: the nearest sluice.yaml at or above the working directory"};
static const Option opt_target = {.name = "target",
                                  .argument = "NAME",
                                  .doc = "a target of sluice.yaml; default: SLUICE_TARGET, then its own target:"};
static const Option opt_log_format = {.name = "log-format",
                                      .argument = "FORMAT",
                                      .values = "text|json",
                                      .doc = "how messages on standard error are written"};
static const Option opt_color = {.name = "color",
                                 .argument = "WHEN",
                                 .values = "auto|always|never",
                                 .doc = "colours; auto: on a terminal, unless NO_COLOR is set"};
static const Option opt_quiet = {.name = "quiet", .letter = 'q', .doc = "say only what is wrong"};
static const Option opt_verbose = {.name = "verbose", .letter = 'v', .doc = "say more, the SQL too"};
static const Option opt_help = {.name = "help", .letter = 'h', .doc = "show help on the command, and stop"};
static const Option opt_version = {.name = "version", .doc = "show the version, and stop"};

const Option *const global_options[] = {&opt_project, &opt_target, &opt_log_format, &opt_color, &opt_quiet,
                                        &opt_verbose, &opt_help,   &opt_version,    NULL};

static const Option opt_select = {
    .name = "select", .letter = 's', .argument = "SELECT", .repeat = true, .doc = "the same as a SELECT argument"};
static const Option opt_exclude = {
    .name = "exclude", .argument = "SELECT", .repeat = true, .doc = "leave these out of what is selected"};
static const Option opt_format = {
    .name = "format", .argument = "FORMAT", .values = "text|json", .doc = "text for people, json for programs"};
static const Option opt_graph_format = {.name = "format",
                                        .argument = "FORMAT",
                                        .values = "text|json|dot",
                                        .doc = "text for people, json for programs, dot for Graphviz"};
static const Option opt_count = {.name = "count", .letter = 'n', .argument = "N", .doc = "how many, newest first"};

static const Option opt_due = {.name = "due", .doc = "only what a schedule says is due since it last ran"};
static const Option opt_wait = {.name = "wait", .doc = "wait for a table that another run is building"};
static const Option opt_threads = {
    .name = "threads", .argument = "N", .doc = "steps at a time, from 1 to 64; default: 1, in the project's order"};
static const Option opt_full_refresh = {.name = "full-refresh", .doc = "compute every row anew, whatever changed"};
static const Option opt_accept = {.name = "accept",
                                  .argument = "NAME",
                                  .repeat = true,
                                  .doc = "take a result that would lose a large share of its table"};
static const Option opt_failed = {.name = "failed", .doc = "only what did not end well the last time"};
static const Option opt_fail_fast = {.name = "fail-fast", .doc = "begin nothing more after the first failure"};

static const Option opt_from_file = {
    .name = "from", .argument = "FILE.csv", .doc = "make a source and a model of this CSV file"};
static const Option opt_tz = {
    .name = "tz", .argument = "ZONE", .doc = "time zone; default: the project's, outside a project UTC"};
static const Option opt_after = {.name = "after", .argument = "TIME", .doc = "times after this one; default: now"};
static const Option opt_next_count = {
    .name = "count", .letter = 'n', .argument = "N", .doc = "how many, from 1 to 10000; default: 5"};
static const Option opt_install = {.name = "install", .doc = "put the line into your crontab"};
static const Option opt_remove = {.name = "remove", .doc = "take the project's lines out of your crontab"};
static const Option opt_help_format = {.name = "format",
                                       .argument = "FORMAT",
                                       .values = "text|man|markdown",
                                       .hidden = true,
                                       .doc = "the whole manual, as a manual page or as Markdown"};

static const Option opt_against = {.name = "against", .argument = "TARGET", .doc = "the other target"};
static const Option opt_rows = {
    .name = "count", .letter = 'n', .argument = "N", .doc = "how many rows to show, up to 1000; default: 20"};
static const Option opt_from = {.name = "from", .argument = "D", .doc = "the first time to recompute"};
static const Option opt_to = {.name = "to", .argument = "D", .doc = "where to stop, itself left out"};
static const Option opt_chunk = {.name = "chunk",
                                 .argument = "LENGTH",
                                 .doc =
                                     "of a chunk: a duration such as '7 days', or a number where time is an integer; "
                                     "default: as many whole days (or units) as make up to 50 chunks"};
static const Option opt_chunk_threads = {
    .name = "threads", .argument = "N", .doc = "chunks at a time, from 1 to 64; default: 1"};
static const Option opt_dry_run = {.name = "dry-run",
                                   .doc = "list the chunks and what the query would read; write nothing"};

#define OPTIONS(...) ((const Option *const[]){__VA_ARGS__, NULL})

const Command commands[] = {
    {"init", "[DIR]", "make a small project that runs as it is",
     "Writes sluice.yaml, a source, a model with a test, and .gitignore into DIR (default: here). Nothing that is "
     "there already is overwritten: where a file is in the way, it is named and nothing is written.\n\n"
     "With --from, the names and types of the columns are worked out from the whole CSV file, and the source and the "
     "model are made for it. A file of up to 10 MiB is copied into data/; a larger one, or one in DIR, stays where it "
     "is. Where DIR holds a project already, source, model and file are added to it.\n\n"
     "    sluice init shop --from ~/orders.csv\n"
     "    cd shop && sluice run\n"
     "    sluice init --from ~/customers.csv",
     OPTIONS(&opt_from_file), NULL, 0, 1, cmd_init},
    {"validate", "", "read every file of the project and report every error",
     "Errors are given as file:line:column, all in one pass. No database is needed.", NULL, NULL, 0, 0, cmd_validate},
    {"plan", "[SELECT...]", "what a run would do now, and why",
     "Nothing is changed. Of a model it says what of it would be computed: skip, range, from (a time on) or full, and "
     "which line of SQL is the reason. A changed file is read, to say what loading it would touch. Tables that the "
     "project once made and no longer describes are listed as left over.\n\n"
     "With --against: how the files, read for that target, differ from what it was last built from: its SQL, line by "
     "line, and what else is declared; and what lies downstream of that. Only that target's database is asked.\n\n"
     "    sluice plan --against prod",
     OPTIONS(&opt_select, &opt_exclude, &opt_due, &opt_full_refresh, &opt_against, &opt_format), NULL, 0, -1, cmd_plan},
    {"run", "[SELECT...]", "bring tables up to date",
     "Without SELECT: load all sources, build all models. New rows are checked before they are published, each table "
     "in one transaction. A step that fails fails what depends on it and nothing else.\n\n"
     "With --due: what a schedule says is due since it last ran, once a tick, however many ask. A table that another "
     "run is building is then skipped, and that is recorded.\n\n"
     "With --failed: what failed, was blocked, cancelled or lost the last time, or was left out because of "
     "--fail-fast. A step that fails for a reason that may pass is tried again, as often as its retries: says.\n\n"
     "    sluice run                 everything\n"
     "    sluice run daily           one model\n"
     "    sluice run +daily          with all it needs\n"
     "    sluice run source:loans+   a source and all that reads it\n"
     "    sluice run tag:hourly path:models/staging\n"
     "    sluice run --threads 4     up to four steps at a time\n"
     "    sluice run --failed        what failed the last time, and nothing else\n"
     "    sluice run --due           from cron(8), every minute",
     OPTIONS(&opt_select, &opt_exclude, &opt_due, &opt_wait, &opt_threads, &opt_full_refresh, &opt_accept, &opt_failed,
             &opt_fail_fast),
     NULL, 0, -1, cmd_run},
    {"load", "FILE [TABLE]", "load one CSV file into one table",
     "TABLE is a source of the project; its columns, mode and checks apply. Without TABLE it is the source whose csv: "
     "is FILE, else what the file's name says. A table that no source describes is made to hold what the file holds, "
     "its columns worked out from it.\n\n"
     "    sluice load ~/Downloads/loans.csv loans",
     OPTIONS(&opt_wait), NULL, 1, 2, cmd_load},
    {"check", "[SELECT...]", "run the declared checks on the published tables",
     "Exits with 1 when a check of severity error failed.", OPTIONS(&opt_select, &opt_exclude, &opt_format), NULL, 0,
     -1, cmd_check},
    {"test", "[SELECT...]", "models on given rows against expected rows",
     "Runs the tests of tests/*.yaml, or those of the selected models. A test gives the rows of the tables that its "
     "model reads and names the rows that are to come out; models between that are not given stand for their own "
     "queries. Nothing of the database is read or written, so an empty one will do. Rows are compared by the columns "
     "that the test names, in any order. Exits with 1 where any test fails.",
     OPTIONS(&opt_select, &opt_exclude, &opt_format), NULL, 0, -1, cmd_test},
    {"verify", "[SELECT...]", "recompute in full and compare with the table, row by row",
     "Each model that is a table is computed from its whole query and compared with what is published, both seen in "
     "one snapshot; nothing is written. Rows that differ are shown, with - in the table and + in the query. Exits "
     "with 1 where any does. Rows that differ in floating point columns alone, by no more than a part in a thousand "
     "million (of real: in a million), are listed apart and are not counted.",
     OPTIONS(&opt_select, &opt_exclude, &opt_rows, &opt_format), NULL, 0, -1, cmd_verify},
    {"diff", "NAME", "compare a table across targets",
     "The table of one source or model, as it is published in the chosen target (-) and in the other one (+), row by "
     "row, as 'verify' does. Nothing is written in either. Exits with 1 where they differ.\n\n"
     "    sluice --target staging diff daily --against prod",
     OPTIONS(&opt_against, &opt_rows, &opt_format), NULL, 1, 1, cmd_diff},
    {"backfill", "MODEL", "recompute a range of time of an incremental model",
     "The rows from --from up to --to, itself left out, are computed anew, whatever changed, in chunks: each is "
     "checked "
     "and published in a transaction of its own. A chunk that fails leaves its rows as they were, and the others go "
     "on. "
     "A backfill that was killed, or of which chunks failed, is gone on with by the same call: only the chunks that "
     "are "
     "missing run again. D is a value of the column that dates the model's rows.\n\n"
     "What depends on the model follows on the next run. Exits with 1 where a chunk failed.\n\n"
     "    sluice backfill daily --from 2022-01-01 --to 2023-01-01 --dry-run\n"
     "    sluice backfill daily --from 2022-01-01 --to 2023-01-01 --chunk '1 day' --threads 4",
     OPTIONS(&opt_from, &opt_to, &opt_chunk, &opt_chunk_threads, &opt_dry_run, &opt_wait, &opt_accept), NULL, 1, 1,
     cmd_backfill},
    {"status", "", "each source and model, and how it stands",
     "When it was last brought up to date, by which run, with how many rows, when it is due next, and what went wrong "
     "the last time; 'sluice logs' has errors in full. Times are in the project's time zone, the next one in the "
     "schedule's.",
     OPTIONS(&opt_format), NULL, 0, 0, cmd_status},
    {"runs", "", "the last runs", "Kept for 90 days.", OPTIONS(&opt_format, &opt_count), NULL, 0, 0, cmd_runs},
    {"logs", "[RUN]", "what a run did, step by step",
     "Without RUN, which is a number that 'sluice runs' lists: the newest one.", OPTIONS(&opt_format), NULL, 0, 1,
     cmd_logs},
    {"lineage", "[MODEL[.COLUMN]]", "which tables and columns come from which",
     "Told from the files alone: no database is needed. Of a model, and of a column of one, what it comes from and "
     "what it goes to. A column comes from all columns that its expression names, through CTEs, subqueries, joins and "
     "stars; what decides which rows there are (conditions, joins, grouping) is told apart, and other uses that make "
     "no "
     "output: so it tells what needs a column. Columns of tables that no file describes are not known.\n\n"
     "    sluice lineage daily.amount\n"
     "    sluice lineage --format dot | dot -Tsvg > lineage.svg",
     OPTIONS(&opt_graph_format), NULL, 0, 1, cmd_lineage},
    {"next", "EXPR", "the next times of a cron expression",
     "One a line, ISO 8601 with offset, by the same rules that --due follows: a time that clocks jump over comes at "
     "the first moment after the gap; a fixed time that clocks show twice comes once, a repeating one both times.\n\n"
     "    sluice next '30 2 * * *' --tz Europe/Berlin --after 2026-03-28 -n 3",
     OPTIONS(&opt_tz, &opt_after, &opt_next_count), NULL, 1, -1, cmd_next},
    {"crontab", "", "the line for cron(8) that runs this project's schedules",
     "One line, with absolute paths. With --install it is put into your crontab by crontab(1), between two comments "
     "that name the project; doing that again replaces it, and --remove takes it out again; no other line is touched.",
     OPTIONS(&opt_install, &opt_remove), NULL, 0, 0, cmd_crontab},
    {"scheduler", "", "stay in the foreground and run what is due", NULL, NULL, NULL, 0, 0, NULL},
    {"serve", "", "web dashboard, JSON API, /metrics, /healthz", NULL, NULL, NULL, 0, 0, NULL},
    {"adopt", "NAME", "take over a table that stands there already",
     "A source or model named like a table that the project did not make is an error until then: from now on sluice "
     "writes this table.",
     NULL, NULL, 1, 1, cmd_adopt},
    {"drop", "NAME", "remove a table that the project made",
     "For what is left over from sources and models that are gone; 'sluice plan' lists them.", NULL, NULL, 1, 1,
     cmd_drop},
    {"rollback", "NAME", "take back the last publish of a table",
     "For a source or model that asks for it: with 'rollback: 3' in its file the rows that its last three publishes "
     "changed are kept, and each call takes one of them back, the newest first. The table is written as by a run: its "
     "keys, triggers and views hold, and what depends on it follows with the next run. Refused where the rows are no "
     "longer as they were published, or the columns changed.\n\n"
     "What was taken back is not published again unasked. A source's file is not loaded until it changes; a model "
     "stays as it is until its SQL or a table that it reads changes, and is then computed in full; 'sluice run "
     "--full-refresh NAME' does either at once. A model whose result may differ though nothing changed (now(), tables "
     "whose changes are not known) is computed by the next run as ever, and history gets that run's rows.",
     NULL, NULL, 1, 1, cmd_rollback},
    {"db", "start|stop|url|psql [ARGUMENT...]", "the project's private PostgreSQL",
     "For a target without url: PostgreSQL runs under .sluice/, reached by a unix socket only. Commands start it when "
     "they need it, and leave it running for the next one.\n\n"
     "    sluice db psql\n"
     "    sluice db psql -- -c 'table loans'",
     NULL, "start|stop|url|psql", 1, -1, cmd_db},
    {"completion", "bash|zsh|fish|nodes|targets", "completion for your shell",
     "What completes the names of a project asks for 'nodes' or 'targets': its sources and models, or its targets, one "
     "a line; nothing outside of a project.\n\n"
     "    source <(sluice completion bash)                                # in ~/.bashrc\n"
     "    source <(sluice completion zsh)                                 # in ~/.zshrc\n"
     "    sluice completion fish > ~/.config/fish/completions/sluice.fish",
     NULL, "bash|zsh|fish|nodes|targets", 1, 1, cmd_completion},
    {"help", "[COMMAND]", "help on sluice, or on one command", NULL, OPTIONS(&opt_help_format), NULL, 0, 1, cmd_help},
    {"version", "", "the version", NULL, NULL, NULL, 0, 0, cmd_version},
    {0},
};

const Command *command_find(const char *name)
{
    for (const Command *c = commands; c->name; c++)
        if (str_eq(c->name, name))
            return c;
    return NULL;
}

static const Option *find_option(const Option *const *options, const char *name, char letter)
{
    for (; options && *options; options++)
        if (name ? str_eq((*options)->name, name) : (*options)->letter == letter)
            return *options;
    return NULL;
}

const Option *command_option(const Command *command, const char *name, char letter)
{
    const Option *found = find_option(global_options, name, letter);
    if (found)
        return found;
    if (command)
        return find_option(command->options, name, letter);
    for (const Command *c = commands; c->name && !found; c++)
        found = find_option(c->options, name, letter);
    return found;
}

size_t command_words(const char *words, char ret[COMMAND_WORDS_MAX][COMMAND_WORD_SIZE])
{
    size_t n = 0;
    while (n < COMMAND_WORDS_MAX) {
        size_t len = strcspn(words, "|");
        size_t kept = len < COMMAND_WORD_SIZE ? len : COMMAND_WORD_SIZE - 1;
        memcpy(ret[n], words, kept);
        ret[n++][kept] = '\0';
        if (!words[len])
            break;
        words += len + 1;
    }
    return n;
}

bool command_word_known(const char *words, const char *word)
{
    char split[COMMAND_WORDS_MAX][COMMAND_WORD_SIZE];
    size_t n = command_words(words, split);
    for (size_t i = 0; i < n; i++)
        if (str_eq(split[i], word))
            return true;
    return false;
}
