/* The search for roots of increasing functions, lane by lane: each lane has a bracket and walks by
 * a safeguarded Newton method. The caller evaluates the function and its slope at x of all lanes,
 * again and again; a lane that has arrived stays where it is, and no lane looks at another.
 *
 *   Far from the root, where the other end of the bracket has been evaluated, a step goes to where
 *   the curve a + b |x - end|^p through that end and this point, with this point's slope, has the
 *   wanted value; where p would be high, the curve a + b exp(c x). So powers and exponentials, on
 *   which Newton's method creeps, take a step or two, and no step leaves the bracket.
 *   Near it, a step is Newton's, corrected by the inverse cubic through the last two points and
 *   their slopes (order 2.7; Traub 1964, chapter 8) where the two agree on the whole.
 *   Either is taken if it stays in the bracket and is at most half the step before last (Brent
 *   1973). Else x goes to a middle of the bracket: 0 if a wide one holds it, a geometric mean where
 *   the ends differ in magnitude.
 *   Ends are believed at first and evaluated only when a step leads there; an end that turns out to
 *   be on the wrong side moves outwards.
 *
 *   What slopes promise is no proof: a function may have a kink a hair beyond x. A lane has arrived
 *   only when f(x) is y to two spacings of y; or when two points a few spacings apart have been
 *   evaluated, one on either side (to get there, the last steps go some spacings further); or when,
 *   close by, f has been seen to fall, or to stay what it was where it should have risen, which an
 *   increasing function does by its rounding alone. */
