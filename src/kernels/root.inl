/* The search for roots of monotone functions, lane by lane: each lane has a bracket and walks by a
 * safeguarded Newton method. The caller evaluates the function and its slope at x of all lanes,
 * again and again; a lane that has arrived stays where it is, and no lane looks at another.
 *
 *   A step is Newton's, corrected by the inverse cubic through the last two points and their slopes
 *   (order 2.7; Traub 1964, chapter 8) where the two agree on the whole, as long as it stays in the
 *   bracket and is at most half the step before last (Brent 1973). Else it goes to a middle of the
 *   bracket: 0 if a wide one holds it, a geometric mean where the ends differ in magnitude.
 *   Ends are believed at first and evaluated only when a step leads there; an end that turns out to
 *   be on the wrong side moves outwards.
 *   A lane has arrived when f - y is 0 or below the spacing of numbers at y, or Newton's step below
 *   that at x; when the curvature seen so far says that the step at hand leads within half a
 *   spacing; when steps so small that they should shrink quadratically do not, being noise of
 *   rounding; when no number is left between the ends. */
typedef struct NAME(lane) {
  T low, high, knows_low, knows_high;     /* the bracket; whether its ends have been evaluated */
  T width, growth;                        /* by how much an end moves that is not one; and more */
  T step, step_before;                    /* sizes of the last two */
  T before, residual_before, pace_before; /* at the point before x; pace: 1 / slope, 0: none */
  T by_newton, escaped, done; /* how many of the last steps; was a far end put off once; arrived */
} NAME(lane);
enum { NAME(FIELDS) = sizeof(NAME(lane)) / sizeof(T) };
_Static_assert((int)NAME(FIELDS) == (int)SL__ROOT_STATE, "kernels.h tells callers how much");

#define EPSILON (sizeof(T) == sizeof(float) ? (T)0x1p-23 : (T)0x1p-52)
#define MOST    (sizeof(T) == sizeof(float) ? (T)0x1.fffffep127 : (T)0x1.fffffffffffffp1023)
/* where a bracket ends at most: its width must be finite */
#define FARTHEST (MOST / 4)

INLINE T NAME(least)(T a, T b) {
  return a < b ? a : b;
}

INLINE T NAME(most)(T a, T b) {
  return a > b ? a : b;
}

/* A number between low and high that suits their magnitudes. */
INLINE T NAME(middle)(T low, T high) {
  const T size_low = NAME(magnitude)(low), size_high = NAME(magnitude)(high);
  const T small = NAME(least)(size_low, size_high), large = NAME(most)(size_low, size_high);
  const T far = size_low < size_high ? high : low;
  const T halfway = low * (T)0.5 + high * (T)0.5;
  /* halfway between the bits: within 6 % of the geometric mean */
  const T between = NAME(from_bits)((NAME(bits)(small) >> 1) + (NAME(bits)(large) >> 1));
  const T geometric = NAME(with_sign_of)(between, far);
  const T towards_zero = small == 0 ? far * (T)0.0625 : geometric;
  const T same_sign = large > 4 * small ? towards_zero : halfway;
  const T two_signs = high - low <= 16 ? halfway : 0;
  const T from_below = high > 0 ? two_signs : same_sign;
  return low < 0 ? from_below : same_sign;
}

/* The step to the zero of the inverse cubic through the last point and this one, or Newton's where
 * there is no last point or the two differ by more than half. */
INLINE T NAME(corrected_step)(const NAME(lane) * s, T x, T residual, T newton) {
  const T span = residual - s->residual_before, q = residual / span, rest = 1 - q;
  const T chord = s->before - x, tangent = span * s->pace_before;
  const T step = q * q * ((3 - 2 * q) * chord + rest * tangent) + rest * rest * newton;
  const T off = NAME(magnitude)(step - newton);
  const T close = off <= (T)0.5 * NAME(magnitude)(newton) ? step : newton;
  return s->pace_before > 0 ? close : newton;
}

/* Whether x + newton is the root as well as it can be known; 1 or 0. */
INLINE T NAME(arrives)(const NAME(lane) * s, T x, T pace, T newton) {
  const T small_part = sizeof(T) == sizeof(float) ? (T)0x1p-12 : (T)0x1p-26; /* EPSILON's root */
  const T near_zero = sizeof(T) == sizeof(float) ? (T)0x1p-18 : (T)0x1p-39;  /* its part of width */
  const T size = NAME(magnitude)(x), length = NAME(magnitude)(newton), spacing = EPSILON * size;
  /* What Newton's step leaves is its length times half the slope's relative change over it, which
   * the last step has shown, if that change was small. */
  const T change = NAME(magnitude)(pace - s->pace_before), span = NAME(magnitude)(x - s->before);
  const T left = 4 * length * length * change, allowed = spacing * span * s->pace_before;
  const T predicted = left <= allowed ? (T)1 : 0;
  const T trusted = change <= (T)0.125 * s->pace_before ? predicted : 0;
  const T smooth = length <= small_part * size ? trusted : 0;
  const T stalled = length > (T)0.25 * s->step ? s->by_newton : 0;
  const T least_size = NAME(most)(small_part * size, near_zero * NAME(least)(s->width, 1));
  const T noise = NAME(most)(length, s->step) <= least_size ? stalled : 0;
  const T nothing = length <= spacing ? (T)1 : 0;
  return NAME(most)(nothing, NAME(most)(smooth, noise));
}

