/* Models in files: what is saved is loaded to the bit, and what is damaged is refused with a
 * reason. */
#include <unistd.h>
#include "check.h"
#include "flow/model.h"
#include "io/io.h"

static const char *temporary(void) {
  static char path[64];
  snprintf(path, sizeof path, "/tmp/sluice_t_model_%ld.safetensors", (long)getpid());
  return path;
}

static sl_context *open_context(void) {
  sl_context_options options = {.size = sizeof options, .threads = 1};
  sl_context *context = NULL;
  return sl_context_new(&options, &context) == SL_OK ? context : NULL;
}

static sl__model *make_model(sl_context *context, sl_dtype type) {
  sl__model *model = NULL;
  const char *formula = "lu - maf(rqs,hidden=8,bins=4)*2 - coupling(affine,hidden=6,scale=tanh)";
  if (!CHECK_OK(context, sl__model_new(context, formula, NULL, 3, 2, type, UINT64_MAX, &model)))
    return NULL;
  static const double mean[3] = {1, 2, 3}, sd[3] = {0.5, 4, 10};
  static const char *const columns[3] = {"a \"quoted\"", "b,c", "\xc3\xa9t\xc3\xa9"};
  static const char *const context_columns[2] = {"dose", "time"};
  sl__model_standardize(model, mean, sd);
  CHECK(sl__model_name_columns(model, columns, context_columns) == SL_OK);
  CHECK(sl__model_set_training(model, "{\"steps\":12}") == SL_OK);
  model->noise_width[1] = 0.25;
  model->context_shift[0] = -1.5;
  model->context_scale[1] = 3;
  return model;
}

static void check_same(const sl__model *a, const sl__model *b) {
  size_t size = a->flow->type == SL_F32 ? 4 : 8;
  CHECK_TEXT(b->flow->formula, a->flow->formula);
  CHECK_TEXT(b->flow->base_formula, a->flow->base_formula);
  CHECK(b->flow->seed == a->flow->seed && b->flow->type == a->flow->type);
  REQUIRE(b->flow->size == a->flow->size);
  CHECK(memcmp(a->vector, b->vector, (size_t)a->flow->size * size) == 0);
  for (int k = 0; k < 3; k++) {
    CHECK_TEXT(b->columns[k], a->columns[k]);
    CHECK(b->noise_width[k] == a->noise_width[k]);
  }
  for (int k = 0; k < 2; k++) {
    CHECK_TEXT(b->context_columns[k], a->context_columns[k]);
    CHECK(b->context_shift[k] == a->context_shift[k] && b->context_scale[k] == a->context_scale[k]);
  }
  CHECK_TEXT(b->training, a->training);
}

TEST(save_and_load) {
  sl_context *context = open_context();
  REQUIRE(context != NULL);
  for (int type = SL_F32; type <= SL_F64; type++) {
    sl__model *model = make_model(context, (sl_dtype)type), *loaded = NULL;
    REQUIRE(model != NULL);
    CHECK_TEXT(model->flow->formula,
               "lu-maf(rqs,hidden=8,bins=4)*2-coupling(affine,hidden=6,scale=tanh)-standardize");
    if (CHECK_OK(context, sl__model_save(context, model, temporary())) &&
        CHECK_OK(context, sl__model_load(context, temporary(), &loaded)))
      check_same(model, loaded);
    sl__model_free(context, loaded);
    sl__model_free(context, model);
  }
  remove(temporary());
  sl_context_free(context);
}

