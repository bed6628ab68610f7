/* Draws of Markov chains in files: Stan CSV as CmdStan writes it (docs.mc-stan.org, CmdStan guide,
 * "Stan CSV file format"), and sluice's own of the same kind; plain CSV and NPY; safetensors with a
 * tensor [chains][draws] for each column. Columns whose names end in "__" are the sampler's. */
#ifndef SL_IO_DRAWS_H
#define SL_IO_DRAWS_H
#include "io/io.h"

typedef struct sl__draws {
  int64_t chains, draws;       /* draws of each chain */
  int64_t parameters, columns; /* the parameters' columns come first, then the sampler's */
  double *values;              /* [chains][draws][columns] */
  char **names;                /* [columns], "theta[2,1]" however the file wrote it */
  int64_t left_out;            /* draws of longer chains beyond the end of the shortest */
  int64_t warmup;              /* rows of warm-up that were passed over */
  int64_t max_treedepth;       /* -1: not recorded */
  int64_t trajectories;        /* of a draw; at most 1: one, or not recorded */
  int64_t thin;                /* of so many draws one was kept; at most 1: all, or not recorded */
  double adapt_delta;          /* the acceptance that they aim at; 0: not recorded */
  bool cut;                    /* a file ends in the middle of a row, which was passed over */
  bool interrupted;            /* a file says that its run was */
  bool preconditioned, jumped; /* or that it was in a flow's space, with jumps by its draws */
  bool halves;                 /* or that steps were halved where the energy changed too much */
  sl__arena arena;             /* owns it all */
} sl__draws;

/* Files of the same columns: each holds one chain, or several told apart by a column chain__.
 * format: "csv", "npy", NULL by the name. chains: 0, or into how many equal parts the rows of one
 * file without chain__ are cut. Refuses with file, line and column. */
sl_status sl__draws_read(sl_context *context, int64_t files, const char *const *paths,
                         const char *format, int64_t chains, sl__draws *out);
sl_status sl__draws_parse_stan(sl_context *context, const char *bytes, size_t length,
                               sl__draws *out); /* also the fuzz target */
/* Whether the first line that is no comment names a column of a sampler's. */
bool sl__is_stan_csv(const char *bytes, size_t length);
/* What numbers chains and draws, by whatever name, becomes chain__ and other sampler's columns.
 * is_of_stan: the file has a sampler's columns already. */
sl_status sl__draws_adopt_columns(sl__draws *file, bool is_of_stan);
/* Index of a column, -1: there is none. */
int64_t sl__draws_column(const sl__draws *draws, const char *name);
/* From one draw that was kept to the next. */
int64_t sl__draws_trajectories(const sl__draws *draws);
void sl__draws_close(sl__draws *draws);
/* By the extension: .csv with a column chain__, .npy rows of all chains in turn, without the
 * sampler's columns, .safetensors. */
sl_status sl__draws_write(sl_context *context, const char *path, const sl__draws *draws);

typedef enum sl__draws_format { SL__DRAWS_CSV, SL__DRAWS_NPY, SL__DRAWS_TENSORS } sl__draws_format;
/* By the ending, in capitals too; CSV of a name without one, "-" among them. False: it is another. */
bool sl__draws_find_format(const char *path, sl__draws_format *out);

/* "draws_%d.csv" as "draws_3.csv"; a name without "%d" as it is. NULL: memory is exhausted. */
char *sl__draws_path(sl__arena *arena, const char *path, int32_t number);
/* "theta[2,1]" as "theta.2.1", the way Stan CSV has it; NULL when memory is exhausted. */
char *sl__stan_csv_name(sl__arena *arena, const char *name);
/* And back: begin .. end "theta.2.1" as "theta[2,1]". */
char *sl__draws_name(sl__arena *arena, const char *begin, const char *end);

/* ---- writing draws as they come ---- */

/* What the sampler says of a draw: lp__, accept_stat__ and so on. */
typedef struct sl__draw_facts {
  double log_density, acceptance, step_size, energy;
  int64_t treedepth, leapfrog_steps;
  bool divergent;
} sl__draw_facts;

typedef struct sl__stan_csv sl__stan_csv;

typedef struct sl__stan_csv_header {
  const char *path; /* with "%d": a file for each chain, from 1; else one, with a column chain__ */
  int32_t chains;
  int64_t columns;
  const char *const *names; /* [columns], "theta[2,1]"; written "theta.2.1" as CmdStan does */
  int64_t comments;
  const char *const *comment; /* [comments] lines for the top, "max_depth = 10" */
} sl__stan_csv_header;

/* Refuses names that cannot be written. A file is made, and what was there replaced, when its first
 * row is flushed. Rows appear whole, at the latest some seconds after they were given: a run that is
 * killed leaves files that can be read. Any call may give SL_IO; then close, what was written before
 * stays, to the last whole line. */
sl_status sl__stan_csv_open(sl_context *context, const sl__stan_csv_header *header,
                            sl__stan_csv **out);
/* What a chain's warm-up ended with. */
typedef struct sl__adaptation_facts {
  double step_size;
  int32_t trajectories; /* of a draw; 0: nothing is said of them and of the acceptance */
  double acceptance;    /* that the draws aim at */
  const char *metric;   /* "Diagonal elements of inverse mass matrix:" or "Elements of ..." */
  int64_t rows, columns;
  const double *inverse_metric; /* [rows][columns] */
} sl__adaptation_facts;

/* Before the chain's rows, those of its warm-up excepted. */
sl_status sl__stan_csv_adaptation(sl__stan_csv *file, int32_t chain,
                                  const sl__adaptation_facts *facts);
/* chain from 0; values [columns]. One thread at a time. */
sl_status sl__stan_csv_row(sl__stan_csv *file, int32_t chain, const sl__draw_facts *facts,
                           const double *values);
/* A comment line, of one chain's file. */
sl_status sl__stan_csv_comment(sl__stan_csv *file, int32_t chain, const char *line);
sl_status sl__stan_csv_times(sl__stan_csv *file, int32_t chain, double warmup_seconds,
                             double sampling_seconds);
/* Writes out what is held back. */
sl_status sl__stan_csv_flush(sl__stan_csv *file);
/* Flushes and frees; NULL is fine. */
sl_status sl__stan_csv_close(sl__stan_csv *file);
#endif
