/* Every registered flow (catalogue.h) is a density: its mass is 1, by quadrature. */
#include "catalogue.h"

/* Trained size that does not grow with the width of a network: what a grid in the plane can
 * resolve. */
static void calm(fixture *f) {
  for (int i = 0; i < f->flow->parameter_count; i++) {
    const sl__parameter *p = &f->flow->parameters[i];
    if (!p->trainable || p->shape.dims != 2 || p->shape.size[1] <= 2) continue;
    for (int64_t k = 0; k < sl__shape_count(p->shape); k++)
      f->vector[p->offset + k] *= 2.0 / p->shape.size[1];
  }
}

/* Densities that jump, have a pole at an edge, or reach beyond the grid with heavy tails: the plane's
 * grid sees them only coarsely. */
static bool jumps(const char *formula) {
  static const char *const words[] = {"uniform", "tail", "tanh", "-elu", "power", "linear"};
  bool found = strncmp(formula, "elu", 3) == 0;
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
    found |= strstr(formula, words[i]) != NULL;
  return found;
}

/* On the line at trained size and at ten times that, in the plane at trained size. */
static void check_mass(const char *formula, const sl__kind *kind) {
  /* Of widths that the grid resolves. */
  if (strcmp(formula, "mixture(3,scale-loc)") == 0)
    formula = "mixture(3,scale(jitter=0)-loc(jitter=0))";
  (void)kind;
  char message[256];
  for (int i = 0; i < 3; i++) {
    int32_t dim = i < 2 ? 1 : 2;
    fixture f;
    if (!fits(formula, dim, message, sizeof message)) continue;
    if (!fixture_open(&f, formula, dim, 0, SL_F64)) return;
    int size = i == 1 && f.flow->chain.count <= 1 ? 3 : 1; /* a chain's slopes multiply */
    if (i == 1 && size == 1) {
      fixture_close(&f);
      continue;
    }
    fixture_perturb(&f, size == 3 ? 3 : 0.3, 23);
    if (dim == 2) calm(&f);
    const double tolerance = dim == 2 && jumps(formula) ? 0.08 : 2e-3;
    if (!check_mass_is_one(&f, dim == 1 ? 100001 : 501, dim == 1 ? 20 : 6.5, tolerance))
      printf("  %s in %d dimensions, size %d\n", formula, dim, size);
    fixture_close(&f);
  }
}

TEST(densities_integrate_to_one) {
  for_every_formula(check_mass);
}
