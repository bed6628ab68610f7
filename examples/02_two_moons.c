/* 02: RealNVP on two moons, as in the notebook that this project grew from (Dinh et al. 2017,
 * "Density estimation using Real NVP"): six affine coupling layers with alternating masks, scale
 * and shift networks of two hidden layers of 256, tanh on the scale; 5,001 Adam steps on 100
 * fresh points each.
 *
 *   02_two_moons [--steps N] [--folder FOLDER]
 *
 * Then the inverse is checked, and five CSV files are written: z_of_x (data carried to the
 * base), z (base noise), x (data), x_of_z (noise carried to the data), density (x, y, p on a
 * grid). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sluice/sluice.h"

enum { SHOWN = 1000, GRID = 100 };

/* Numbers that depend on (step, row) alone: splitmix64 as a hash. */
static double uniform(uint64_t step, uint64_t row, uint64_t which) {
  uint64_t h = (step << 40) ^ (row << 8) ^ which;
  for (int round = 0; round < 2; round++) {
    h += 0x9e3779b97f4a7c15u;
    h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9u;
    h = (h ^ (h >> 27)) * 0x94d049bb133111ebu;
    h ^= h >> 31;
  }
  return ((double)(h >> 11) + 0.5) / 9007199254740992.0;
}

/* scikit-learn's make_moons: two half circles, with noise of standard deviation 0.05. */
static void moon(uint64_t step, uint64_t row, float point[2]) {
  double angle = 3.14159265358979 * uniform(step, row, 0);
  double radius = 0.05 * sqrt(-2 * log(uniform(step, row, 1)));
  double turn = 6.28318530717959 * uniform(step, row, 2);
  bool upper = uniform(step, row, 3) < 0.5;
  point[0] = (float)((upper ? cos(angle) : 1 - cos(angle)) + radius * cos(turn));
  point[1] = (float)((upper ? sin(angle) : 0.5 - sin(angle)) + radius * sin(turn));
}

/* An sl_generate_function: x is rows x 2 floats. */
static sl_status fresh_points(void *user, int64_t step, int64_t rows, void *x) {
  (void)user;
  for (int64_t row = 0; row < rows; row++)
    moon((uint64_t)step + 1, (uint64_t)row, (float *)x + 2 * row);
  return SL_OK;
}

static bool report_progress(void *user, const sl_fit_progress *now) {
  int64_t *next = user;
  if (now->step < *next && now->step < now->steps) return true;
  *next = now->step + 500;
  printf("step %5d  loss %.4f\n", (int)now->step, now->loss);
  return true;
}

static bool write_csv(const char *folder, const char *name, const char *header, int columns,
                      int64_t rows, const float *x) {
  char path[1024];
  snprintf(path, sizeof path, "%s/%s.csv", folder, name);
  FILE *file = fopen(path, "w");
  if (!file) {
    fprintf(stderr, "%s cannot be written\n", path);
    return false;
  }
  fprintf(file, "%s\n", header);
  for (int64_t i = 0; i < rows * columns; i++)
    fprintf(file, "%.9g%c", (double)x[i], (i + 1) % columns ? ',' : '\n');
  return fclose(file) == 0;
}

/* x -> z -> x for the rows of x; the largest distance there and back. */
static sl_status round_trip(sl_context *context, const sl_flow *flow, const float *x, float *z,
                            double *worst) {
  float back[2 * SHOWN];
  sl_array_in from = sl_in_f32(x, SHOWN, 2), middle = sl_in_f32(z, SHOWN, 2);
  sl_array_out to = sl_out_f32(z, SHOWN, 2), again = sl_out_f32(back, SHOWN, 2);
  sl_status status = sl_flow_map(context, flow, SL_TO_BASE, -1, &from, NULL, &to, NULL);
  if (status == SL_OK)
    status = sl_flow_map(context, flow, SL_TO_DATA, -1, &middle, NULL, &again, NULL);
  *worst = 0;
  for (int i = 0; i < 2 * SHOWN; i++) *worst = fmax(*worst, fabs((double)(back[i] - x[i])));
  return status;
}

/* The density at the middles of GRID x GRID squares over [-2,3] x [-1.5,2]; returns its
 * integral. */