/* Types of columns are part of the structure; files without them are of the older version. */
TEST(typed_columns_are_saved_and_loaded) {
  static const char *const texts[6] = {
      "periodic(0,360)", "simplex(1)", "count",
      "simplex(1)",      "real",       "interval(-0.1,2) width(0.5)"};
  sl_context *context = open_context();
  REQUIRE(context != NULL);
  sl__column_type types[6];
  for (int k = 0; k < 6; k++) REQUIRE_OK(context, sl__type_read(context, texts[k], &types[k]));
  sl__model *model = NULL, *loaded = NULL;
  REQUIRE_OK(context, sl__model_new_typed(context, "lu", NULL, 6, types, 0, SL_F64, 1, &model));
  CHECK_INTEGER(model->flow->dim, 5);
  CHECK_INTEGER(model->flow->periodic, 1);
  CHECK_INTEGER(sl__model_format_version(model), 2);
  static const double mean[5] = {1, 2, 3, 4}, sd[5] = {5, 6, 7, 8};
  sl__model_standardize(model, mean, sd);
  if (CHECK_OK(context, sl__model_save(context, model, temporary())) &&
      CHECK_OK(context, sl__model_load(context, temporary(), &loaded))) {
    for (int k = 0; k < 6; k++) {
      CHECK_TEXT(model->types[k], texts[k]);
      CHECK_TEXT(loaded->types[k], texts[k]);
    }
    REQUIRE(loaded->flow->size == model->flow->size);
    CHECK(memcmp(loaded->vector, model->vector, (size_t)model->flow->size * sizeof(double)) == 0);
  }
  sl__model_free(context, loaded);
  sl__model_free(context, model);
  REQUIRE_OK(context, sl__model_new(context, "lu", NULL, 2, 0, SL_F64, 1, &model));
  CHECK_INTEGER(sl__model_format_version(model), 1);
  sl__model_free(context, model);
  remove(temporary());
  sl_context_free(context);
}

/* Every kind of layer, because it is registered, on every base density. */
TEST(every_kind_is_saved_and_loaded) {
  sl_context *context = open_context();
  REQUIRE(context != NULL);
  int kinds = 0;
  const sl__kind *const *kind = sl__kinds(&kinds);
  for (int i = 0; i < kinds * kinds; i++) {
    if (sl__kind_is_base(kind[i % kinds]) || !sl__kind_is_base(kind[i / kinds])) continue;
    const char *name = kind[i % kinds]->examples[0], *base_name = kind[i / kinds]->examples[0];
    sl__model *model = NULL, *loaded = NULL;
    REQUIRE_OK(context, sl__model_new(context, name, base_name, 3, 0, SL_F64, 5, &model));
    const size_t size = (size_t)model->flow->size * sizeof(double);
    if (CHECK_OK(context, sl__model_save(context, model, temporary())) &&
        CHECK_OK(context, sl__model_load(context, temporary(), &loaded))) {
      bool same = strcmp(loaded->flow->formula, model->flow->formula) == 0 &&
                  strcmp(loaded->flow->base_formula, model->flow->base_formula) == 0 &&
                  loaded->flow->size == model->flow->size &&
                  memcmp(loaded->vector, model->vector, size) == 0;
      if (!CHECK(same)) printf("  %s on %s\n", name, base_name);
    }
    sl__model_free(context, loaded);
    sl__model_free(context, model);
  }
  remove(temporary());
  sl_context_free(context);
}

TEST(standardize_is_added_once) {
  sl_context *context = open_context();
  REQUIRE(context != NULL);
  sl__model *model = NULL;
  REQUIRE_OK(context, sl__model_new(context, "loc-standardize", NULL, 2, 0, SL_F32, 1, &model));
  CHECK_TEXT(model->flow->formula, "loc-standardize");
  CHECK_TEXT(model->columns[1], "x2");
  CHECK(model->training == NULL);
  sl__model_free(context, model);
  CHECK(sl__model_new(context, "loc-(scale", NULL, 2, 0, SL_F32, 1, &model) == SL_SYNTAX);
  CHECK(model == NULL && strstr(context->error.message, "standardize") == NULL);
  CHECK_INTEGER(context->error.column, 11);
  sl_context_free(context);
}

/* The density is one of the data's own units: the normal density with these means and
 * deviations. */
TEST(density_in_data_units) {
  sl_context *context = open_context();
  REQUIRE(context != NULL);
  sl__model *model = NULL;
  REQUIRE_OK(context, sl__model_new(context, "loc(jitter=0)", NULL, 2, 0, SL_F64, 1, &model));
  static const double mean[2] = {1, -20}, sd[2] = {0.5, 30}, x[2] = {1.4, -27};
  sl__model_standardize(model, mean, sd);
  sl__graph *g = NULL;
  REQUIRE_OK(context, sl__graph_new(context, &g));
  sl_node log_prob = sl__model_log_prob(model, g, op_input(g, SL_F64, sl__shape1(2)), 0);
  sl__program *program = NULL;
  sl__workspace *workspace = NULL;
  REQUIRE_OK(context, sl__program_new(context, g, 1, &log_prob, &program));
  REQUIRE_OK(context, sl__workspace_new(context, program, 1, &workspace));
  double found = 0, wanted = 0;
  sl__feed feed = {.data = x, .type = SL_F64};
  sl__sink sink = {.data = &found, .type = SL_F64};
  sl__run run = {.rows = 1, .parameters = model->vector, .feeds = &feed, .sinks = &sink};
  CHECK_OK(context, sl__program_run(context, program, workspace, &run));
  for (int k = 0; k < 2; k++) {
    double z = (x[k] - mean[k]) / sd[k];
    wanted -= 0.5 * z * z + log(sd[k]) + 0.5 * log(2 * acos(-1));
  }
  CHECK_CLOSE(found, wanted, 1e-13);
  sl__workspace_free(workspace);
  sl__program_free(program);
  sl__graph_free(g);
  sl__model_free(context, model);
  sl_context_free(context);
}

