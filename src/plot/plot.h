/* Figures from models, samples and targets. This room computes the numbers of a figure and writes a
 * script for gnuplot, with the numbers in it; gnuplot draws. Nothing here prints or keeps state. A
 * kind of figure is one file that ends in one sl__plot_kind; kinds.def lists them. */
#ifndef SL_PLOT_PLOT_H
#define SL_PLOT_PLOT_H
#include "api/handle.h"
#include "io/io.h"
#include "target/target.h"

typedef enum sl__plot_format {
  SL__PLOT_PNG,
  SL__PLOT_SVG,
  SL__PLOT_PDF,
  SL__PLOT_TEXT, /* characters, for a terminal */
  SL__PLOT_SIXEL /* pixels, for a terminal */
} sl__plot_format;

/* Rows that are drawn together: samples, data, the draws of chains. */
typedef struct sl__plot_set {
  const char *title; /* for the key */
  int64_t rows;      /* those of the first chain before those of the second */
  int32_t columns;
  const double *values;     /* [rows][columns] */
  const char *const *names; /* [columns] */
  int64_t chains;           /* 0: they are no draws of chains */
  const double *energy;     /* [rows] that the sampler wrote, or NULL */
  int64_t trajectories;     /* from a draw to the next, where there are energies */
} sl__plot_set;

/* An end of an axis that was asked for. */
typedef struct sl__plot_end {
  bool set;
  double value;
} sl__plot_end;

/* What there is to draw. What is not there is NULL or 0. */
typedef struct sl__plot {
  sl_context *context;
  const char *title;   /* above the figure */
  const char *subject; /* what the figure is of, "m.safetensors" */
  sl__plot_format format;
  int width, height;       /* pixels; of text, characters; 0: as the kind wants */
  sl__plot_end ends[2][2]; /* of the axes x and y, low and high, in figures of one panel */
  uint64_t seed;
  const sl_flow *flow;
  sl_array_in condition; /* one row, of the flow */
  const sl__target *target;
  const sl__plot_set *data;   /* rows beside the model, with their conditions */
  sl_array_in data_condition; /* as many rows as data has, or none */
  int set_count;
  const sl__plot_set *sets; /* the model's samples first, the data last */
  const sl__table *table;   /* a file that holds no rows of a density: a record of a run */
} sl__plot;

/* What a kind cannot do without; joined by |. */
enum {
  SL__PLOT_WANTS_FLOW = 1,
  SL__PLOT_WANTS_PLANE = 2, /* of the flow: two columns and two features */
  SL__PLOT_WANTS_DATA = 4,
  SL__PLOT_WANTS_TARGET = 8,
  SL__PLOT_WANTS_SETS = 16,
  SL__PLOT_WANTS_CHAINS = 32,
  SL__PLOT_WANTS_TABLE = 64,
  SL__PLOT_ONE_PANEL = 128, /* not a want: its axes can be chosen */
  SL__PLOT_OF_COLUMNS = 256 /* nor this: it is of the sets' columns, which can be chosen */
};

typedef struct sl__figure sl__figure;
typedef struct sl__plot_kind {
  const char *name;
  uint32_t wants;
  int width, height; /* pixels */
  sl_status (*draw)(const sl__plot *plot, sl__figure *figure);
  /* Its numbers as a table, values and names in the arena; NULL: it has none. */
  sl_status (*numbers)(const sl__plot *plot, sl__arena *arena, sl__plot_set *out);
  /* How many of the panels that there are to draw it has no room for; NULL: it has room for all. */
  int64_t (*left_out)(const sl__plot *plot);
} sl__plot_kind;
const sl__plot_kind *const *sl__plot_kinds(int *count);
const sl__plot_kind *sl__plot_kind_find(const char *name); /* NULL: there is none */

/* Refuses what the kind cannot draw, and says what it lacks. */
sl_status sl__plot_check(const sl__plot *plot, const sl__plot_kind *kind);
/* The figure as gnuplot's script, for whoever wants to change it: for sl__free. */
sl_status sl__plot_script(const sl__plot *plot, const sl__plot_kind *kind, char **script,
                          size_t *length);
/* What gnuplot makes of a script, for sl__free. SL_UNSUPPORTED: it is not installed. */
sl_status sl__plot_run(sl_context *context, const char *script, size_t script_length, char **bytes,
                       size_t *length);
/* Both: the bytes of the figure, for sl__free. */
sl_status sl__plot_draw(const sl__plot *plot, const sl__plot_kind *kind, char **bytes,
                        size_t *length);
#endif
