/* Where the key stands: under the title, or at the right margin, where it hides nothing. gnuplot
 * knows how wide its letters are and the script does not, so that the room for a name is an estimate,
 * rather too large a one: a key that is too wide gnuplot draws over the panel, or not at all. */
#include "plot/figure.h"

/* Pixels. BESIDE: of a key at the right margin; SAMPLE: the line or point beside its name. */
enum { BESIDE = 190, SAMPLE = 50, LETTER = 7, ROW = 20, AIR = 20, TITLE = 26 };

void sl__figure_key(sl__figure *figure, const char *where) {
  sl__figure_add(figure, "set key %s noautotitle samplen 2 spacing 1.1\n", where);
}

int sl__figure_key_letters(double pixels) {
  return pixels > SAMPLE + 4 * LETTER ? (int)((pixels - SAMPLE) / LETTER) : 4;
}

void sl__figure_key_aside(sl__figure *figure) {
  figure->key = SL__KEY_ASIDE;
}

void sl__figure_key_above(sl__figure *figure) {
  figure->key = SL__KEY_ABOVE;
}

static int rows_of(const sl__figure *figure, int names, int letters) {
  if (sl__figure_is_text(figure)) return 0; /* its key lies over the panel */
  int columns = (figure->width - AIR) / (SAMPLE + LETTER * (letters + 1));
  if (columns > names) columns = names;
  return columns > 1 ? (names + columns - 1) / columns : names;
}

/* Above its rows and below the title. */
static double head_of(const sl__figure *figure) {
  return AIR + (figure->titled ? TITLE : 0);
}

double sl__figure_head(const sl__figure *figure, int names, int letters) {
  return head_of(figure) + ROW * rows_of(figure, names, letters);
}

/* Names that are many and short are read more easily in a column; or there is no room above. */
static bool is_beside(const sl__figure *figure) {
  enum { MOST_ABOVE = 3 };
  if (ROW * rows_of(figure, figure->names, figure->letters) > figure->height / 2) return true;
  return figure->names > MOST_ABOVE && figure->letters <= sl__figure_key_letters(BESIDE) &&
         figure->width >= 3 * BESIDE;
}

static void place_beside(sl__figure *figure) {
  sl__figure_margin(figure, "rmargin", figure->box.right - BESIDE + 10, figure->width);
  sl__figure_add(figure, "set key at screen ");
  sl__figure_real(figure, 1 - (double)BESIDE / figure->width);
  sl__figure_add(figure, ",graph 1 left top Left reverse noautotitle samplen 2 spacing 1.1\n");
}

static void place_above(sl__figure *figure) {
  const int rows = rows_of(figure, figure->names, figure->letters);
  const double head = head_of(figure) - AIR / 2;
  if (figure->key == SL__KEY_ASIDE)
    sl__figure_margin(figure, "tmargin", figure->box.top - ROW * rows, figure->height);
  sl__figure_add(figure, "set key at screen 0.5,screen ");
  sl__figure_real(figure, 1 - (head + 0.5 * ROW * rows) / figure->height);
  sl__figure_add(figure, " center center vertical maxrows %d noautotitle samplen 2\n", rows);
}

void sl__figure_place_key(sl__figure *figure) {
  if (figure->key == SL__KEY_NONE || figure->names == 0) return;
  if (sl__figure_is_text(figure))
    sl__figure_key(figure, "top right opaque");
  else if (figure->key == SL__KEY_ASIDE && is_beside(figure))
    place_beside(figure);
  else
    place_above(figure);
}
