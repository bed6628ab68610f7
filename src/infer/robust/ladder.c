/* Which flows are tried, in which order. The first is the cheapest that has a chance; each next
 * one deepens it, or starts anew.
 *
 * Few dimensions: a mixture of normal densities, put where the exploration's draws cluster, bent
 * by spline couplings. The mixture is at once about right everywhere, modes apart included, and
 * the couplings, whose networks see four low waves of their inputs beside the inputs, have only
 * details left to do. The splines' boxes are wider than the draws reach: what a flow does in
 * places that one draw in ten thousand comes to is hardly trained, and should be nothing.
 *
 * One dimension, and tails too heavy for that: a Student t base, whose draws a spline bends.
 *
 * More dimensions, and chains that do not mix: scales that depend on other coordinates, by affine
 * couplings, one of which is as drivers.c says, which straighten a funnel; walk.c explores again
 * through them, and the second is fitted to what that found. Modes that are apart:
 * first margins with modes of their own, then mixtures.
 *
 * More dimensions otherwise, or chains that agree: first a normal density with bent margins, which
 * most posteriors nearly are. Their tails are often heavier than a normal density's, as that of the
 * logarithm of a scale is: the margins have tails of their own and the splines learn the slopes
 * beyond their boxes, else one draw in ten thousand has a weight that outweighs all others. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "infer/robust/attempt.h"

#define FEW_WAVES     "sines=4"
#define WAVES(count)  "coupling(rqs,bins=16,hidden=48x48," FEW_WAVES ",bound=6)*" #count
#define PLAIN(count)  "coupling(rqs,bins=16,hidden=64x64,bound=6)*" #count
#define MARGINS(bins) "elementwise(rqs,bins=" #bins ",bound=6)"
#define TAILS         "elementwise(tail)-elementwise(rqs,bins=12,bound=6,tails=learned)"
#define BENDS(count)  "coupling(rqs,bins=8,hidden=48x48,bound=6,tails=learned)*" #count "-" TAILS
/* A normal density with bent margins, modes of a margin's own among them. */
#define COPULA             "triangular-" SL__MARGINS
#define DRIVEN             "-coupling(affine,hidden=32x32,mask=DRIVERS)"
#define SCALES(count)      "elementwise(tail)-coupling(affine,hidden=32x32)*" #count DRIVEN
#define BENT_SCALES(count) "elementwise(rqs,bins=12,bound=6,tails=learned)-" SCALES(count)

/* The base begins with heavier tails than it may end with: from there weights stay bounded. */
#define HEAVY_BASE    "student(df=1.05,learn=true)"
#define HEAVY_MARGINS "elementwise(rqs,bins=16,bound=6,tails=learned)"
#define HEAVY_TAILS                                          \
  {HEAVY_BASE, HEAVY_MARGINS, false, 300, 600, 512, 1e-2}, { \
    HEAVY_BASE, HEAVY_MARGINS, true, 0, 1200, 1024, 5e-3     \
  }
#define LINE                                                               \
  {"gaussian_mixture(8)", MARGINS(32), false, 300, 400, 512, 1e-2}, {      \
    "gaussian_mixture(16)", MARGINS(64) "*2", false, 500, 2000, 1024, 1e-2 \
  }
