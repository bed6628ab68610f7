/* A figure on its way into gnuplot's language: text that is sticky on failure. Every word that comes
 * from outside (names of columns and files) goes through sl__figure_quote, which leaves nothing in it
 * that gnuplot would read as more than text. src/plot only. */
#ifndef SL_PLOT_FIGURE_H
#define SL_PLOT_FIGURE_H
#include "plot/numbers.h"
#include "plot/plot.h"

/* A part of the figure, pixels from the lower left corner. */
typedef struct sl__box {
  double left, bottom, right, top;
} sl__box;

typedef enum sl__key_place { SL__KEY_NONE, SL__KEY_ABOVE, SL__KEY_ASIDE } sl__key_place;

struct sl__figure {
  sl__text script;
  sl__text clauses; /* of the panel's plot command, which comes after all blocks of data */
  sl__plot_format format;
  int width, height; /* pixels; of text, those that panels are laid out by */
  int blocks;        /* of data, so far */
  bool drawn;        /* a panel stands already */
  bool titled;
  bool unbounded; /* an axis had no two ends */
  sl__range bad;  /* which, then */
  /* The panel's: */
  sl__box box;
  sl__key_place key;
  int names, letters; /* in the key; of the longest of them */
};

enum { SL__SERIES_COLOURS = 6, SL__PLOT_DOTS = 1000 };

/* figure.c */
void sl__figure_begin(sl__figure *figure, const sl__plot *plot, const sl__plot_kind *kind);
void sl__figure_end(sl__figure *figure);
bool sl__figure_is_text(const sl__figure *figure);
void sl__figure_add(sl__figure *figure, const char *format, ...)
    __attribute__((format(printf, 2, 3))); /* no %f %g %e: use _real */
void sl__figure_real(sl__figure *figure, double value);
void sl__figure_quote(sl__figure *figure, const char *text);
/* "set NAME 'text'". */
void sl__figure_label(sl__figure *figure, const char *name, const char *text);
/* Rows of numbers as an inline block, to be plotted as `$b<number>`; a row of NaN is a gap. */
int sl__figure_block(sl__figure *figure, int64_t rows, int columns, const double *values);
/* values [nodes] against the nodes of a range. */
int sl__figure_curve(sl__figure *figure, sl__range range, int nodes, const double *values);
/* Begins a clause of the panel's plot command: "$b3 using 1:2 with lines". What follows, until the
 * next, belongs to it. */
