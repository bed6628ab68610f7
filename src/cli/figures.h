/* What the commands that draw figures share: reading models, draws, data and targets into what
 * src/plot draws. */
#ifndef SL_CLI_FIGURES_H
#define SL_CLI_FIGURES_H
#include "cli/draws.h"
#include "plot/plot.h"

enum { SL__CLI_MOST_SETS = 8, SL__CLI_FIGURE_SAMPLES = 4000 };

/* A set as it was read, before columns are chosen. */
typedef struct sl__cli_rows {
  const char *title;
  int64_t rows, columns, stride, chains;
  const double *values; /* [rows], a row every stride numbers */
  const char **names;   /* [columns] */
  const double *energy;
  int64_t trajectories;
} sl__cli_rows;

typedef struct sl__cli_figures {
  sl__plot plot;
  sl_flow *flow;      /* the first argument, if it is a model */
  sl__target *target; /* of the flow, or by itself */
  bool mapped;        /* the flow's samples are on its model's own scale */
  int count;
  sl__cli_rows rows[SL__CLI_MOST_SETS];
  sl__plot_set sets[SL__CLI_MOST_SETS]; /* the chosen columns of rows */
  sl__plot_set data;                    /* rows of --data, all columns of the model */
  sl__table tables[SL__CLI_MOST_SETS];
  int table_count;
  sl__cli_draws draws[SL__CLI_MOST_SETS];
  int draws_count;
  const char *guess;  /* the kind that a table's header asks for, or NULL */
  const char *record; /* the file that is a record of a run, or NULL */
} sl__cli_figures;

/* The files that the command's arguments and options name: models, draws, tables, targets.
 * wanted: the kind asked for, or NULL. Close in any case. */
sl_status sl__cli_figures_read(sl__cli *cli, const char *wanted, sl__cli_figures *out);
/* Parts of that: room for one more set of rows, or table, which is closed with the figures. */
sl_status sl__cli_add_rows(sl__cli *cli, sl__cli_figures *f, sl__cli_rows **out);
sl_status sl__cli_take_table(sl__cli *cli, sl__cli_figures *f, sl__table **out);
/* Whether a file holds draws as a sampler writes them, or names several such. */
bool sl__cli_are_draws(sl__cli *cli, const char *path);
/* Draws, and them as rows to draw. */
sl_status sl__cli_open_draws(sl__cli *cli, sl__cli_figures *f, const char *path,
                             const sl__draws **out);
sl_status sl__cli_figures_draws(sl__cli *cli, sl__cli_figures *f, const char *path,
                                const sl__draws **out);
/* --data: rows beside the model, in its columns. */
sl_status sl__cli_figures_data(sl__cli *cli, sl__cli_figures *f, const char *path,
                               const char *wanted);
/* A table of rows, or the record of a run. */
sl_status sl__cli_figures_table(sl__cli *cli, sl__cli_figures *f, const char *path,
                                const char *wanted);
/* A path without its folders, for keys. */
const char *sl__cli_short_name(const char *path);
/* The columns that the figure is of: --columns, or the first that fit; in all sets, by name. */
sl_status sl__cli_figures_choose(sl__cli *cli, sl__cli_figures *f);
/* The kind that shows what was read best. */
const char *sl__cli_figures_kind(const sl__cli_figures *f);
/* Leaves the flow out of what is drawn where a figure of this kind is to be of its samples. */
void sl__cli_figures_fit(const sl__cli_figures *f, const sl__plot_kind *kind, sl__plot *plot);
void sl__cli_figures_close(sl__cli_figures *f);
#endif