static double density_grid(sl_context *context, const sl_flow *flow, float *table) {
  static float points[2 * GRID * GRID], log_prob[GRID * GRID];
  for (int i = 0; i < GRID * GRID; i++) {
    points[2 * i] = -2 + 5 * ((float)(i % GRID) + 0.5f) / GRID;
    points[2 * i + 1] = -1.5f + 3.5f * ((float)(i / GRID) + 0.5f) / GRID;
  }
  sl_array_in at = sl_in_f32(points, GRID * GRID, 2);
  sl_array_out out = sl_out_f32(log_prob, GRID * GRID, 1);
  if (sl_flow_log_prob(context, flow, &at, NULL, &out) != SL_OK) return NAN;
  double sum = 0;
  for (int i = 0; i < GRID * GRID; i++) {
    float density = expf(log_prob[i]);
    table[3 * i] = points[2 * i];
    table[3 * i + 1] = points[2 * i + 1];
    table[3 * i + 2] = density;
    sum += (double)density * (5.0 / GRID) * (3.5 / GRID);
  }
  return sum;
}

static sl_status write_sets(sl_context *context, const sl_flow *flow, const char *folder) {
  static float x[2 * SHOWN], z_of_x[2 * SHOWN], z[2 * SHOWN], x_of_z[2 * SHOWN];
  static float grid[3 * GRID * GRID];
  double worst;
  for (int row = 0; row < SHOWN; row++) moon(0, (uint64_t)row, x + 2 * row);
  sl_status status = round_trip(context, flow, x, z_of_x, &worst);
  if (status != SL_OK) return status;
  printf("x -> z -> x: largest difference %.2g\n", worst);
  if (!(worst < 1e-3)) {
    fprintf(stderr, "the inverse is not the inverse\n");
    return SL_NUMERIC;
  }
  sl_array_out noise = sl_out_f32(z, SHOWN, 2), drawn = sl_out_f32(x_of_z, SHOWN, 2);
  status = sl_flow_noise(context, flow, 1, &noise);
  if (status == SL_OK) status = sl_flow_sample(context, flow, 1, NULL, &drawn, NULL);
  if (status != SL_OK) return status;
  printf("integral of the density over the grid: %.4f\n", density_grid(context, flow, grid));
  bool written = write_csv(folder, "z_of_x", "z1,z2", 2, SHOWN, z_of_x) &&
                 write_csv(folder, "z", "z1,z2", 2, SHOWN, z) &&
                 write_csv(folder, "x", "x1,x2", 2, SHOWN, x) &&
                 write_csv(folder, "x_of_z", "x1,x2", 2, SHOWN, x_of_z) &&
                 write_csv(folder, "density", "x1,x2,density", 3, GRID * GRID, grid);
  return written ? SL_OK : SL_IO;
}

static sl_status run(sl_context *context, int64_t steps, const char *folder) {
  static const char formula[] =
      "coupling(affine,net=separate,hidden=256x256,activation=leaky_relu,scale=tanh)*6";
  sl_flow *flow;
  sl_status status = sl_flow_new(context, formula, NULL, 2, 0, SL_F32, 0, &flow);
  if (status != SL_OK) return status;
  int64_t next = 0;
  sl_fit_options options;
  sl_fit_options_default(&options, sizeof options);
  options.steps = steps;
  options.batch = 100;
  options.rate = 1e-4;
  options.optimizer = "adam";
  options.schedule = "constant";
  options.progress = report_progress;
  options.progress_user = &next;
  sl_fit_report report = {.size = sizeof report};
  status = sl_fit_generated(context, flow, fresh_points, NULL, &options, &report);
  if (status == SL_OK) {
    printf("%d steps in %.1f s\n", (int)report.steps, report.seconds);
    status = write_sets(context, flow, folder);
  }
  sl_flow_free(flow);
  return status;
}

int main(int count, char **words) {
  int64_t steps = 5001;
  const char *folder = ".";
  for (int i = 1; i + 1 < count; i += 2) {
    if (strcmp(words[i], "--steps") == 0) steps = strtoll(words[i + 1], NULL, 10);
    if (strcmp(words[i], "--folder") == 0) folder = words[i + 1];
  }
  sl_context *context;
  if (sl_context_new(NULL, &context) != SL_OK) return 1;
  sl_status status = run(context, steps, folder);
  if (status != SL_OK) fprintf(stderr, "%s: %s\n", sl_status_text(status), sl_error(context));
  sl_context_free(context);
  return status == SL_OK ? 0 : 1;
}
