/* Layers whose own networks read the context: p(x | c) by a conditional layer is what a layer of one
 * feature more, the context being its first, makes of the others. With one context column and the
 * same hidden units, the weights are the same numbers at the ends of the same tensors: this tells a
 * context that is read at the wrong place, masked too much or masked too little. */
#include "flow/transformer/transformer.h"
#include "flow_checks.h"

enum { DIM = 3, JOINT = DIM + 1 };

static const sl__parameter *partner_of(const sl__flow *joint, const sl__parameter *p) {
  for (int i = 0; i < joint->parameter_count; i++)
    if (strcmp(joint->parameters[i].name, p->name) == 0) return &joint->parameters[i];
  return NULL;
}

/* Numbers by row: those of a feature, or of a unit. */
static int64_t columns_of(const sl__parameter *p) {
  bool is_matrix = p->shape.dims == 2 && strstr(p->name, ".weight");
  return is_matrix ? p->shape.size[1] : 1;
}

/* Copies every tensor into the last rows and columns of the joint flow's, which is 0 elsewhere. */
static bool copy_to_ends(const fixture *from, fixture *joint) {
  memset(joint->vector, 0, (size_t)joint->flow->size * sizeof *joint->vector);
  for (int i = 0; i < from->flow->parameter_count; i++) {
    const sl__parameter *p = &from->flow->parameters[i], *to = partner_of(joint->flow, p);
    if (!CHECK(to != NULL)) return false;
    int64_t width = columns_of(p), room = columns_of(to);
    int64_t rows = sl__shape_count(p->shape) / width, most = sl__shape_count(to->shape) / room;
    if (!CHECK(width <= room && rows <= most)) return false;
    for (int64_t r = 0; r < rows; r++)
      memcpy(joint->vector + to->offset + (most - rows + r) * room + room - width,
             from->vector + p->offset + r * width, (size_t)width * sizeof *joint->vector);
  }
  return true;
}

/* Rows that share their context: its own part of the joint log-determinant cancels in differences. */
static void compare(fixture *f, fixture *joint, int which, const double *in, const double *c,
                    const double *joint_in, double *joint_out) {
  double out[ROWS * DIM], log_det[ROWS], joint_det[ROWS];
  if (!fixture_map(f, which, ROWS, in, c, out, log_det) ||
      !fixture_map(joint, which, ROWS, joint_in, NULL, joint_out, joint_det))
    return;
  for (int r = 0; r < ROWS; r++) {
    CHECK_CLOSE(log_det[r] - log_det[0], joint_det[r] - joint_det[0], 1e-9);
    for (int i = 0; i < DIM; i++) CHECK_CLOSE(out[r * DIM + i], joint_out[r * JOINT + 1 + i], 1e-9);
  }
}

static void check_joint(const char *formula, const char *joint_formula, double context) {
  fixture f, joint;
  if (!fixture_open(&f, formula, DIM, 1, SL_F64)) return;
  if (!fixture_open(&joint, joint_formula, JOINT, 0, SL_F64)) return;
  int failures = check_failures;
  fixture_perturb(&f, 0.3, 17);
  double x[ROWS * DIM], z[ROWS * DIM], c[ROWS], both[ROWS * JOINT], noise[ROWS * JOINT];
  fixture_points(x, ROWS * DIM, 1.3, 3);
  for (int r = 0; r < ROWS; r++) {
    c[r] = both[r * JOINT] = context;
    memcpy(both + r * JOINT + 1, x + r * DIM, DIM * sizeof *x);
  }
  if (copy_to_ends(&f, &joint)) {
    compare(&f, &joint, FIXTURE_LOG_PROB_MAP, x, c, both, noise);
    for (int r = 0; r < ROWS; r++) memcpy(z + r * DIM, noise + r * JOINT + 1, DIM * sizeof *z);
    compare(&f, &joint, FIXTURE_SAMPLE_MAP, z, c, noise, both);
    for (int i = 0; i < ROWS * DIM; i++) /* the way back, so that the joint flow's is one, too */
      CHECK_CLOSE(both[i / DIM * JOINT + 1 + i % DIM], x[i], 1e-8);
  }
  if (check_failures > failures) printf("  in %s at %g\n", formula, context);
  fixture_close(&f);
  fixture_close(&joint);
}

static void check_both(const char *formula, const char *joint_formula) {
  check_joint(formula, joint_formula, 0.8);
  check_joint(formula, joint_formula, -1.7);
}

TEST(a_context_is_one_feature_more_to_a_coupling_layer) {
  check_both("coupling(affine,mask=010,hidden=8)", "coupling(affine,mask=1010,hidden=8)");
  check_both("coupling(rqs,mask=001,hidden=8x6)", "coupling(rqs,mask=1001,hidden=8x6)");
  check_both("coupling(affine,mask=000,hidden=8)", "coupling(affine,mask=1000,hidden=8)");
  check_both("coupling(affine,mask=110,net=separate,hidden=8,scale=tanh)",
             "coupling(affine,mask=1110,net=separate,hidden=8,scale=tanh)");
}

/* But circular: its layers read features as angles, and a context as the number it is. */
TEST(with_every_transformer) {
  static const char *const layers[][2] = {
      {"coupling(%s,mask=010,hidden=8)", "coupling(%s,mask=1010,hidden=8)"},
      {"maf(%s,hidden=8)", "maf(%s,hidden=8)"},
      {"iaf(%s,hidden=8)", "iaf(%s,hidden=8)"}};
  int count = 0;
  const sl__transformer *const *transformers = sl__transformers(&count);
  for (int i = 0; i < count; i++)
    for (size_t k = 0; k < sizeof layers / sizeof layers[0]; k++) {
      char formula[2][64];
      if (strcmp(transformers[i]->name, "circular") == 0) continue;
      for (int j = 0; j < 2; j++) {
        const char *text = layers[k][j], *hole = strchr(text, '%');
        snprintf(formula[j], sizeof formula[j], "%.*s%s%s", (int)(hole - text), text,
                 transformers[i]->name, hole + 2);
      }
      check_both(formula[0], formula[1]);
    }
}

TEST(a_context_is_one_feature_more_to_an_autoregressive_layer) {
  static const char *const formulas[] = {"maf(affine,hidden=8)", "maf(rqs,hidden=9x7)",
                                         "maf(naf,hidden=8)",    "maf(affine,hidden=8,blocks=2)",
                                         "iaf(affine,hidden=8)", "bnaf(hidden=4)",
                                         "bnaf(hidden=4x3)"};
  for (size_t i = 0; i < sizeof formulas / sizeof formulas[0]; i++)
    check_both(formulas[i], formulas[i]);
}
