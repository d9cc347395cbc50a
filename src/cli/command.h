/* Command: the table of everything `sluice` can be asked.
 *
 * Declared once. Parsing, dispatch, help, the manual page, shell completion and docs/reference.md are all made from
 * this table. What waits for a later version stands in it too, and answers "not supported yet". */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct Call Call;

typedef struct Option {
    const char *name;     /* long, without dashes */
    char letter;          /* 0: none */
    const char *argument; /* name of its argument in help; NULL: a flag */
    const char *values;   /* allowed arguments, parted by `|`; NULL: any text */
    const char *doc;      /* one line, no full stop */
    bool repeat;          /* may be given more than once */
    bool hidden;          /* not in help */
} Option;

typedef struct Command {
    const char *name;
    const char *arguments; /* as in a usage line: "[SELECT...]"; "" for none */
    const char *summary;   /* one line, no full stop */
    /* Paragraphs, parted by blank lines. Lines that begin with four blanks are examples, kept as they stand. */
    const char *help;
    const Option *const *options; /* its own, NULL at the end; NULL where it has none */
    const char *words;            /* allowed first arguments, parted by `|`, or NULL */
    int min, max;                 /* arguments; max -1: any number */
    int (*run)(Call *call);       /* returns the exit status; NULL: not supported yet */
} Command;

extern const Option *const global_options[]; /* NULL at the end */
extern const Command commands[];             /* in the order of help; name NULL at the end */

const Command *command_find(const char *name); /* NULL where there is none */
/* An option by its long name or its letter, among the global ones and the command's own; command NULL: among those
 * of all commands. Options of one name (or letter) take an argument everywhere or nowhere: a unit test holds it so.
 * Either name or letter is given. NULL where there is none. */
const Option *command_option(const Command *command, const char *name, char letter);
/* Whether word is among words ("a|b|c"). */
bool command_word_known(const char *words, const char *word);

enum { COMMAND_WORDS_MAX = 16, COMMAND_WORD_SIZE = 24 };
/* Splits words; returns how many. */
size_t command_words(const char *words, char ret[COMMAND_WORDS_MAX][COMMAND_WORD_SIZE]);

int cmd_init(Call *call);
int cmd_validate(Call *call);
int cmd_plan(Call *call);
int cmd_run(Call *call);
int cmd_load(Call *call);
int cmd_check(Call *call);
int cmd_test(Call *call);
int cmd_verify(Call *call);
int cmd_diff(Call *call);
int cmd_backfill(Call *call);
int cmd_status(Call *call);
int cmd_runs(Call *call);
int cmd_logs(Call *call);
int cmd_lineage(Call *call);
int cmd_next(Call *call);
int cmd_crontab(Call *call);
int cmd_adopt(Call *call);
int cmd_drop(Call *call);
int cmd_rollback(Call *call);
int cmd_db(Call *call);
int cmd_completion(Call *call);
int cmd_help(Call *call);
int cmd_version(Call *call);
