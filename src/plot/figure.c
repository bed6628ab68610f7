/* Writing gnuplot's language. Numbers are written without a locale; words stand between single
 * quotes, where gnuplot knows no escapes, no commands and no variables: a quote becomes a
 * typographic one, since gnuplot 5.4 misreads a doubled one at the beginning, what is no printable
 * character a space, so that no word can end its string or its line, and what is no UTF-8 the
 * character that stands for it. */
#include "plot/figure.h"
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/text.h"

bool sl__figure_is_text(const sl__figure *figure) {
  return figure->format == SL__PLOT_TEXT;
}

void sl__figure_add(sl__figure *figure, const char *format, ...) {
  char piece[1024];
  va_list arguments;
  va_start(arguments, format);
  const int length = vsnprintf(piece, sizeof piece, format, arguments);
  va_end(arguments);
  if (length < 0 || length >= (int)sizeof piece)
    figure->script.failed = true;
  else
    sl__text_add_bytes(&figure->script, piece, (size_t)length);
}

static void add_real(sl__text *to, double value) {
  if (isfinite(value))
    sl__text_add_real(to, value, SL_F64); /* seconds since 1970 are lost in fewer digits */
  else
    sl__text_add_bytes(to, "NaN", 3);
}

void sl__figure_real(sl__figure *figure, double value) {
  add_real(&figure->script, value);
}

/* The length of the character that UTF-8 has here, 0: none. The ranges of the second byte leave out
 * longer forms than needed, surrogates and what is beyond U+10FFFF (RFC 3629, section 4). */
static size_t character_at(const char *text) {
  const unsigned char *c = (const unsigned char *)text;
  size_t length = c[0] < 0x80 ? 1 : c[0] < 0xc2 ? 0 : c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : 4;
  if (c[0] > 0xf4) length = 0;
  for (size_t k = 1; k < length; k++)
    if ((c[k] & 0xc0) != 0x80) return 0;
  if ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f)) return 0;
  if ((c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] > 0x8f)) return 0;
  return length;
}

/* The first `most` letters; gives how many that are. */
static int quote(sl__text *to, const char *text, int most) {
  int letters = 0;
  sl__text_add_bytes(to, "'", 1);
  for (; *text && letters < most; letters++) {
    const size_t length = character_at(text);
    if (*text == '\'')
      sl__text_add(to, "\xe2\x80\x99");
    else if (length == 0)
      sl__text_add(to, "\xef\xbf\xbd"); /* U+FFFD: an SVG of other bytes would be no XML */
    else
      sl__text_add_bytes(to, length == 1 && (*text < 32 || *text == 127) ? " " : text, length);
    text += length > 0 ? length : 1;
  }
  sl__text_add(to, *text ? "..'" : "'");
  return letters;
}

void sl__figure_quote(sl__figure *figure, const char *text) {
  quote(&figure->script, text, INT_MAX);
}

void sl__figure_plot(sl__figure *figure, const char *format, ...) {
  char piece[256];
  va_list arguments;
  va_start(arguments, format);
  const int length = vsnprintf(piece, sizeof piece, format, arguments);
  va_end(arguments);
  sl__text_add(&figure->clauses, figure->clauses.length > 0 ? ", " : "plot ");
  if (length < 0 || length >= (int)sizeof piece)
    figure->script.failed = true;
  else
    sl__text_add_bytes(&figure->clauses, piece, (size_t)length);
}

void sl__figure_named(sl__figure *figure, const char *text) {
  sl__text_add(&figure->clauses, " title ");
  const int most =
      sl__figure_is_text(figure) ? INT_MAX : sl__figure_key_letters((double)figure->width);
  const int letters = quote(&figure->clauses, text, most);
  figure->names++;
  if (letters > figure->letters) figure->letters = letters;
}

const char *sl__figure_font(const sl__figure *figure, sl__figure_size size) {
  static const char *const points[] = {",8", ",9", ",12"}, *const pixels[] = {",11", ",12", ",16"};
  return figure->format == SL__PLOT_SVG ? pixels[size] : points[size];
}

