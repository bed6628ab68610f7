/* The command line: what every subcommand is made of. This room is the only one that talks to a
 * person. A subcommand is one file that ends in one sl__command; commands.def lists them, and from
 * its option rows come the parsing, `--help` and the documentation. */
#ifndef SL_CLI_CLI_H
#define SL_CLI_CLI_H
#include "base/option.h"
#include "base/os.h"
#include "base/text.h"
#include "io/io.h"

/* Exit codes, fixed by the contract with scripts. */
enum { SL__EXIT_DONE = 0, SL__EXIT_FAILED = 1, SL__EXIT_WRONG = 2, SL__EXIT_INTERRUPTED = 130 };

typedef struct sl__cli sl__cli;

typedef struct sl__command {
  const char *name;
  const char *arguments; /* as the usage line shows them: "MODEL DATA" */
  const char *summary;   /* one line */
  const char *details;   /* more lines for --help, or NULL */
  const char *examples;  /* lines for --help */
  int minimum, maximum;  /* positional arguments */
  const sl__option_row *options;
  int option_count;
  const sl__option_row *(*shared_options)(int *count); /* rows that stand elsewhere, or NULL */
  int (*run)(sl__cli *cli);                            /* gives the exit code */
} sl__command;

const sl__command *const *sl__commands(int *count);
const sl__command *sl__command_find(const char *name);

/* One call of one subcommand. */
struct sl__cli {
  sl_context *context;
  const sl__command *command;
  sl__arena arena;             /* option texts and whatever lives until the end */
  const sl__option_row *rows;  /* common, the command's own, shared: in this order */
  sl__option_value *values;    /* [row_count] */
  const char **texts;          /* [row_count] as typed, NULL where not given */
  int row_count;
  const char **arguments;      /* positional */
  int argument_count;
  uint64_t seed;
  bool json, quiet;
  bool drawn;                  /* a progress line stands on the terminal: talk goes in its place */
  double start;                /* sl__os_seconds at the beginning */
  const char *place;           /* what an error's line and column refer to: a file, "--flow" */
  const char *source;          /* the text itself where a caret helps, or NULL */
};