/* ---- damaged files: read the good one, change it, write it, expect a refusal ---- */

typedef struct damage {
  const char *name, *message;
  sl_status status;
  void (*apply)(sl__tensor_file *file);
} damage;

static sl__tensor *find(sl__tensor_file *file, const char *name) {
  for (int64_t i = 0; i < file->tensors; i++)
    if (strcmp(file->tensor[i].name, name) == 0) return &file->tensor[i];
  return NULL;
}

static void set_meta(sl__tensor_file *file, const char *key, const char *value) {
  for (int64_t i = 0; i < file->entries; i++)
    if (strcmp(file->keys[i], key) == 0) file->values[i] = value;
}

static void drop_meta(sl__tensor_file *file, const char *key) {
  for (int64_t i = 0; i < file->entries; i++)
    if (strcmp(file->keys[i], key) == 0) file->keys[i] = "renamed";
}

static void drop_tensor(sl__tensor_file *file) {
  find(file, "layers.2.net.1.bias")->name = "renamed";
}
static void reshape(sl__tensor_file *file) {
  sl__tensor *tensor = find(file, "layers.2.net.0.weight");
  int64_t kept = tensor->shape[0];
  tensor->shape[0] = tensor->shape[1];
  tensor->shape[1] = kept;
}
static void flatten(sl__tensor_file *file) {
  sl__tensor *tensor = find(file, "layers.1.matrix");
  tensor->dims = 1;
  tensor->shape[0] = 9;
}
static void retype(sl__tensor_file *file) {
  sl__tensor *tensor = find(file, "layers.1.bias");
  static const float numbers[3];
  tensor->type = SL_F32;
  tensor->data = numbers;
}
static void spoil(sl__tensor_file *file) {
  static double numbers[3] = {0, NAN, 0};
  find(file, "layers.1.bias")->data = numbers;
}
static void unmask(sl__tensor_file *file) {
  static double numbers[8 * 5];
  for (int i = 0; i < 40; i++) numbers[i] = 1;
  find(file, "layers.2.net.0.weight")->data = numbers;
}
static void no_version(sl__tensor_file *file) {
  drop_meta(file, "format_version");
}
static void newer(sl__tensor_file *file) {
  set_meta(file, "format_version", "3");
}
static void odd_version(sl__tensor_file *file) {
  set_meta(file, "format_version", "one");
}
static void no_formula(sl__tensor_file *file) {
  drop_meta(file, "formula");
}
static void bad_formula(sl__tensor_file *file) {
  set_meta(file, "formula", "lu-unknownlayer");
}
static void other_formula(sl__tensor_file *file) {
  set_meta(file, "formula", "maf(affine)-standardize");
}
static void bad_base(sl__tensor_file *file) {
  set_meta(file, "base", "cauchyy");
}
static void bad_dim(sl__tensor_file *file) {
  set_meta(file, "dim", "0");
}
static void huge_dim(sl__tensor_file *file) {
  set_meta(file, "dim", "2147483647");
}
static void other_dim(sl__tensor_file *file) {
  set_meta(file, "dim", "4");
}
static void bad_context(sl__tensor_file *file) {
  set_meta(file, "context_dim", "-1");
}
static void bad_dtype(sl__tensor_file *file) {
  set_meta(file, "dtype", "f16");
}
static void bad_seed(sl__tensor_file *file) {
  set_meta(file, "seed", "18446744073709551616");
}
static void few_columns(sl__tensor_file *file) {
  set_meta(file, "columns", "[{\"name\":\"a\"}]");
}
static void odd_columns(sl__tensor_file *file) {
  set_meta(file, "columns", "[1,2,3]");
}
static void unknown_type(sl__tensor_file *file) {
  set_meta(file, "columns",
           "[{\"name\":\"a\"},{\"name\":\"b\",\"type\":\"positiv\"},{\"name\":\"c\"}]");
}
static void number_type(sl__tensor_file *file) {
  set_meta(file, "columns", "[{\"name\":\"a\",\"type\":7},{\"name\":\"b\"},{\"name\":\"c\"}]");
}
static void odd_range(sl__tensor_file *file) {
  set_meta(file, "columns",
           "[{\"name\":\"a\",\"type\":\"interval(0,1e999)\"},{\"name\":\"b\"},{\"name\":\"c\"}]");
}
static void part_as_type(sl__tensor_file *file) {
  set_meta(file, "columns",
           "[{\"name\":\"a\",\"type\":\"weight\"},{\"name\":\"b\"},{\"name\":\"c\"}]");
}
static void lonely_simplex(sl__tensor_file *file) {
  set_meta(file, "columns",
           "[{\"name\":\"a\",\"type\":\"simplex(1)\"},{\"name\":\"b\"},{\"name\":\"c\"}]");
}
static void far_simplex(sl__tensor_file *file) {
  set_meta(file, "columns",
           "[{\"name\":\"a\",\"type\":\"simplex(2)\"},{\"name\":\"b\",\"type\":\"simplex(2)\"},"
           "{\"name\":\"c\"}]");
}
static void other_types(sl__tensor_file *file) {
  set_meta(file, "columns",
           "[{\"name\":\"a\",\"type\":\"simplex(1)\"},{\"name\":\"b\",\"type\":\"simplex(1)\"},"
           "{\"name\":\"c\"}]");
}
static void broken_columns(sl__tensor_file *file) {
  set_meta(file, "columns", "[{]");
}
static void odd_context(sl__tensor_file *file) {
  set_meta(file, "context_columns", "[1,2]");
}