typedef struct NAME(lane) {
  T low, high, at_low, at_high;           /* the bracket; f - y there, 0: not evaluated */
  T width, growth;                        /* by how much an end moves that is not one; and more */
  T step, step_before;                    /* sizes of the last two */
  T before, residual_before, pace_before; /* at the point before x; pace: 1 / slope, 0: none */
  T reach, by_slope; /* spacings to go further; how many of the last steps followed slopes */
  T escaped, done;   /* was a far end put off once; arrived */
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

/* How far from the far end the curve through it and this point has the wanted value, as a share of
 * the way, at least 1 / 32; not a number where the end has not been evaluated. The curve is a power
 * of the distance, or where that would be high an exponential, if this has the value before the
 * end. */
INLINE T NAME(share_of_way)(T span, T residual, T slope, T at_end) {
  const T rise = residual - at_end, power = span * slope / rise;
  const T logarithm = NAME(log_of)(-at_end / rise) / power;
  const T exponential = power > 10 ? 1 + logarithm : 0;
  const T share = exponential > 0 ? exponential : NAME(exp_of)(logarithm);
  return at_end != 0 ? NAME(most)((T)0x1p-5, share) : (T)NAN;
}

/* f(x) - y = residual: one end of the bracket is x now. Where the other was believed to be there
 * too, it moves outwards. */
INLINE void NAME(narrow)(NAME(lane) * s, T x, T residual) {
  const T up = x >= s->high ? NAME(least)(x + 2 * s->width, FARTHEST) : s->high;
  const T down = x <= s->low ? NAME(most)(x - 2 * s->width, -FARTHEST) : s->low;
  const T moved_up = x >= s->high ? (T)1 : 0, moved_down = x <= s->low ? (T)1 : 0;
  const T moved = residual < 0 ? moved_up : moved_down;
  s->low = residual < 0 ? x : down;
  s->high = residual < 0 ? up : x;
  s->at_low = residual < 0 ? residual : s->at_low;
  s->at_high = residual < 0 ? s->at_high : residual;
  s->width = moved > 0 ? s->width * s->growth : s->width;
  s->growth = moved > 0 ? s->growth * s->growth : s->growth;
}

/* Whether this point and the last, one on either side, both have y but for what rounding x and y
 * makes; 1 or 0. The flatter slope counts. */
INLINE T NAME(is_rounding)(const NAME(lane) * s, T x, T y, T residual, T slope) {
  const T flatter = NAME(least)(slope, 1 / s->pace_before);
  const T scale = NAME(magnitude)(y) + flatter * NAME(magnitude)(x);
  const T larger = NAME(most)(NAME(magnitude)(residual), NAME(magnitude)(s->residual_before));
  const T small = larger <= 4 * EPSILON * scale ? (T)1 : 0;
  const T sides = residual * s->residual_before < 0 ? (T)1 : 0;
  return small * sides;
}

/* Whether f is at x what it was at the end that x replaces, or even beyond, although it should have
 * risen by a good part of the residual since; 1 or 0. Before narrow. */
INLINE T NAME(is_noise)(const NAME(lane) * s, T x, T residual, T slope) {
  const T end = residual < 0 ? s->low : s->high;
  const T at_end = NAME(magnitude)(residual < 0 ? s->at_low : s->at_high);
  const T way = residual < 0 ? x - end : end - x, size = NAME(magnitude)(residual);
  const T slope_before = 1 / s->pace_before; /* at the end, if that was the last point */
  const T least_slope = s->before == end ? NAME(least)(slope, slope_before) : 0;
  const T stays = way * least_slope >= (T)0.5 * size ? (T)1 : 0;
  const T beyond = size > at_end ? (T)1 : (size == at_end ? stays : 0);
  return at_end > 0 ? (way > 0 ? beyond : 0) : 0;
}

/* Where to evaluate next; to_newton is where Newton's method wants to go. */
INLINE T NAME(next_point)(NAME(lane) * s, T x, T residual, T slope, T to_newton, T close) {
  const T end = residual < 0 ? s->high : s->low;
  const T at_end = residual < 0 ? s->at_high : s->at_low;
  const T span = x - end, length = NAME(magnitude)(to_newton - x);
  const T on_curve = end + span * NAME(share_of_way)(span, residual, slope, at_end);
  const T part = NAME(magnitude)(residual) <= 2 * NAME(magnitude)(at_end) ? (T)0.125 : 0;
  const T curve = length <= part * NAME(magnitude)(span) ? to_newton : on_curve;
  const T wanted = on_curve == on_curve ? curve : to_newton;
  const T above = wanted > s->low ? (T)1 : 0, inside = wanted < s->high ? above : 0;
  const T patience = s->by_slope < 6 ? (T)0.5 : (T)0.0625; /* none with a slow convergence */
  const T most = close > 0 ? (T)0.5 * (s->high - s->low) : patience * s->step_before;
  const T good = NAME(magnitude)(wanted - x) <= most ? inside : 0;
  s->by_slope = good > 0 ? s->by_slope + 1 : 0;
  /* beyond an end that is only believed: there if it is near, else the second time */
  const T believed = at_end != 0 ? (T)0 : 1, beyond = believed * (1 - inside);
  const T near = NAME(magnitude)(to_newton - end) <= s->high - s->low ? (T)1 : s->escaped;
  const T otherwise = beyond * near > 0 ? end : NAME(middle)(s->low, s->high);
  s->escaped = NAME(most)(s->escaped, beyond);
  return good > 0 ? wanted : otherwise;
}

/* The root, if the bracket's ends are evaluated and as near to each other as makes sense: where the
 * line between them says. Else not a number. */
INLINE T NAME(between)(const NAME(lane) * s) {
  const T smallest = sizeof(T) == sizeof(float) ? (T)0x1p-146 : (T)0x1p-1071;
  const T size = NAME(most)(NAME(magnitude)(s->low), NAME(magnitude)(s->high));
  const T width = s->high - s->low, share = s->at_low / (s->at_low - s->at_high);
  const T at = s->low + width * (share >= 0 ? share : (T)0.5);
  const T narrow = width <= NAME(most)(8 * EPSILON * size, smallest) ? at : (T)NAN;
  return s->at_low < 0 ? (s->at_high > 0 ? narrow : (T)NAN) : (T)NAN;
}

/* Whether Newton's step is so small that it should be one of the last. */
INLINE T NAME(is_close)(const NAME(lane) * s, T x, T newton) {
  const T small_part = sizeof(T) == sizeof(float) ? (T)0x1p-12 : (T)0x1p-26; /* EPSILON's root */
  const T near_zero = sizeof(T) == sizeof(float) ? (T)0x1p-18 : (T)0x1p-39;  /* its part of width */
  const T most = NAME(most)(small_part * NAME(magnitude)(x), near_zero * NAME(least)(s->width, 1));
  return NAME(magnitude)(newton) <= most ? (T)1 : 0;
}

/* How much further than Newton's step, so that x changes sides: some spacings where the last step
 * did not do it, or where this one is no longer than some. */
INLINE T NAME(further)(NAME(lane) * s, T residual, T close, T newton, T spacing) {
  const T kept = residual * s->residual_before > 0 ? s->reach : 0;
  const T reach = NAME(magnitude)(newton) <= 4 * spacing ? NAME(most)(kept, 2) : kept;
  s->reach = close * NAME(most)(4 * kept, 2);
  return close * NAME(with_sign_of)(reach * spacing, newton);
}

INLINE T NAME(advance)(NAME(lane) * s, T x, T y, T f, T slope) {
  const T difference = f - y, spacing = EPSILON * NAME(magnitude)(x);
  /* not a number: x lies beyond where f can be computed, on the side away from the known end */
  const T upper = s->at_high != 0 ? -HUGE_VALF : difference;
  const T lower = s->at_low != 0 ? HUGE_VALF : upper;
  const T residual = difference == difference ? difference : lower;
  const T noise = NAME(is_noise)(s, x, residual, slope);
  const T both = NAME(is_rounding)(s, x, y, residual, slope);
  NAME(narrow)(s, x, residual);
  const T pace = 1 / slope, newton = -residual * pace;
  const T finite = NAME(magnitude)(newton) <= MOST ? (T)1 : 0;
  const T usable = slope > 0 ? (slope <= MOST ? finite : 0) : 0;
  const T close = usable * NAME(is_close)(s, x, newton);
  const T further = NAME(further)(s, residual, close, newton, spacing);
  const T corrected = x + NAME(corrected_step)(s, x, residual, newton) + further;
  const T to_newton = usable > 0 ? corrected : (residual < 0 ? HUGE_VALF : -HUGE_VALF);
  const T next = NAME(next_point)(s, x, residual, slope, to_newton, close);
  s->before = x;
  s->residual_before = residual;
  s->pace_before = usable > 0 ? pace : 0;
  s->step_before = s->step;
  s->step = NAME(magnitude)(next - x);
  const T rounding = 2 * EPSILON * NAME(magnitude)(y);
  const T equal = NAME(magnitude)(residual) <= rounding ? (T)1 : close * NAME(most)(noise, both);
  const T inside = NAME(least)(NAME(most)(x + newton, s->low), s->high);
  const T step = NAME(magnitude)(newton) * (1 - both);
  const T polished = step <= 2 * spacing ? inside : x;
  const T between = NAME(between)(s), bracketed = between == between ? (T)1 : 0;
  /* nothing to be found: an end could move no further */
  const T lost = s->low < s->high ? (T)0 : 1, nowhere = residual == residual ? lost : 1;
  T result = bracketed > 0 ? between : next;
  result = equal > 0 ? polished : result;
  result = nowhere > 0 ? (T)NAN : result;
  result = s->done > 0 ? x : result;
  s->done = NAME(most)(NAME(most)(s->done, nowhere), NAME(most)(bracketed, equal));
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

/* What was not found is not a number. */
static void NAME(root_end)(int64_t n, const void *state, void *x_) {
  T *x = x_;
  for (int64_t i = 0; i < n; i++) {
    const NAME(lane) s = NAME(get_lane)(NAME(block_of)(state, i), (int)(i % BLOCK));
    if (s.done == 0) x[i] = (T)NAN;
  }
}
#undef EPSILON
#undef MOST
#undef FARTHEST