static const sl__plan_of_attempt line[] = {LINE, HEAVY_TAILS};
/* What was explored has such tails (heavy.c). */
static const sl__plan_of_attempt heavy_line[] = {HEAVY_TAILS, LINE};
static const sl__plan_of_attempt few[] = {
    {"gaussian_mixture(16)", WAVES(2), false, 300, 450, 256, 6e-3},
    {"gaussian_mixture(16)", WAVES(2), true, 0, 400, 512, 2e-3},
    {"gaussian_mixture(16)", WAVES(4), true, 0, 1200, 512, 3e-3},
    {"gaussian_mixture(16)", WAVES(4), true, 0, 1200, 512, 2e-3},
    {"normal", PLAIN(4), false, 400, 1200, 512, 3e-3},
};
static const sl__plan_of_attempt few_agreeing[] = {
    {"normal", TAILS, false, 200, 300, 256, 1e-2},
    {"gaussian_mixture(16)", WAVES(2), false, 300, 450, 256, 6e-3},
    {"gaussian_mixture(16)", WAVES(2), true, 0, 400, 512, 2e-3},
    {"gaussian_mixture(16)", WAVES(4), true, 0, 1200, 512, 3e-3},
    {"gaussian_mixture(16)", WAVES(4), true, 0, 1200, 512, 2e-3},
};
static const sl__plan_of_attempt many[] = {
    {"normal", TAILS, false, 200, 300, 256, 1e-2},
    {"normal", TAILS, true, 0, 600, 512, 3e-3},
    {"normal", BENDS(4), true, 300, 1000, 512, 4e-3},
    {"normal", BENDS(8), true, 0, 2000, 512, 2e-3},
    {"normal", "(maf(affine,hidden=64x64)-reverse)*2-" TAILS, false, 500, 2500, 512, 3e-3},
};
/* Chains mix, and yet some coordinates drive the scales of others. */
static const sl__plan_of_attempt scaled[] = {
    {"normal", TAILS, false, 200, 300, 256, 1e-2},
    {"normal", SCALES(4), false, 300, 1500, 256, 5e-3},
    {"normal", BENT_SCALES(4), true, 200, 3000, 512, 3e-3},
    {"normal", BENDS(4), false, 300, 1000, 512, 4e-3},
    {"normal", BENDS(8), true, 0, 2000, 512, 2e-3},
};
/* Chains disagreed, and no separate modes explain it: scales that depend on other coordinates. */
static const sl__plan_of_attempt bent[] = {
    {"normal", SCALES(4), false, 300, 1500, 256, 5e-3},
    {"normal", BENT_SCALES(4), true, 200, 3000, 512, 3e-3},
    {"normal", BENT_SCALES(4), true, 0, 3000, 512, 2e-3},
    {"normal", BENDS(4), false, 500, 2000, 512, 4e-3},
    {"normal", BENDS(8), true, 0, 2500, 512, 2e-3},
};
/* More modes in few dimensions than the first attempt's mixture has components. */
static const sl__plan_of_attempt crowded[] = {
    {"gaussian_mixture(16)", WAVES(2), false, 300, 450, 256, 6e-3},
    {"gaussian_mixture(64)", WAVES(2), false, 300, 600, 512, 5e-3},
    {"gaussian_mixture(64)", WAVES(2), true, 0, 400, 512, 2e-3},
    {"gaussian_mixture(64)", WAVES(2), false, 600, 1200, 512, 3e-3},
    {"normal", PLAIN(4), false, 400, 1200, 512, 3e-3},
};
/* Chains from different points stayed apart, in modes of their own. */
#define MARGINS_FIRST \
  { "normal", COPULA, false, 0, 1500, 512, 3e-3 }
#define MIXTURES                                                         \
  {"gaussian_mixture(16)", BENDS(2), false, 300, 1000, 512, 3e-3},       \
      {"gaussian_mixture(48)", BENDS(4), false, 600, 2500, 512, 3e-3}, { \
    "normal", BENDS(8), false, 600, 3000, 512, 2e-3                      \
  }
static const sl__plan_of_attempt apart[] = {MARGINS_FIRST, MIXTURES};
/* The first attempt reached all modes, so that their shares are known, and only these are mended
 * (weighed.c). */
static const sl__plan_of_attempt apart_weighed[] = {
    MARGINS_FIRST, {"normal", COPULA, true, 0, 0, 512, 3e-3}, MIXTURES};

/* The flow that was asked for: small flows end in one of several optima, at a fast rate or at a slow
 * one, from the exploration's draws or from nothing, and none is the best for all of them. */
static bool plan_given(const sl__robust *run, int attempt, sl__plan_of_attempt *out) {
  static const struct given {
    bool deepens;
    int64_t likelihood_steps, steps;
    double rate;
  } plans[] = {
      {false, 300, 1000, 2e-2}, {true, 0, 2000, 1e-2},  {false, 300, 2000, 5e-3},
      {true, 0, 4000, 2.5e-3},  {false, 0, 1000, 2e-2}, {true, 0, 2000, 1e-2},
  };
  if (attempt >= (int)(sizeof plans / sizeof *plans)) return false;
  const struct given *plan = &plans[attempt];
  *out = (sl__plan_of_attempt){.base = run->options->base,
                               .layers = run->options->formula,
                               .deepens = plan->deepens,
                               .likelihood_steps = plan->likelihood_steps,
                               .steps = plan->steps,
                               .batch = 512,
                               .rate = plan->rate};
  return true;
}

