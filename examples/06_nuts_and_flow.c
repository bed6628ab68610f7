/* 06: Markov chains beside variational inference, on two potentials of Rezende and Mohamed 2015.
 *
 *   06_nuts_and_flow [STEPS [FOLDER]]
 *
 * Samples pot1 and pot4 by NUTS, fits planar*10 to them by the classical method in STEPS steps, lets
 * chains jump by that flow's draws, fits the robust default with at most 10,000 STEPS gradients, and
 * prints what each says of itself and what means and spreads it finds. Draws go to
 * FOLDER/pot1_nuts.npy, pot1_planar.npy, pot1_mixed.npy, pot1_robust.npy and so on, if a folder is
 * given. Both potentials have several modes, which plain chains cross seldom, and say so. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "sluice/sluice.h"

enum { CHAINS = 4, DRAWS = 1000, ROWS = CHAINS * DRAWS, DIM = 2 };

typedef struct moments {
  double mean[DIM], sd[DIM];
} moments;

static moments moments_of(double (*x)[DIM]) {
  moments m = {0};
  for (int i = 0; i < DIM; i++) {
    for (int r = 0; r < ROWS; r++) m.mean[i] += x[r][i] / ROWS;
    for (int r = 0; r < ROWS; r++) m.sd[i] += pow(x[r][i] - m.mean[i], 2) / ROWS;
    m.sd[i] = sqrt(m.sd[i]);
  }
  return m;
}

/* A NumPy file of float64 rows. */
static void save(const char *folder, const char *target, const char *what, double (*x)[DIM]) {
  char path[1024], header[118];
  if (!folder) return;
  snprintf(path, sizeof path, "%s/%s_%s.npy", folder, target, what);
  FILE *file = fopen(path, "wb");
  if (!file) {
    perror(path);
    return;
  }
  const int length = snprintf(header, sizeof header,
                              "{'descr': '<f8', 'fortran_order': False, 'shape': (%d, %d), }",
                              (int)ROWS, (int)DIM);
  fwrite("\x93NUMPY\x01\x00\x76\x00", 1, 10, file);
  fprintf(file, "%s%*s\n", header, 117 - length, "");
  fwrite(x, sizeof *x, ROWS, file);
  fclose(file);
}

/* flow: NULL, or to sample in its space and to jump by its draws, which cross between modes. */
static sl_status by_chains(sl_context *context, const sl_target *target, const sl_flow *flow,
                           double (*x)[DIM]) {
  const sl_array_out draws = sl_out_f64(*x, ROWS, DIM);
  sl_nuts_options options;
  sl_nuts_report report = {.size = sizeof report};
  sl_nuts_options_default(&options, sizeof options);
  options.precondition = flow;
  options.jumps = flow ? 1 : 0;
  options.seed = 1;
  const sl_status status = sl_nuts(context, target, &options, &draws, &report);
  if (status != SL_OK) return status;
  printf("  NUTS%s: %lld gradients, %lld divergences\n    %s\n",
         flow ? " with jumps by the flow" : "", (long long)report.gradient_evaluations,
         (long long)report.divergences, report.verdict);
  return SL_OK;
}

static sl_status by_flow(sl_context *context, const sl_target *target, int64_t steps,
                         double (*x)[DIM], double (*mixed)[DIM]) {
  const sl_array_out rows = sl_out_f64(*x, ROWS, DIM);
  sl_vi_options options;
  sl_vi_report report = {.size = sizeof report};
  sl_flow *flow = NULL;
  sl_vi_options_default(&options, sizeof options);
  options.mode = SL_VI_PLAIN;
  options.formula = "planar*10";
  options.steps = steps;
  options.rate = 0.005;
  options.seed = 1;
  sl_status status = sl_vi(context, target, &options, &flow, &report);
  if (status == SL_OK) status = sl_flow_sample(context, flow, 2, NULL, &rows, NULL);
  if (status == SL_OK) {
    printf("  planar*10: ELBO %.3f, %lld gradients\n    %s\n", report.elbo,
           (long long)report.gradient_evaluations, report.verdict);
    status = by_chains(context, target, flow, mixed);
  }
  sl_flow_free(flow);
  return status;
}

/* What `sluice vi` does by default: explores, fits, judges. */
static sl_status by_robust_flow(sl_context *context, const sl_target *target, int64_t steps,
                                double (*x)[DIM]) {
  const sl_array_out rows = sl_out_f64(*x, ROWS, DIM);
  sl_vi_options options;
  sl_vi_report report = {.size = sizeof report};
  sl_flow *flow = NULL;
  sl_vi_options_default(&options, sizeof options);
  options.max_gradients = 10000 * steps;
  options.seed = 1;
  sl_status status = sl_vi(context, target, &options, &flow, &report);
  if (status == SL_OK) status = sl_flow_sample(context, flow, 2, NULL, &rows, NULL);
  if (status == SL_OK)
    printf("  robust default: ELBO %.3f, %lld gradients, %s\n    %s\n", report.elbo,
           (long long)report.gradient_evaluations, report.certified ? "certified" : "refused",
           report.verdict);
  sl_flow_free(flow);
  return status;
}

static int compare(sl_context *context, const char *name, int64_t steps, const char *folder) {
  static double plain[ROWS][DIM], approximate[ROWS][DIM], mixed[ROWS][DIM], robust[ROWS][DIM];
  sl_target *target;
  sl_status status = sl_target_standard(context, name, &target);
  printf("%s\n", name);
  if (status == SL_OK) status = by_chains(context, target, NULL, plain);
  if (status == SL_OK) status = by_flow(context, target, steps, approximate, mixed);
  if (status == SL_OK) status = by_robust_flow(context, target, steps, robust);
  sl_target_free(target);
  if (status != SL_OK) {
    fprintf(stderr, "%s: %s\n", name, sl_error(context));
    return 1;
  }
  const moments a = moments_of(plain), b = moments_of(approximate), c = moments_of(mixed),
                d = moments_of(robust);
  for (int i = 0; i < DIM; i++)
    printf("  z%d: mean %.3f, flow %.3f, with jumps %.3f, robust %.3f; sd %.3f, %.3f, %.3f, %.3f\n",
           i + 1, a.mean[i], b.mean[i], c.mean[i], d.mean[i], a.sd[i], b.sd[i], c.sd[i], d.sd[i]);
  save(folder, name, "nuts", plain);
  save(folder, name, "planar", approximate);
  save(folder, name, "mixed", mixed);
  save(folder, name, "robust", robust);
  return 0;
}

int main(int argc, char **argv) {
  const int64_t steps = argc > 1 ? strtoll(argv[1], NULL, 10) : 10000;
  const char *folder = argc > 2 ? argv[2] : NULL;
  sl_context *context;
  if (sl_context_new(NULL, &context) != SL_OK) return 1;
  const int failed =
      compare(context, "pot1", steps, folder) + compare(context, "pot4", steps, folder);
  sl_context_free(context);
  return failed > 0;
}