static const damage damages[] = {
    {"missing tensor", "'layers.2.net.1.bias' is missing", SL_FORMAT, drop_tensor},
    {"transposed tensor", "'layers.2.net.0.weight' has not the shape", SL_FORMAT, reshape},
    {"flat tensor", "'layers.1.matrix' has not the shape", SL_FORMAT, flatten},
    {"other element type", "'layers.1.bias' has not the shape or element type", SL_FORMAT, retype},
    {"NaN", "'layers.1.bias' holds a NaN", SL_NUMERIC, spoil},
    {"mask broken", "is not 0 at [0, 2], where its mask is", SL_FORMAT, unmask},
    {"no version", "no 'format_version'", SL_FORMAT, no_version},
    {"newer version", "use a newer sluice", SL_UNSUPPORTED, newer},
    {"odd version", "'format_version' is one", SL_FORMAT, odd_version},
    {"no formula", "no 'formula'", SL_FORMAT, no_formula},
    {"bad formula", "there is no layer 'unknownlayer'", SL_SYNTAX, bad_formula},
    {"other formula", "is missing", SL_FORMAT, other_formula},
    {"bad base", "no base density 'cauchyy'", SL_SYNTAX, bad_base},
    {"dim 0", "'dim' is 0", SL_FORMAT, bad_dim},
    {"huge dim", "'dim' is 2147483647", SL_FORMAT, huge_dim},
    {"other dim", "'columns' in the metadata", SL_FORMAT, other_dim},
    {"bad context_dim", "'context_dim' is -1", SL_FORMAT, bad_context},
    {"bad dtype", "'dtype' is f16", SL_FORMAT, bad_dtype},
    {"seed beyond 64 bits", "'seed' is 18446744073709551616", SL_FORMAT, bad_seed},
    {"too few columns", "'columns' in the metadata", SL_FORMAT, few_columns},
    {"odd columns", "'columns' in the metadata", SL_FORMAT, odd_columns},
    {"broken columns", "", SL_FORMAT, broken_columns},
    {"unknown type", "the type of column 2", SL_FORMAT, unknown_type},
    {"a number for a type", "the type of column 1", SL_FORMAT, number_type},
    {"an endless interval", "the type of column 1", SL_FORMAT, odd_range},
    {"a part for a type", "the type of column 1", SL_FORMAT, part_as_type},
    {"a simplex of one", "a simplex of one column", SL_BAD_ARGUMENT, lonely_simplex},
    {"a second simplex only", "counted from 1", SL_BAD_ARGUMENT, far_simplex},
    {"fewer features", "has not the shape", SL_FORMAT, other_types},
    {"odd context columns", "'context_columns' in the metadata", SL_FORMAT, odd_context},
};