void sl__figure_plot(sl__figure *figure, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The clause's name in the key, cut where it is wider than the figure. Without one it has none. */
void sl__figure_named(sl__figure *figure, const char *text);
/* Letters of other sizes than most: SVG counts them in pixels, the others in points. */
typedef enum sl__figure_size { SL__FONT_SMALL, SL__FONT_LESS, SL__FONT_LARGE } sl__figure_size;
const char *sl__figure_font(const sl__figure *figure, sl__figure_size size);
/* All of the figure but the room that its axes and its title take. */
sl__box sl__figure_whole(const sl__figure *figure);
/* A panel in a box; it ends where the next begins, and what earlier panels set is undone. */
void sl__figure_panel(sl__figure *figure, sl__box box);
/* Moves an edge of the panel, "tmargin" or "rmargin", to so many of `whole` pixels. */
void sl__figure_margin(sl__figure *figure, const char *name, double pixels, int whole);
/* Colour and dashes of the clause, those of curve i: they differ in greyscale too. */
void sl__figure_line(sl__figure *figure, int i, double width);
/* Its dashes alone, in black. */
void sl__figure_black_line(sl__figure *figure, int i, double width);
/* "#.." */
const char *sl__series_colour(int i);
/* Evenly spread rows, at most SL__PLOT_DOTS of them, of two columns; gives the block. */
int sl__figure_dots(sl__figure *figure, const sl__numbers *x, const sl__numbers *y);
/* A column of a set. */
sl__numbers sl__set_column(const sl__plot_set *set, int32_t column);

/* key.c */
/* The panel gets a key; where: gnuplot's words, "top right". */
void sl__figure_key(sl__figure *figure, const char *where);
/* The same where it hides nothing: under the title, in as many rows as it takes, or, if the names
 * are many and short, at the right margin. The panel gives way. */
void sl__figure_key_aside(sl__figure *figure);
/* Under the title, while the panel stays: its figure has left room. */
void sl__figure_key_above(sl__figure *figure);
/* Pixels above the panels, for the title and a key to so many names. */
double sl__figure_head(const sl__figure *figure, int names, int letters);
/* Letters of a name that fit into so many pixels across a key. */
int sl__figure_key_letters(double pixels);
/* At the panel's end, when its names are known. */
void sl__figure_place_key(sl__figure *figure);

/* axis.c */
/* The range of axis 0 (x) or 1 (y) where it was asked for, else the figure's own. Refuses one that
 * holds nothing of it. */
sl_status sl__figure_window(const sl__plot *plot, int axis, sl__range own, sl__range *out);
/* axis "x" or "y", with marks of which at most `most` fit. Where a range is far from 0 for its width,
 * the marks are named by their distances from a round number, which stands at the axis's end. A range
 * without two ends makes the figure fail. */
void sl__figure_axis(sl__figure *figure, const char *axis, sl__range range, int most);
/* The same without the marks' names: a neighbour has them. */
void sl__figure_axis_unnamed(sl__figure *figure, const char *axis, sl__range range, int most);
/* Takes the marks off that stand so near the upper end that a neighbour's would touch them. */
void sl__figure_inner_marks(sl__figure *figure, const char *axis, sl__range range, int most);

/* palette.c: viridis (van der Walt and Smith 2015; CC0), dark at 0, light at 1: 0xRRGGBB. */
uint32_t sl__palette(double share);

/* bands.c: a plane's density as bands that each hold a share of its mass. */
typedef struct sl__plane {
  sl__range x, y;
  int nodes;
  double *density; /* [nodes][nodes] */
} sl__plane;
enum { SL__BANDS = 11 };
sl_status sl__figure_bands(sl_context *context, sl__figure *figure, const sl__plane *plane);
/* Outlines of the regions that hold the shares [count], from the largest, in the look of curve i. */
sl_status sl__figure_outlines(sl_context *context, sl__figure *figure, const sl__plane *plane,
                              int count, const double *shares, int i);
/* Over filled bands: dark in a white rim, told apart by their dashes. */
sl_status sl__figure_outlines_over(sl_context *context, sl__figure *figure, const sl__plane *plane,
                                   int count, const double *shares, int i);
/* The same regions, filled with pale tints. */
sl_status sl__figure_regions(sl_context *context, sl__figure *figure, const sl__plane *plane,
                             int count, const double *shares);
/* The key to the bands: a strip with the shares of mass that lie inside. */
void sl__figure_band_key(sl__figure *figure, sl__box box);

/* record.c: numbers out of a model's training record; count 0 where it has none. */
typedef struct sl__loss_record {
  int64_t count;
  double *step, *loss, *valid; /* [count]; valid NULL: no held-out rows */
  double best_step;            /* NaN: not said */
  bool standardized;           /* the loss is of standardised rows */
} sl__loss_record;
sl_status sl__read_losses(sl_context *context, sl__arena *arena, const sl_flow *flow,
                          sl__loss_record *out);

/* spread.c: the rows of the data [rows][dim], where a column was rounded with a value of each one's
 * cell in its place, drawn as the flow has it there. */
sl_status sl__plot_spread(const sl__plot *plot, sl__arena *arena, const double **out);

/* surface.c: the densities of what is drawn. */
/* Nodes along an axis of a plane, and of a line. */
enum { SL__PLANE_NODES = 160, SL__LINE_NODES = 512 };
/* exp(log density) of the flow or target at points [rows][dim]; density [rows]. Where a target's is
 * not known up to its constant, the largest is 1. */
sl_status sl__exact_density(const sl__plot *plot, int64_t rows, const double *points,
                            double *density);
/* The plane of the flow or target over ranges [2]; of a set's columns first and second, whose axes
 * those are. density is in the arena. */
sl_status sl__exact_plane(const sl__plot *plot, sl__arena *arena, const sl__range *ranges,
                          sl__plane *out);
sl_status sl__sample_plane(const sl__plot *plot, sl__arena *arena, const sl__plot_set *set,
                           int32_t first, int32_t second, const sl__range *ranges, int nodes,
                           sl__plane *out);
/* Ranges [columns] that hold the sets' central values, by the names of the first. */
sl_status sl__set_ranges(const sl__plot *plot, int32_t columns, sl__range *ranges);
/* Ranges [dim] of a target's coordinates that hold what is not small. dim 1 or 2. */
sl_status sl__target_ranges(const sl__plot *plot, sl__range *ranges);
#endif
