/* Where a chain starts: at the best of some random points, as a density may be absurd in a part of
 * the box they come from. */
#include "infer/chain/walker.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { most_tries = 100 };

void sl__walker_draw_first_point(const sl__sampler *s, sl__walker *w) {
  const sl__random_key key = {s->options->seed, SL__STREAM_START, (uint32_t)w->number};
  for (int32_t i = 0; i < w->nuts.dim; i++)
    w->candidate[i] = s->options->init_radius *
                      (2 * sl__random_uniform(key, (uint64_t)w->tries, (uint32_t)i) - 1);
  w->nuts.wanted = w->candidate;
}

int32_t sl__find_bad(int32_t dim, const double *gradient) {
  for (int32_t i = 0; i < dim; i++)
    if (!isfinite(gradient[i])) return i;
  return -1;
}

/* Ends the text before a UTF-8 letter of which only a part has found room. */
static void end_at_letter(char *text) {
  size_t length = strlen(text), at = length;
  while (at > 0 && ((unsigned char)text[at - 1] & 0xC0) == 0x80) at--;
  if (at == 0) return;
  const unsigned char first = (unsigned char)text[at - 1];
  const size_t bytes = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (length - (at - 1) < bytes) text[at - 1] = '\0';
}

/* Of an expression, a place in what was made around it tells nobody anything. What failed for another
 * reason than the point is no word on it. */
void sl__ask_program(const sl__sampler *s, const double *q, size_t size, char *words) {
  words[0] = '\0';
  if (s->target->direct) return;
  const sl__error before = s->context->error;
  const sl_status status = sl__target_explain(s->context, s->target, q);
  if (status == SL_NUMERIC || status == SL_BAD_ARGUMENT)
    snprintf(words, size, "%s", s->context->error.message);
  s->context->error = before;
  end_at_letter(words);
}

/* What is wrong with the candidate; a program may have words on it of its own. */
static void describe_point(const sl__sampler *s, const sl__walker *w, double value,
                           const double *gradient, size_t size, char *what) {
  const int32_t bad = sl__find_bad(w->nuts.dim, gradient);
  if (isfinite(value)) {
    snprintf(what, size, "its gradient by %.80s is %g", s->target->names[bad], gradient[bad]);
    return;
  }
  char words[490];
  sl__ask_program(s, w->candidate, sizeof words, words);
  const char *open = words[0] ? " (" : "", *close = words[0] ? ")" : "";
  if (s->undefined[w->number])
    snprintf(what, size, "the log density is not a number%s%s%s", open, words, close);
  else
    snprintf(what, size, "the log density is %g%s%s%s", value, open, words, close);
}

static sl_status refuse_point(const sl__sampler *s, const sl__walker *w, double value,
                              const double *gradient) {
  char what[600];
  describe_point(s, w, value, gradient, sizeof what, what);
  if (w->is_given)
    return sl__fail(s->context, SL_NUMERIC,
                    "chain %d cannot start where it was told to: %s there; give another point",
                    w->number + 1, what);
  return sl__fail(s->context, SL_NUMERIC,
                  "chain %d found no point to start from: at the last of %d random ones, within "
                  "%g of 0 in every coordinate, %s; give starting points or a smaller radius",
                  w->number + 1, most_tries, s->options->init_radius, what);
}

/* The candidate becomes the first point if it is a better one than that at hand. */
static void keep_candidate(sl__walker *w, double value, const double *gradient) {
  if (!isfinite(value) || sl__find_bad(w->nuts.dim, gradient) >= 0) return;
  if (w->is_found && value <= w->nuts.here.value) return;
  const size_t size = (size_t)w->nuts.dim * sizeof *gradient;
  w->nuts.here.value = value;
  memcpy(w->nuts.here.q, w->candidate, size);
  memcpy(w->nuts.here.gradient, gradient, size);
  w->is_found = true;
}

sl_status sl__walker_take_first_point(sl__sampler *s, sl__walker *w, double value,
                                      const double *gradient) {
  keep_candidate(w, value, gradient);
  w->tries++;
  const bool enough = w->is_given || w->tries >= s->options->init_candidates;
  if (!enough || (!w->is_found && !w->is_given && w->tries < most_tries)) {
    sl__walker_draw_first_point(s, w);
    return SL_OK;
  }
  if (!w->is_found) return refuse_point(s, w, value, gradient);
  w->nuts.step_size = s->options->step_size;
  if (s->options->warmup == 0) {
    sl__walker_start_transition(w);
    return SL_OK;
  }
  sl__warmup_start(&w->warmup, w->nuts.here.gradient);
  sl__walker_start_step_search(w);
  return SL_OK;
}