TEST(damaged_files_are_refused) {
  sl_context *context = open_context();
  REQUIRE(context != NULL);
  sl__model *model = make_model(context, SL_F64);
  REQUIRE(model != NULL);
  for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
    sl__tensor_file file;
    sl__model *loaded = NULL;
    REQUIRE_OK(context, sl__model_save(context, model, temporary()));
    REQUIRE_OK(context, sl__tensors_read(context, temporary(), &file));
    damages[i].apply(&file);
    CHECK_OK(context, sl__tensors_write(context, temporary(), file.tensors, file.tensor,
                                        file.entries, file.keys, file.values));
    sl__tensors_close(&file);
    sl_status status = sl__model_load(context, temporary(), &loaded);
    bool refused = CHECK_INTEGER(status, damages[i].status) && CHECK(loaded == NULL);
    bool says = CHECK(strstr(context->error.message, damages[i].message) != NULL);
    bool names_file = CHECK(strstr(context->error.message, temporary()) != NULL);
    if (!refused || !says || !names_file)
      printf("  %s: %s\n", damages[i].name, context->error.message);
    sl__model_free(context, loaded);
  }
  sl__model_free(context, model);
  remove(temporary());
  sl_context_free(context);
}

/* ---- the n-th allocation fails, for every n ---- */

typedef struct rationing {
  long until_failure, outstanding;
} rationing;

static void *ration(void *user, void *pointer, size_t old_size, size_t new_size) {
  rationing *r = user;
  (void)old_size;
  if (new_size == 0) {
    r->outstanding -= pointer != NULL;
    free(pointer);
    return NULL;
  }
  if (--r->until_failure == 0) return NULL;
  r->outstanding += pointer == NULL;
  return realloc(pointer, new_size);
}

/* Makes, names, saves and loads a model; the first failure's status. */
static sl_status whole_life(sl_context *context) {
  static const double mean[3] = {1, 2, 3}, sd[3] = {1, 2, 3};
  static const char *const columns[3] = {"a", "b", "c"};
  static const char formula[] = "(lu-permute-reverse)*2-maf(rqs,hidden=4,blocks=1)"
                                "-coupling(affine,net=separate,scale=tanh,hidden=3)-iaf(hidden=3)";
  static const sl__column_type types[3] = {{.support = SL__SUPPORT_POSITIVE},
                                           {.support = SL__SUPPORT_PERIODIC, .high = 360}};
  sl__model *model = NULL, *loaded = NULL;
  sl_status status = sl__model_new_typed(context, formula, NULL, 3, types, 1, SL_F32, 1, &model);
  if (status == SL_OK) {
    sl__model_standardize(model, mean, sd);
    status = sl__model_name_columns(model, columns, NULL);
  }
  if (status == SL_OK) status = sl__model_set_training(model, "{}");
  if (status == SL_OK) status = sl__model_save(context, model, temporary());
  if (status == SL_OK) status = sl__model_load(context, temporary(), &loaded);
  CHECK((status == SL_OK) == (loaded != NULL));
  sl__model_free(context, loaded);
  sl__model_free(context, model);
  return status;
}

TEST(every_allocation_may_fail) {
  rationing r = {0};
  sl_context_options options = {
      .size = sizeof options, .threads = 1, .reallocate = ration, .user = &r};
  sl_context *context = NULL;
  REQUIRE(sl_context_new(&options, &context) == SL_OK);
  long before = r.outstanding;
  sl_status status = SL_NO_MEMORY;
  for (long n = 1; status != SL_OK && n < 5000; n++) {
    r.until_failure = n;
    status = whole_life(context);
    if (!CHECK(status == SL_OK || status == SL_NO_MEMORY) || !CHECK(r.outstanding == before)) {
      printf("  allocation %ld: status %d, %s\n", n, status, sl_error(context));
      break;
    }
  }
  CHECK(status == SL_OK);
  sl_context_free(context);
  remove(temporary());
}