/* cli.c */
bool sl__cli_has(const sl__cli *cli, const char *name); /* the command takes it, given or not */
const sl__option_value *sl__cli_option(const sl__cli *cli, const char *name);
const char *sl__cli_typed(const sl__cli *cli, const char *name); /* text as typed, or NULL */
/* Starts the worker threads (--threads). Commands that compute call it once, after reading. */
sl_status sl__cli_hire(sl__cli *cli);
/* Records what an error's place refers to; gives path back, so that it can wrap an argument. */
const char *sl__cli_about(sl__cli *cli, const char *place, const char *source);
/* Prints the context's error as "sluice: FILE:LINE:COLUMN: what; mend" and gives the exit code. */
int sl__cli_fail(const sl__cli *cli, sl_status status);
/* For requests that are wrong: formats, prints, gives SL__EXIT_WRONG. */
int sl__cli_refuse(const sl__cli *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Talk on standard error, unless --quiet. */
void sl__cli_say(const sl__cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Opens the --json object with the keys that every object has; close writes it out. */
void sl__cli_json_open(const sl__cli *cli, sl__text *text, sl__json *json);
int sl__cli_json_close(const sl__cli *cli, sl__text *text, sl__json *json);
/* Writes text to standard output; the exit code. */
int sl__cli_print(const sl__cli *cli, sl__text *text);
/* rows x columns numbers, a row every stride numbers, as an array of arrays. */
void sl__cli_json_rows(sl__json *json, const char *key, int64_t rows, int64_t columns,
                       int64_t stride, const double *values);
/* Adds value with so many decimals, padded on the left to width. */
void sl__cli_fixed(sl__text *text, double value, int decimals, int width);

/* parse.c: the command's options and arguments from argv[2..]. */
sl_status sl__cli_parse(sl__cli *cli, int count, char *const *words);
extern const sl__option_row sl__cli_common_rows[];
extern const int sl__cli_common_count;

/* help.c */
void sl__cli_overview(sl__text *text);
/* Adds words from the column `left` on, in as many lines as they need. */
void sl__cli_wrap(sl__text *text, size_t left, const char *words);
void sl__cli_usage(sl__text *text, const sl__command *command);
/* The rows of `command`, its own and then those it shares, that --help shows before the common ones.
 * part: 0 own, 1 shared. */
const sl__option_row *sl__cli_rows_of(const sl__command *command, int part, int *count);
const char *sl__cli_placeholder(const sl__option_row *row); /* "N", "FILE", "a|b"; "" for flags */
char sl__cli_letter(const char *option); /* 'o' of --output; 0: it has none */

/* topics.c: what `sluice help TOPIC` explains beside the commands. */
typedef struct sl__topic {
  const char *name;
  const char *summary; /* one line */
  void (*write)(sl__text *text);
} sl__topic;
const sl__topic *sl__topics(int *count);

/* manual.c, completion.c: the manual page (roff, section 1) and what shells complete from, written
 * from the registries. */
void sl__cli_manual(sl__text *text);
void sl__cli_completion(sl__text *text, const char *shell); /* "bash", "zsh" or "fish" */

/* mistaken.c: files whose names say that they are something else. */
/* A flow from its file. A table or a program in its place is named as such. */
sl_status sl__cli_open_model(sl__cli *cli, const char *path, sl_flow **out);
/* What loading a model gave; of a table or a program, what it is. taker takes taken: "info", "MODEL". */
sl_status sl__cli_judge_model(const sl__cli *cli, const char *path, const char *taker,
                              const char *taken, sl_status status);
/* Refuses data and programs where rows of numbers are wanted. */
sl_status sl__cli_expect_rows(const sl__cli *cli, const char *path, const char *wanted,
                              const char *mend);
/* Refuses what is no program: a table, data, a model. */
sl_status sl__cli_expect_program(const sl__cli *cli, const char *path);

/* table.c: tables for commands. */
/* Reads a table and refuses NaN and infinities with their place. */
sl_status sl__cli_read_table(sl__cli *cli, const char *path, sl__table *table);
/* Refuses a name (--output) that no table can be written to, before any work is done. */
sl_status sl__cli_check_table_file(sl__cli *cli);
/* Writes rows x columns doubles as numbers of the model's precision, which they came from:
 * shorter, and the same bits when read back. Spoils values. */
sl_status sl__cli_write_table(sl__cli *cli, const char *path, sl_dtype precision, int64_t rows,
                              int64_t columns, double *values, const char *const *names);

/* columns.c: which columns of a table play which part. */
typedef struct sl__selection {
  sl_array_in x, condition, weight; /* views of the table, or of copies that it owns */
  const char *const *names, *const *condition_names; /* of x and condition, or NULL */
  const char *weight_name; /* or NULL */
  const char *types; /* of the columns of x, as sl_fit_data.columns wants them; NULL: all real */
} sl__selection;
/* By --columns and --context; without them every column is data. */
sl_status sl__cli_select(sl__cli *cli, sl__table *table, sl__selection *out);
/* By the names that a model knows its columns by; where the header has none of them, or there is
 * none, by position. with_conditions: the table has the context's columns too. */
sl_status sl__cli_select_for(sl__cli *cli, const sl_flow *flow, sl__table *table,
                             bool with_conditions, sl__selection *out);
/* The same for a table of conditions alone. */
sl_status sl__cli_select_conditions(sl__cli *cli, const sl_flow *flow, sl__table *table,
                                    sl_array_in *out);
/* The columns that another table's selection holds, by their names; where either table has none, by
 * --columns and --context. owner: whose they are, "d.csv". */
sl_status sl__cli_select_like(sl__cli *cli, const sl__selection *other, const char *owner,
                              sl__table *table, sl__selection *out);

/* same_names.c: names that two columns have. */
/* *out: the column of this name, or -1. Refuses a name of two. */
sl_status sl__cli_find_column(const sl__cli *cli, const sl__table *table, const char *name,
                              int64_t *out);
/* Refuses a name of two columns of the list [count], which a new model is to know them by. */
sl_status sl__cli_refuse_same_names(const sl__cli *cli, const sl__table *table, int64_t count,
                                    const int64_t *list);
/* The same of names [count] that are looked for. owner: whose they are, "the model". */
sl_status sl__cli_refuse_same_wanted(const sl__cli *cli, const char *owner, int64_t count,
                                     const char *const *names);

/* labels.c: columns of words, which are labels in a condition; each is a condition "species=setosa"
 * of 0 and 1, whose source is the column "species". */
size_t sl__cli_source_length(const char *condition);
const char *sl__cli_label_of(const char *condition); /* NULL: of no label */
/* The sources of conditions [count], each once, in their order, into sources [count]. */
sl_status sl__cli_sources(sl__arena *arena, int64_t count, const char *const *conditions,
                          const char **sources, int64_t *found);
/* Refuses columns of words among those of the list [count]. */
sl_status sl__cli_refuse_words(const sl__cli *cli, const sl__table *table, int64_t count,
                               const int64_t *list);
/* The names of the conditions that the columns list [count] make (NULL where columns have none),
 * and how many these are. */
sl_status sl__cli_name_conditions(sl__cli *cli, sl__table *table, int64_t count,
                                  const int64_t *list, const char *const **names, int64_t *named);
/* Their values, rows x count, read from their sources' columns, which list has in order. */
sl_status sl__cli_fill_conditions(sl__cli *cli, sl__table *table, int64_t count,
                                  const char *const *conditions, const int64_t *list,
                                  sl_array_in *out);
/* number_labels.c: makes a column of numbers one of words, each number its own word. */
sl_status sl__cli_number_labels(sl__cli *cli, sl__table *table, int64_t column);
/* Adds '"setosa", "virginica"': the labels of a source of `length` bytes. */
void sl__cli_list_labels(sl__text *text, int64_t count, const char *const *conditions,
                         const char *source, size_t length);

/* conditions.c: conditions by the options --context FILE and --context-value. */
/* No rows if neither option is given. Those of a file are views of the table. */
sl_status sl__cli_conditions(sl__cli *cli, const sl_flow *flow, sl__table *table,
                             sl_array_in *out);
/* Says which columns of DATA hold the model's conditions, and are not read as such because others
 * are given aside. */
sl_status sl__cli_say_unread_conditions(sl__cli *cli, const sl_flow *flow, sl__table *table);
/* Refuses numbers that are infinite in the precision of the model. */
sl_status sl__cli_check_conditions(sl__cli *cli, const sl_flow *flow,
                                   const sl_array_in *conditions);
/* One condition becomes one for each of the rows; else there must be as many. */
sl_status sl__cli_spread_conditions(sl__cli *cli, int64_t rows, sl_array_in *conditions);
#endif