/* f(x) - y = residual: one end of the bracket is x now. Where the other was believed to be there
 * too, it moves outwards. */
INLINE void NAME(narrow)(NAME(lane) * s, T x, T residual) {
  const T high_known = residual < 0 ? s->knows_high : 1,
          low_known = residual < 0 ? 1 : s->knows_low;
  const T up = x >= s->high ? NAME(least)(x + 2 * s->width, FARTHEST) : s->high;
  const T down = x <= s->low ? NAME(most)(x - 2 * s->width, -FARTHEST) : s->low;
  const T moved_up = x >= s->high ? (T)1 : 0, moved_down = x <= s->low ? (T)1 : 0;
  const T moved = residual < 0 ? moved_up : moved_down;
  s->low = residual < 0 ? x : down;
  s->high = residual < 0 ? up : x;
  s->knows_low = low_known;
  s->knows_high = high_known;
  s->width = moved > 0 ? s->width * s->growth : s->width;
  s->growth = moved > 0 ? s->growth * s->growth : s->growth;
}

/* Where to evaluate next; to_newton is where Newton's method wants to go. */
INLINE T NAME(next_point)(NAME(lane) * s, T x, T residual, T to_newton) {
  const T length = NAME(magnitude)(to_newton - x);
  const T above = to_newton > s->low ? (T)1 : 0, inside = to_newton < s->high ? above : 0;
  const T part = s->by_newton < 6 ? (T)0.5 : (T)0.0625; /* no patience with a slow convergence */
  const T good = length <= part * s->step_before ? inside : 0;
  /* beyond an end that is only believed: there if it is near, else the second time */
  const T end = residual < 0 ? s->high : s->low;
  const T believed = residual < 0 ? 1 - s->knows_high : 1 - s->knows_low;
  const T beyond = inside > 0 ? 0 : believed;
  const T near = NAME(magnitude)(to_newton - end) <= s->high - s->low ? (T)1 : s->escaped;
  const T otherwise = beyond * near > 0 ? end : NAME(middle)(s->low, s->high);
  s->escaped = NAME(most)(s->escaped, beyond);
  s->by_newton = good > 0 ? s->by_newton + 1 : 0;
  return good > 0 ? to_newton : otherwise;
}

INLINE T NAME(advance)(NAME(lane) * s, T x, T y, T f, T slope) {
  const T difference = f - y;
  /* not a number: x lies beyond where f can be computed, on the side away from the known end */
  const T upper = s->knows_high > 0 ? -HUGE_VALF : difference;
  const T lower = s->knows_low > 0 ? HUGE_VALF : upper;
  const T residual = difference == difference ? difference : lower;
  NAME(narrow)(s, x, residual);
  const T pace = 1 / slope, newton = -residual * pace;
  const T finite = NAME(magnitude)(newton) <= MOST ? (T)1 : 0;
  const T usable = slope > 0 ? (slope <= MOST ? finite : 0) : 0;
  const T arrived = NAME(least)(NAME(arrives)(s, x, pace, newton), usable);
  const T last = NAME(least)(NAME(most)(x + newton, s->low), s->high);
  const T corrected = x + NAME(corrected_step)(s, x, residual, newton);
  const T to_newton = usable > 0 ? corrected : (residual < 0 ? HUGE_VALF : -HUGE_VALF);
  const T next = NAME(next_point)(s, x, residual, to_newton);
  s->before = x;
  s->residual_before = residual;
  s->pace_before = usable > 0 ? pace : 0;
  s->step_before = s->step;
  s->step = NAME(magnitude)(next - x);
  /* nowhere left to go, or nothing to be found */
  const T above = next > s->low ? (T)0 : 1, closed = next < s->high ? above : 1;
  const T adjacent = s->knows_low * s->knows_high > 0 ? closed : 0;
  const T lost = s->low < s->high ? (T)0 : 1; /* an end that could move no further */
  const T nowhere = residual == residual ? lost : 1;
  const T exact = NAME(magnitude)(residual) <= EPSILON * NAME(magnitude)(y) ? (T)1 : adjacent;
  T result = arrived > 0 ? last : next;
  result = exact > 0 ? x : result;
  result = nowhere > 0 ? (T)NAN : result;
  result = s->done > 0 ? x : result;
  s->done = NAME(most)(NAME(most)(s->done, nowhere), NAME(most)(arrived, exact));
  return result;
}

