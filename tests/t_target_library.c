/* Shared objects with BridgeStan's interface: bridge_model.c is compiled as both versions, loaded,
 * and must do what the same density does as a Stan program. */
#include <unistd.h>
#include "base/context.h"
#include "check.h"
#include "sluice/sluice.h"

static sl_context *context;

static const char program[] = "parameters { real mu; real<lower=0> sigma; }"
                              "transformed parameters { real both = mu * sigma; }"
                              "model { mu ~ normal(0, 1); sigma ~ exponential(1); }";

/* Compiles it into `path`; false: there is no compiler. */
static bool compile(int version, const char *option, char path[64]) {
  char command[256];
  snprintf(path, 64, "/tmp/sluice_bridge_%d_%d.so", (int)getpid(), version);
  snprintf(command, sizeof command,
           "cc -std=c17 -shared -fPIC -DVERSION=%d %s -o %s tests/bridge_model.c -lm "
           "2>/dev/null",
           version, option, path);
  return system(command) == 0;
}

static void check_library(int version) {
  char path[64];
  sl_target *library = NULL, *stan = NULL;
  if (!context) sl_context_new(NULL, &context);
  if (!compile(version, "", path)) SKIP("no compiler");
  CHECK_INTEGER(sl_target_load_library(context, path, "bad", 0, &library), SL_BAD_ARGUMENT);
  if (version == 2) CHECK(strstr(sl_error(context), "the data are bad") != NULL);
  CHECK_OK(context, sl_target_load_library(context, path, NULL, 0, &library));
  CHECK_OK(context, sl_target_from_stan(context, program, NULL, 0, &stan));
  unlink(path);
  REQUIRE(library && stan);
  CHECK_INTEGER(sl_target_dim(library), 2);
  CHECK_TEXT(sl_target_part_name(library, SL_TARGET_TRANSFORMED, 0), "both");
  CHECK_TEXT(sl_target_part_name(library, SL_TARGET_GENERATED, 0), "noise");
  enum { ROWS = 500 };
  static double q[ROWS][2], value[2][ROWS], slope[2][ROWS][2], out[2][ROWS][3], back[ROWS][2];
  for (int r = 0; r < ROWS; r++) q[r][0] = 3 * sin(r), q[r][1] = cos(3 * r);
  const sl_array_in points = sl_in_f64(*q, ROWS, 2);
  for (uint32_t flags = 0; flags < 4; flags++) {
    for (int k = 0; k < 2; k++) {
      const sl_array_out values = sl_out_f64(value[k], ROWS, 1);
      const sl_array_out slopes = sl_out_f64(*slope[k], ROWS, 2);
      CHECK_OK(context, sl_target_log_density(context, k ? stan : library, flags, &points, &values,
                                              &slopes));
    }
    for (int r = 0; r < ROWS; r++) {
      CHECK_CLOSE(value[0][r], value[1][r], 1e-12);
      CHECK_CLOSE(slope[0][r][0], slope[1][r][0], 1e-12);
      CHECK_CLOSE(slope[0][r][1], slope[1][r][1], 1e-12);
    }
  }
  for (int k = 0; k < 2; k++) {
    const sl_array_out values = sl_out_f64(*out[k], ROWS, 3);
    CHECK_OK(context, sl_target_constrain(context, k ? stan : library, true, &points, &values));
  }
  for (int r = 0; r < ROWS; r++)
    for (int i = 0; i < 3; i++) CHECK_CLOSE(out[0][r][i], out[1][r][i], 1e-12);
  const sl_array_in parameters = {*out[0], SL_F64, ROWS, 2, 3, 1};
  const sl_array_out again = sl_out_f64(*back, ROWS, 2);
  CHECK_OK(context, sl_target_unconstrain(context, library, &parameters, &again));
  CHECK_CLOSE(back[7][1], q[7][1], 1e-12);
  out[0][3][1] = -1;
  CHECK_INTEGER(sl_target_unconstrain(context, library, &parameters, &again), SL_BAD_ARGUMENT);
  /* what it refuses has density 0 */
  q[5][0] = 10;
  const sl_array_out values = sl_out_f64(value[0], ROWS, 1);
  CHECK_OK(context, sl_target_log_density(context, library, 0, &points, &values, NULL));
  CHECK(value[0][5] == -(double)INFINITY && isfinite(value[0][4]));
  sl_target_free(library);
  sl_target_free(stan);
}

TEST(version_1) {
  check_library(1);
}
TEST(version_2) {
  check_library(2);
}

TEST(what_is_no_library_is_refused) {
  sl_target *target;
  if (!context) sl_context_new(NULL, &context);
  CHECK_INTEGER(sl_target_load_library(context, "tests/check.h", NULL, 0, &target), SL_IO);
  CHECK_INTEGER(sl_target_load_library(context, "/nowhere/m.so", NULL, 0, &target), SL_IO);
  CHECK_INTEGER(sl_target_load_library(context, "libm.so.6", NULL, 0, &target), SL_IO);
  CHECK(target == NULL);
}

TEST(more_names_than_numbers) {
  char path[64];
  sl_target *library = NULL;
  if (!context) sl_context_new(NULL, &context);
  if (!compile(2, "-DMORE_NAMES", path)) SKIP("no compiler");
  CHECK_INTEGER(sl_target_load_library(context, path, NULL, 0, &library), SL_FORMAT);
  CHECK(strstr(sl_error(context), "more numbers than the 2 that it counts") != NULL);
  unlink(path);
}