/* Where the draws have a fast wave, networks see it, and slower ones as close together as usual. */
static void tune_waves(sl__robust *run, sl__plan_of_attempt *plan) {
  static const double slowest = 0.5, ratio = 2.33;
  const char *few_waves = strstr(plan->layers, FEW_WAVES);
  if (run->fastest == 0 || !few_waves) return;
  const int count = 1 + (int)ceil(log(run->fastest / slowest) / log(ratio));
  const int length = snprintf(run->waved, sizeof run->waved, "%.*ssines=%d,fastest=%.5g%s",
                              (int)(few_waves - plan->layers), plan->layers, count, run->fastest,
                              few_waves + strlen(FEW_WAVES));
  if (length > 0 && (size_t)length < sizeof run->waved) plan->layers = run->waved;
}

/* The coordinates that drive others' scales, by a mask of their own; without any, or with more
 * than there is room for, no such layer. */
static void tune_drivers(sl__robust *run, sl__plan_of_attempt *plan) {
  const char *marked = strstr(plan->layers, DRIVEN);
  if (!marked) return;
  const int before = (int)(marked - plan->layers);
  const char *after = marked + strlen(DRIVEN);
  int length = 0;
  if (run->drivers)
    length =
        snprintf(run->driven, sizeof run->driven, "%.*s-coupling(affine,hidden=32x32,mask=%s)%s",
                 before, plan->layers, run->drivers, after);
  if (length <= 0 || (size_t)length >= sizeof run->driven)
    snprintf(run->driven, sizeof run->driven, "%.*s%s", before, plan->layers, after);
  plan->layers = run->driven;
}

typedef enum ladder {
  ON_LINE,
  ON_HEAVY_LINE,
  IN_FEW,
  IN_FEW_CROWDED,
  IN_FEW_AGREEING,
  IN_MANY,
  IN_MANY_SCALED,
  IN_MANY_BENT,
  IN_MANY_APART,
  IN_MANY_APART_WEIGHED
} ladder;

/* What sixteen components leave, in nats, where modes are many: densities that bend in odd ways are
 * within a tenth after one attempt. */
static const double crowded_gap = 0.25;

/* By the dimension, what was explored, and how the first attempt went. */
static ladder choose_ladder(const sl__robust *run) {
  const sl__exploration *e = run->exploration;
  if (e->dim <= 1) return run->heavy ? ON_HEAVY_LINE : ON_LINE;
  if (e->dim <= SL__FEW && e->chains_agree) return IN_FEW_AGREEING;
  if (e->dim <= SL__FEW) return run->first_gap > crowded_gap ? IN_FEW_CROWDED : IN_FEW;
  if (e->modes_confirmed) return run->own.rows > 0 ? IN_MANY_APART_WEIGHED : IN_MANY_APART;
  if (!e->chains_mix || e->walked) return IN_MANY_BENT;
  return run->drivers ? IN_MANY_SCALED : IN_MANY;
}

bool sl__robust_plan(sl__robust *run, int attempt, sl__plan_of_attempt *out) {
#define LADDER(plans) \
  { plans, (int)(sizeof plans / sizeof *plans) }
  static const struct {
    const sl__plan_of_attempt *plans;
    int count;
  } ladders[] = {[ON_LINE] = LADDER(line),
                 [ON_HEAVY_LINE] = LADDER(heavy_line),
                 [IN_FEW] = LADDER(few),
                 [IN_FEW_CROWDED] = LADDER(crowded),
                 [IN_FEW_AGREEING] = LADDER(few_agreeing),
                 [IN_MANY] = LADDER(many),
                 [IN_MANY_SCALED] = LADDER(scaled),
                 [IN_MANY_BENT] = LADDER(bent),
                 [IN_MANY_APART] = LADDER(apart),
                 [IN_MANY_APART_WEIGHED] = LADDER(apart_weighed)};
#undef LADDER
  const int most = run->options->most_attempts;
  if (most > 0 && attempt >= most) return false;
  if (run->options->formula) return plan_given(run, attempt, out);
  const ladder which = choose_ladder(run);
  if (attempt >= ladders[which].count) return false;
  *out = ladders[which].plans[attempt];
  if (run->options->base) out->base = run->options->base;
  tune_waves(run, out);
  tune_drivers(run, out);
  return true;
}
