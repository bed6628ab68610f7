/* What the tests of bases share. */
#ifndef SL_TESTS_BASES_H
#define SL_TESTS_BASES_H
#include "flow_fixture.h"
#include "flow/base/parts.h"
#include "flow/formula.h"

#define HALF_LOG_TWO_PI 0.91893853320467274178
#define PI              3.14159265358979323846

enum { ROWS = 5, MOST_DIM = 3, CONTEXT = 2, MOST = 128 };

typedef void (*visit_base)(const char *text, const sl__kind *kind);

/* Calls visit for every example of every base. */
static inline void for_every_base(visit_base visit) {
  int count = 0, visited = 0;
  const sl__kind *const *kinds = sl__kinds(&count);
  for (int i = 0; i < count; i++) {
    if (!sl__kind_is_base(kinds[i])) continue;
    for (int k = 0; kinds[i]->examples[k]; k++, visited++) {
      int failures = check_failures;
      visit(kinds[i]->examples[k], kinds[i]);
      if (check_failures > failures) printf("  in %s\n", kinds[i]->examples[k]);
    }
  }
  CHECK(visited >= 12);
}

/* The numbers of parameter "base.NAME". */
static inline const double *numbers(const fixture *f, const char *name) {
  for (int i = 0; i < f->flow->parameter_count; i++) {
    const char *full = f->flow->parameters[i].name;
    if (strncmp(full, "base.", 5) == 0 && strcmp(full + 5, name) == 0)
      return f->vector + f->flow->parameters[i].offset;
  }
  CHECK(false);
  printf("  no parameter base.%s\n", name);
  return NULL;
}

/* Three clusters, far apart, of sizes 3 : 2 : 1. */
static inline void draw_clusters(int64_t rows, double *values) {
  static const double centre[3][2] = {{-3, 1}, {2, 2}, {0.5, -3}};
  fixture_points(values, rows * 2, 0.1, 12);
  for (int64_t r = 0; r < rows; r++) {
    const double *at = centre[r % 6 < 3 ? 0 : r % 6 < 5 ? 1 : 2];
    for (int k = 0; k < 2; k++) values[2 * r + k] = at[k] + (1 + k) * values[2 * r + k];
  }
}
#endif