sl__box sl__figure_whole(const sl__figure *figure) {
  return (sl__box){86, 62, figure->width - 24.0, figure->height - sl__figure_head(figure, 0, 0)};
}

static void end_panel(sl__figure *figure) {
  if (figure->clauses.failed) figure->script.failed = true;
  if (figure->drawn) sl__figure_place_key(figure);
  if (figure->drawn && figure->clauses.length == 0) sl__figure_plot(figure, "NaN");
  if (figure->clauses.length > 0)
    sl__text_add_bytes(&figure->script, figure->clauses.data, figure->clauses.length);
  sl__text_add_bytes(&figure->script, "\n", 1);
  sl__text_close(&figure->clauses);
  sl__text_open(&figure->clauses, figure->script.context);
}

void sl__figure_label(sl__figure *figure, const char *name, const char *text) {
  sl__figure_add(figure, "set %s ", name);
  sl__figure_quote(figure, text);
  sl__figure_add(figure, "\n");
}

static void add_terminal(sl__figure *figure, int width, int height) {
  switch (figure->format) {
    case SL__PLOT_PNG:
      sl__figure_add(figure,
                     "set terminal pngcairo size %d,%d noenhanced font 'Sans,10' "
                     "background rgb '#ffffff'\n",
                     width, height);
      break;
    case SL__PLOT_SVG:
      sl__figure_add(figure,
                     "set terminal svg size %d,%d dynamic noenhanced font 'sans-serif,13' "
                     "background rgb '#ffffff'\n",
                     width, height);
      break;
    case SL__PLOT_PDF: /* inches of 96 pixels */
      sl__figure_add(figure, "set terminal pdfcairo size ");
      sl__figure_real(figure, width / 96.0);
      sl__figure_add(figure, ",");
      sl__figure_real(figure, height / 96.0);
      sl__figure_add(figure, " noenhanced font 'Sans,10' fontscale 1\n");
      break;
    case SL__PLOT_TEXT:
      sl__figure_add(figure, "set terminal dumb size %d,%d noenhanced mono\n", width, height);
      break;
    case SL__PLOT_SIXEL:
      sl__figure_add(figure, "set terminal sixelgd size %d,%d noenhanced font 'Sans,10'\n", width,
                     height);
      break;
  }
}

void sl__figure_begin(sl__figure *figure, const sl__plot *plot, const sl__plot_kind *kind) {
  const bool text = plot->format == SL__PLOT_TEXT;
  const int width = plot->width > 0 ? plot->width : text ? 79 : kind->width;
  const int height = plot->height > 0 ? plot->height : text ? 24 : kind->height;
  *figure = (sl__figure){.format = plot->format,
                         .width = text ? kind->width : width,
                         .height = text ? kind->height : height};
  sl__text_open(&figure->script, plot->context);
  sl__text_open(&figure->clauses, plot->context);
  add_terminal(figure, width, height);
  sl__figure_add(figure, "set encoding utf8\nset multiplot\n");
  /* The title is not gnuplot's, which would take room from every panel. */
  const char *title = plot->title ? plot->title : plot->subject;
  figure->titled = title && *title;
  if (!figure->titled || text) return;
  sl__figure_add(figure, "set label 1 ");
  sl__figure_quote(figure, title);
  sl__figure_add(figure, " at screen 0.5,screen ");
  sl__figure_real(figure, 1 - 16.0 / figure->height);
  sl__figure_add(figure, " center font '%s'\n", sl__figure_font(figure, SL__FONT_LARGE));
}

void sl__figure_end(sl__figure *figure) {
  end_panel(figure);
  sl__figure_add(figure, "unset multiplot\n");
  sl__text_close(&figure->clauses);
}