/* Field k of lane i of a block of BLOCK lanes is at block[k * BLOCK + i]. */
INLINE NAME(lane) NAME(get_lane)(const T *block, int i) {
  T fields[NAME(FIELDS)];
  NAME(lane) s;
  UNROLL
  for (int k = 0; k < NAME(FIELDS); k++) fields[k] = block[k * BLOCK + i];
  memcpy(&s, fields, sizeof s);
  return s;
}

INLINE void NAME(put_lane)(T *block, int i, const NAME(lane) * s) {
  T fields[NAME(FIELDS)];
  memcpy(fields, s, sizeof fields);
  UNROLL
  for (int k = 0; k < NAME(FIELDS); k++) block[k * BLOCK + i] = fields[k];
}

INLINE T *NAME(block_of)(const void *state, int64_t lane) {
  return (T *)(uintptr_t)state + lane / BLOCK * (NAME(FIELDS) * BLOCK);
}

static void NAME(root_begin)(int64_t features, int64_t rows, int64_t lead, void *state, void *x_,
                             const void *y_, const void *low_, const void *high_) {
  const T *y = y_, *low = low_, *high = high_;
  T *x = x_;
  const NAME(lane) nobody = {.done = 1};
  for (int64_t i = features * lead; i % BLOCK != 0; i++)
    NAME(put_lane)(NAME(block_of)(state, i), (int)(i % BLOCK), &nobody);
  for (int64_t i = 0; i < features * lead; i++) {
    T a = low[i], b = high[i];
    a = a == a ? NAME(least)(NAME(most)(a, -FARTHEST), FARTHEST) : -1;
    b = b == b ? NAME(least)(NAME(most)(b, -FARTHEST), FARTHEST) : 1;
    const T upper = NAME(most)(a, b), lower = NAME(least)(a, b);
    const T size = NAME(most)(upper, -lower), rim = size > 0 ? size * (T)0.0625 : 1;
    a = lower < upper ? lower : lower - rim;
    b = lower < upper ? upper : upper + rim;
    const bool finite = y[i] - y[i] == 0, wanted = i % lead < rows && finite;
    const NAME(lane) begin = {.low = a,
                              .high = b,
                              .width = b - a,
                              .growth = 2,
                              .step = MOST,
                              .step_before = MOST,
                              .done = wanted ? 0 : 1};
    x[i] = finite ? NAME(middle)(a, b) : (T)NAN;
    NAME(put_lane)(NAME(block_of)(state, i), (int)(i % BLOCK), &begin);
  }
}

/* BLOCK lanes; returns how many are still searched for. */
NOT_INLINE int64_t NAME(step_block)(T *restrict block, T *x, const T *y, const T *f,
                                    const T *slope) {
  const T *done = block + (NAME(FIELDS) - 1) * BLOCK; /* the last field */
  T next[BLOCK], going[BLOCK], arrived = 0;
  for (int i = 0; i < BLOCK; i++) arrived += done[i];
  if (arrived == BLOCK) return 0;
  for (int i = 0; i < BLOCK; i++) {
    NAME(lane) s = NAME(get_lane)(block, i);
    next[i] = NAME(advance)(&s, x[i], y[i], f[i], slope[i]);
    going[i] = 1 - s.done;
    NAME(put_lane)(block, i, &s);
  }
  memcpy(x, next, sizeof next);
  T searching = 0;
  for (int i = 0; i < BLOCK; i++) searching += going[i];
  return (int64_t)searching;
}

static int64_t NAME(root_step)(int64_t n, void *state, void *x_, const void *y_, const void *f_,
                               const void *slope_) {
  T *block = state, *x = x_;
  const T *y = y_, *f = f_, *slope = slope_;
  int64_t searching = 0, at = 0;
  for (; at + BLOCK <= n; at += BLOCK, block += NAME(FIELDS) * BLOCK)
    searching += NAME(step_block)(block, x + at, y + at, f + at, slope + at);
  if (at == n) return searching;
  T last[4][BLOCK] = {{0}}; /* lanes beyond n have been done from the beginning */
  const size_t bytes = (size_t)(n - at) * sizeof(T);
  memcpy(last[0], x + at, bytes);
  memcpy(last[1], y + at, bytes);
  memcpy(last[2], f + at, bytes);
  memcpy(last[3], slope + at, bytes);
  searching += NAME(step_block)(block, last[0], last[1], last[2], last[3]);
  memcpy(x + at, last[0], bytes);
  return searching;
}

/* What was not found between two known ends is not a number. */
static void NAME(root_end)(int64_t n, const void *state, void *x_) {
  T *x = x_;
  for (int64_t i = 0; i < n; i++) {
    const NAME(lane) s = NAME(get_lane)(NAME(block_of)(state, i), (int)(i % BLOCK));
    if (s.done == 0 && s.knows_low * s.knows_high == 0) x[i] = (T)NAN;
  }
}
#undef EPSILON
#undef MOST
#undef FARTHEST