int sl__figure_block(sl__figure *figure, int64_t rows, int columns, const double *values) {
  sl__figure_add(figure, "$b%d << EOD\n", ++figure->blocks);
  for (int64_t r = 0; r < rows; r++) {
    const double *row = values + r * columns;
    if (isnan(row[0])) { /* a gap in a curve */
      sl__figure_add(figure, "\n");
      continue;
    }
    for (int c = 0; c < columns; c++) {
      sl__figure_real(figure, row[c]);
      sl__figure_add(figure, c + 1 < columns ? " " : "\n");
    }
  }
  sl__figure_add(figure, "EOD\n");
  return figure->blocks;
}

int sl__figure_curve(sl__figure *figure, sl__range range, int nodes, const double *values) {
  sl__figure_add(figure, "$b%d << EOD\n", ++figure->blocks);
  for (int i = 0; i < nodes; i++) {
    sl__figure_real(figure, sl__node_at(range, i, nodes));
    sl__figure_add(figure, " ");
    sl__figure_real(figure, values[i]);
    sl__figure_add(figure, "\n");
  }
  sl__figure_add(figure, "EOD\n");
  return figure->blocks;
}

void sl__figure_margin(sl__figure *figure, const char *name, double pixels, int whole) {
  sl__figure_add(figure, "set %s at screen ", name);
  sl__figure_real(figure, pixels / whole);
  sl__figure_add(figure, "\n");
}

void sl__figure_panel(sl__figure *figure, sl__box box) {
  if (figure->drawn) {
    end_panel(figure);
    sl__figure_add(figure, "unset label\nunset object\nunset arrow\n");
  }
  figure->drawn = true;
  figure->box = box;
  figure->key = SL__KEY_NONE;
  figure->names = figure->letters = 0;
  /* SVG's letters stand lower, and would be cut off at the lower edge. */
  sl__figure_add(figure,
                 "unset key\nunset title\nset xlabel '' offset 0,%s\nset ylabel ''\n"
                 "unset logscale\nset format '%%g'\n",
                 figure->format == SL__PLOT_SVG ? "0.6" : "0");
  sl__figure_margin(figure, "lmargin", box.left, figure->width);
  sl__figure_margin(figure, "rmargin", box.right, figure->width);
  sl__figure_margin(figure, "bmargin", box.bottom, figure->height);
  sl__figure_margin(figure, "tmargin", box.top, figure->height);
  sl__figure_add(figure, "set border 3 lc rgb '#555555'\nset tics nomirror out scale 0.6 "
                         "textcolor rgb '#222222'\n");
}

static void add_line(sl__figure *figure, int i, const char *colour, double width) {
  static const char *const dashes[] = {"solid", "(12,5)", "(4,4)", "(12,4,3,4)"};
  sl__text_add(&figure->clauses, " lc rgb '%s' lw ", colour);
  add_real(&figure->clauses, width);
  if (!sl__figure_is_text(figure)) sl__text_add(&figure->clauses, " dt %s", dashes[i % 4]);
}

void sl__figure_line(sl__figure *figure, int i, double width) {
  add_line(figure, i, sl__series_colour(i), width);
}

void sl__figure_black_line(sl__figure *figure, int i, double width) {
  add_line(figure, i, "#000000", width);
}

sl__numbers sl__set_column(const sl__plot_set *set, int32_t column) {
  return (sl__numbers){set->rows, set->values + column, set->columns};
}

int sl__figure_dots(sl__figure *figure, const sl__numbers *x, const sl__numbers *y) {
  const int64_t dots = x->count < SL__PLOT_DOTS ? x->count : SL__PLOT_DOTS;
  sl__figure_add(figure, "$b%d << EOD\n", ++figure->blocks);
  for (int64_t d = 0; d < dots; d++) {
    const int64_t r = d * x->count / dots;
    sl__figure_real(figure, x->values[r * x->stride]);
    sl__figure_add(figure, " ");
    sl__figure_real(figure, y->values[r * y->stride]);
    sl__figure_add(figure, "\n");
  }
  sl__figure_add(figure, "EOD\n");
  return figure->blocks;
}
