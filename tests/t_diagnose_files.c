/* Files of draws: what CmdStan and others write, what sluice writes itself, damaged ones. */
#include <unistd.h>

#include "diagnose_fixture.h"
#include "io/draws.h"

static char folder[64];

/* path of a file in a folder of this process's own. */
static const char *in_folder(char buffer[128], const char *name) {
  if (!folder[0]) {
    strcpy(folder, "sluice-draws-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
  }
  snprintf(buffer, 128, "%s/%s", folder, name);
  return buffer;
}

static void write_text(const char *path, const char *text) {
  FILE *file = fopen(path, "wb");
  if (!CHECK(file != NULL)) return;
  fputs(text, file);
  fclose(file);
}

/* Until the next call. */
static const char *read_text(const char *path) {
  static char text[2000];
  FILE *file = fopen(path, "rb");
  text[0] = '\0';
  if (!CHECK(file != NULL)) return text;
  text[fread(text, 1, sizeof text - 1, file)] = '\0';
  fclose(file);
  return text;
}

static sl_status parse(sl_context *context, const char *text, sl__draws *out) {
  return sl__draws_parse_stan(context, text, strlen(text), out);
}

/* As CmdStan 2.36 writes it, with warm-up saved. */
static const char cmdstan[] =
    "# stan_version_major = 2\n"
    "# model = eight_schools_model\n"
    "# method = sample (Default)\n"
    "#   sample\n"
    "#     num_samples = 3\n"
    "#     save_warmup = true\n"
    "#     algorithm = hmc (Default)\n"
    "#       hmc\n"
    "#           max_depth = 7\n"
    "lp__,accept_stat__,stepsize__,treedepth__,n_leapfrog__,divergent__,energy__,mu,theta.1,L.2.1\n"
    "-9,1,1,1,1,0,10,99,99,99\n"
    "# Adaptation terminated\n"
    "# Step size = 0.351229\n"
    "# Diagonal elements of inverse mass matrix:\n"
    "# 11.4551, 0.889571\n"
    "-5.5,0.99,0.35,3,7,0,8.5,4.25,-1e-3,nan\n"
    "-6,0.5,0.35,7,127,1,7,5,2,-inf\n"
    "# \n"
    "#  Elapsed Time: 0.03 seconds (Warm-up)\n"
    "#                0.03 seconds (Sampling)\n"
    "# \n";

TEST(cmdstan_file) {
  sl_context *context = open_context(1);
  char path[128];
  write_text(in_folder(path, "c.csv"), cmdstan);
  const char *paths[] = {path};
  sl__draws draws;
  REQUIRE_OK(context, sl__draws_read(context, 1, paths, NULL, 0, &draws));
  CHECK(draws.chains == 1 && draws.draws == 2 && draws.warmup == 1 && draws.max_treedepth == 7);
  CHECK(draws.parameters == 3 && draws.columns == 10 && !draws.cut && !draws.interrupted);
  static const char *const names[] = {"mu", "theta[1]", "L[2,1]", "lp__"};
  for (int i = 0; i < 4; i++) CHECK_TEXT(draws.names[i], names[i]);
  CHECK(draws.values[0] == 4.25 && draws.values[1] == -1e-3 && isnan(draws.values[2]));
  CHECK(draws.values[10] == 5 && draws.values[12] == -INFINITY && draws.values[13] == -6);
  CHECK(sl__draws_column(&draws, "divergent__") == 8 && sl__draws_column(&draws, "tau") == -1);
  sl__draws_close(&draws);
  sl_context_free(context);
}

/* A killed run: the last number may be cut short, so its row does not count. */
TEST(file_cut_short) {
  sl_context *context = open_context(1);
  char text[sizeof cmdstan], cut[sizeof cmdstan];
  snprintf(text, sizeof text, "# save_warmup = 0\n%s", strstr(cmdstan, "lp__"));
  sl__draws draws;
  for (size_t length = 0; length <= strlen(text); length++) {
    memcpy(cut, text, length);
    cut[length] = '\0';
    const sl_status status = parse(context, cut, &draws);
    const char *second = strstr(cut, "-5.5"), *end = second ? strchr(second, '\n') : NULL;
    if (status == SL_OK) {
      const bool in_row = cut[length - 1] != '\n' && strrchr(cut, '\n')[1] != '#';
      CHECK(draws.cut == in_row);
      CHECK(draws.draws >= 1 && draws.columns == 10);
      if (end) CHECK(draws.values[10 + 8] == -1e-3);
      sl__draws_close(&draws);
    } else {
      CHECK(status == SL_FORMAT && !end);
    }
  }
  sl_context_free(context);
}

/* Stan's services, called by another program than CmdStan, write no settings. */
TEST(warmup_without_settings) {
  sl_context *context = open_context(1);
  sl__draws draws;
  REQUIRE_OK(context, parse(context, strstr(cmdstan, "lp__"), &draws));
  CHECK(draws.warmup == 1 && draws.draws == 2 && draws.values[0] == -5.5);
  sl__draws_close(&draws);
  sl_context_free(context);
}

/* A run that was killed in its warm-up: what it saved is no draw. */
TEST(warmup_without_its_end) {
#define ROWS "lp__,x\n-1,10\n-1,11\n-1,12\n-1,13\n-1,14\n"
  static const struct {
    const char *text;
    int64_t warmup; /* 5: no draws are left */
  } cases_of[] = {
      {"# save_warmup = true\n" ROWS, 5},
      {"# num_warmup = 1000 (Default)\n# save_warmup = 1\n" ROWS, 5},
      {"# num_warmup = 4\n# save_warmup = 1\n" ROWS, 4}, /* adaptation not engaged */
      {"# num_warmup = 5\n# save_warmup = 1\n# thin = 2\n" ROWS, 3},
      {"# num_warmup = 5\n# save_warmup = 1\n# thin = 9223372036854775807\n" ROWS, 1},
      {"# num_warmup = 1000\n# save_warmup = 0\n" ROWS, 0},
      {"# num_warmup = 0\n# save_warmup = 1\n" ROWS, 0},
      {"# num_warmup = 9\n# save_warmup = 1\n# algorithm = fixed_param\n" ROWS, 0},
  };
#undef ROWS
  sl_context *context = open_context(1);
  for (size_t i = 0; i < sizeof cases_of / sizeof *cases_of; i++) {
    sl__draws draws;
    const int64_t warmup = cases_of[i].warmup;
    const sl_status status = parse(context, cases_of[i].text, &draws);
    CHECK(status == (warmup == 5 ? SL_FORMAT : SL_OK));
    if (status != SL_OK) {
      CHECK(strstr(sl_error(context), "warm-up but no draws"));
      continue;
    }
    CHECK(draws.warmup == warmup && draws.draws == 5 - warmup);
    CHECK(draws.values[1] == (double)(10 + warmup));
    sl__draws_close(&draws);
  }
  sl_context_free(context);
}

static const struct {
  const char *text, *message;
  int line, column;
} bad[] = {
    {"", "no draws", 1, 1},
    {"# lp__\n", "no draws", 1, 1},
    {"lp__,x\n", "no draws", 1, 1},
    {"lp__,,x\n1,2,3\n", "a column without a name", 1, 6},
    {"lp__,x\n1,2\n1\n", "the row has 1 fields where the header has 2", 3, 2},
    {"lp__,x\n1,2\n1,2,3\n", "the row has more than the header's 2 fields", 3, 5},
    {"lp__,x\n1,2\n1,abc\n", "'abc' is not a number", 3, 3},
    {"lp__,x\n1,\n1,2\n", "'' is not a number", 2, 3},
    {"lp__,x\n1,2\nlp__,x\n1,2\n", "'lp__' is not a number", 3, 1},
};

TEST(bad_files) {
  sl_context *context = open_context(1);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    sl__draws draws;
    int32_t line = -1, column = -1;
    CHECK(parse(context, bad[i].text, &draws) == SL_FORMAT);
    CHECK(!draws.values && draws.columns == 0);
    if (!CHECK(strstr(sl_error(context), bad[i].message))) printf("  %s\n", sl_error(context));
    sl_error_place(context, &line, &column);
    if (!CHECK(line == bad[i].line && column == bad[i].column))
      printf("  case %zu: %d:%d\n", i, line, column);
  }
  sl_context_free(context);
}

/* Chains that take turns in one file, of unequal length; the same from a file each. */
TEST(chains_by_column_and_by_file) {
  sl_context *context = open_context(1);
  char one[128], first[128], second[128], other[128];
  write_text(in_folder(one, "one.csv"), "lp__,chain__,a\n1,2,20\n1,7,70\n1,2,21\n1,7,71\n1,2,22\n");
  write_text(in_folder(first, "k_1.csv"), "lp__,a\n1,20\n1,21\n1,22\n");
  write_text(in_folder(second, "k_2.csv"), "lp__,a\n1,70\n1,71\n");
  write_text(in_folder(other, "other.csv"), "lp__,b\n1,70\n1,71\n");
  const char *const both[] = {first, second}, *const single[] = {one};
  for (int way = 0; way < 2; way++) {
    sl__draws draws;
    REQUIRE_OK(context, sl__draws_read(context, way + 1, way ? both : single, NULL, 0, &draws));
    CHECK(draws.chains == 2 && draws.draws == 2 && draws.left_out == 1);
    CHECK(draws.parameters == 1 && draws.columns == 2);
    const double expected[] = {20, 1, 21, 1, 70, 1, 71, 1};
    CHECK(memcmp(draws.values, expected, sizeof expected) == 0);
    sl__draws_close(&draws);
  }
  const char *const mixed[] = {first, other};
  sl__draws draws;
  CHECK(sl__draws_read(context, 2, mixed, NULL, 0, &draws) == SL_BAD_ARGUMENT);
  CHECK(strstr(sl_error(context), "other.csv: column 2 is \"b\""));
  const char *const missing[] = {first, "no such file.csv"};
  CHECK(sl__draws_read(context, 2, missing, NULL, 0, &draws) == SL_IO);
  sl_context_free(context);
}

/* Tables without a sampler's columns, cut into chains; NPY and safetensors carry the same bits. */
TEST(plain_tables_and_other_formats) {
  sl_context *context = open_context(1);
  char path[128], written[128];
  write_text(in_folder(path, "plain.csv"), "\"a[1,2]\",b\n1,2\n3,4\n5,6\n7,0.1\n");
  const char *const paths[] = {path};
  sl__draws draws, again;
  REQUIRE_OK(context, sl__draws_read(context, 1, paths, NULL, 2, &draws));
  CHECK(draws.chains == 2 && draws.draws == 2 && draws.parameters == 2 && draws.columns == 2);
  CHECK_TEXT(draws.names[0], "a[1,2]");
  CHECK(draws.values[4] == 5 && draws.values[7] == 0.1);
  CHECK(sl__draws_read(context, 1, paths, NULL, 3, &again) == SL_BAD_ARGUMENT);
  static const char *const names[] = {"w.csv", "w.npy", "w.safetensors"};
  for (int i = 0; i < 3; i++) {
    REQUIRE_OK(context, sl__draws_write(context, in_folder(written, names[i]), &draws));
    const char *const from[] = {written};
    REQUIRE_OK(context, sl__draws_read(context, 1, from, NULL, i == 1 ? 2 : 0, &again));
    CHECK(again.chains == 2 && again.draws == 2);
    if (i != 1) CHECK_TEXT(again.names[0], "a[1,2]");
    CHECK(again.columns == 2);
    for (int k = 0; k < 8; k++) CHECK(again.values[k] == draws.values[k]);
    CHECK(again.trajectories < 2 && again.adapt_delta == 0 && !again.halves);
    sl__draws_close(&again);
  }
  /* How a run was made is in its file. */
  draws.trajectories = 5;
  draws.thin = 3;
  draws.max_treedepth = 7;
  draws.adapt_delta = 0.95;
  draws.halves = draws.jumped = true;
  const char *const run[] = {in_folder(written, "run.safetensors")};
  REQUIRE_OK(context, sl__draws_write(context, run[0], &draws));
  REQUIRE_OK(context, sl__draws_read(context, 1, run, NULL, 0, &again));
  CHECK(again.thin == 3 && sl__draws_trajectories(&again) == 15);
  CHECK(again.trajectories == 5 && again.max_treedepth == 7 && again.adapt_delta == 0.95);
  CHECK(again.halves && again.jumped && !again.preconditioned);
  sl__draws_close(&again);
  sl__draws_close(&draws);
  sl_context_free(context);
}

/* ---- writing as it goes ---- */

static const char *const written_names[] = {"mu", "L[2,1]"};

static sl_status write_run(sl_context *context, const char *path, int32_t chains,
                           int32_t trajectories, int rows) {
  static const char *const comments[] = {"method = sample", "max_depth = 10"};
  const sl__stan_csv_header header = {path, chains, 2, written_names, 2, comments};
  sl__stan_csv *file;
  SL__TRY(sl__stan_csv_open(context, &header, &file));
  const double metric[] = {0.5, 0.25};
  const sl__adaptation_facts adapted = {
      0.7, trajectories, 0.95, "Diagonal elements of inverse mass matrix:", 1, 2, metric};
  sl_status status = SL_OK;
  for (int32_t c = 0; c < chains && status == SL_OK; c++)
    status = sl__stan_csv_adaptation(file, c, &adapted);
  for (int row = 0; row < rows && status == SL_OK; row++)
    for (int32_t c = 0; c < chains && status == SL_OK; c++) {
      const sl__draw_facts facts = {-row - 1.0 / 3, 0.9, 0.7, row * 0.1, 3, 7, row == 1};
      const double values[] = {c + row * 0.1, row ? -INFINITY : 1e-300};
      status = sl__stan_csv_row(file, c, &facts, values);
    }
  for (int32_t c = 0; c < chains && status == SL_OK; c++)
    status = sl__stan_csv_times(file, c, 1.25, 2.5);
  const sl_status closed = sl__stan_csv_close(file);
  return status == SL_OK ? closed : status;
}

TEST(written_files_read_back) {
  sl_context *context = open_context(1);
  char path[128], first[128], second[128];
  for (int way = 0; way < 2; way++) {
    in_folder(path, way ? "run_%d.csv" : "run.csv");
    REQUIRE_OK(context, write_run(context, path, 2, 5, 3));
    in_folder(first, way ? "run_1.csv" : "run.csv");
    in_folder(second, "run_2.csv");
    const char *const paths[] = {first, second};
    sl__draws draws;
    REQUIRE_OK(context, sl__draws_read(context, 1 + way, paths, NULL, 0, &draws));
    CHECK(draws.chains == 2 && draws.draws == 3 && draws.parameters == 2 && draws.columns == 9);
    CHECK(draws.max_treedepth == 10 && draws.warmup == 0 && draws.trajectories == 5);
    CHECK_TEXT(draws.names[1], "L[2,1]");
    CHECK(draws.values[0] == 0 && draws.values[1] == 1e-300 && draws.values[9] == 0.1);
    CHECK(draws.values[10] == -INFINITY && draws.values[27] == 1);
    CHECK(draws.values[2] == -1.0 / 3);
    CHECK(draws.values[9 + sl__draws_column(&draws, "divergent__")] == 1);
    sl__draws_close(&draws);
  }
  sl_context_free(context);
}

/* What CmdStan's readers look for, byte by byte. */
TEST(written_text) {
  sl_context *context = open_context(1);
  char path[128];
  REQUIRE_OK(context, write_run(context, in_folder(path, "text.csv"), 1, 0, 2));
  CHECK_TEXT(
      read_text(path),
      "# method = sample\n# max_depth = 10\n"
      "lp__,accept_stat__,stepsize__,treedepth__,n_leapfrog__,divergent__,energy__,mu,L.2.1\n"
      "# Adaptation terminated\n# Step size = 0.7\n"
      "# Diagonal elements of inverse mass matrix:\n# 0.5, 0.25\n"
      "-0.3333333333333333,0.9,0.7,3,7,0,0,0,1e-300\n"
      "-1.3333333333333333,0.9,0.7,3,7,1,0.1,0.1,-inf\n"
      "#\n#  Elapsed Time: 1.250 seconds (Warm-up)\n"
      "#                2.500 seconds (Sampling)\n"
      "#                3.750 seconds (Total)\n#\n");
  sl_context_free(context);
}

/* Beside the words that CmdStan's readers look for, in the same line: they count the lines. */
TEST(what_the_draws_are_made_with) {
  sl_context *context = open_context(1);
  char path[128];
  REQUIRE_OK(context, write_run(context, in_folder(path, "made.csv"), 1, 8, 2));
  CHECK(strstr(read_text(path), "\n# Adaptation terminated; trajectories 8, acceptance 0.95\n"
                                "# Step size = 0.7\n") != NULL);
  sl_context_free(context);
}

TEST(trajectories_in_damaged_files) {
  static const struct {
    const char *count;
    int64_t expected; /* at most 1: nothing is said */
  } cases[] = {{"8, acceptance 0.95", 8},
               {"1000000", 1000000},
               {"1000001", 0},
               {"0", 0},
               {"-3", 0},
               {"99999999999999999999", 0},
               {"", 0},
               {"nan", 0}};
  sl_context *context = open_context(1);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[200];
    sl__draws draws;
    snprintf(text, sizeof text,
             "lp__,a\n-1,2\n# Adaptation terminated; trajectories %s\n# Step size = 1\n-1,3\n",
             cases[i].count);
    REQUIRE_OK(context, parse(context, text, &draws));
    CHECK_INTEGER(draws.trajectories, cases[i].expected);
    CHECK(draws.draws == 1 && draws.warmup == 1);
    sl__draws_close(&draws);
  }
  sl_context_free(context);
}

/* A draw in so many, as CmdStan says it and in files of several chains. */
TEST(draws_that_were_kept) {
  static const struct {
    const char *settings;
    int64_t thin, apart;
  } cases[] = {{"", 0, 1},
               {"#     thin = 1 (Default)\n", 1, 1},
               {"#     thin = 10\n", 10, 10},
               {"# thin = 10\n# Adaptation terminated; trajectories 4, acceptance 0.95\n", 10, 40},
               {"# thin = 0\n", 0, 1},
               {"# thin = -2\n", 0, 1},
               {"# thin = 9223372036854775807\n# Adaptation terminated; trajectories 4\n",
                INT64_MAX, INT64_MAX}};
  sl_context *context = open_context(1);
  char path[128], text[200];
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    sl__draws draws;
    snprintf(text, sizeof text, "%slp__,a\n-1,2\n-1,3\n", cases[i].settings);
    write_text(in_folder(path, "thin.csv"), text);
    const char *const paths[] = {path, path};
    REQUIRE_OK(context, sl__draws_read(context, 2, paths, NULL, 0, &draws));
    CHECK_INTEGER(draws.thin, cases[i].thin);
    CHECK_INTEGER(sl__draws_trajectories(&draws), cases[i].apart);
    sl__draws_close(&draws);
  }
  sl_context_free(context);
}

/* Files of several runs: how far apart draws lie is of one file, never more than any says. */
TEST(draws_of_runs_that_differ) {
  static const struct {
    const char *first, *second;
    int64_t trajectories, thin;
  } cases[] = {{"# thin = 10\n", "# Adaptation terminated; trajectories 8\n", 0, 10},
               {"# Adaptation terminated; trajectories 8\n", "# thin = 5\n", 8, 0},
               {"", "# Adaptation terminated; trajectories 3\n# thin = 1\n", 3, 1},
               {"# thin = 1\n", "# Adaptation terminated; trajectories 7\n", 7, 0}};
  sl_context *context = open_context(1);
  char first[128], second[128], text[200];
  in_folder(first, "differ_1.csv");
  in_folder(second, "differ_2.csv");
  for (size_t i = 0; i < 2 * (sizeof cases / sizeof *cases); i++) { /* in either order */
    snprintf(text, sizeof text, "%slp__,a\n-1,2\n-1,3\n", cases[i / 2].first);
    write_text(i % 2 ? second : first, text);
    snprintf(text, sizeof text, "%slp__,a\n-1,2\n-1,3\n", cases[i / 2].second);
    write_text(i % 2 ? first : second, text);
    const char *const paths[] = {first, second};
    sl__draws draws;
    REQUIRE_OK(context, sl__draws_read(context, 2, paths, NULL, 0, &draws));
    CHECK_INTEGER(draws.trajectories, cases[i / 2].trajectories);
    CHECK_INTEGER(draws.thin, cases[i / 2].thin);
    sl__draws_close(&draws);
  }
  sl_context_free(context);
}

/* A file of CmdStan's says nothing of trajectories, but of draws left out: so does its copy. */
TEST(what_is_known_is_written_on) {
  sl_context *context = open_context(1);
  char path[128], copy[128];
  write_text(in_folder(path, "thinned.csv"), "# thin = 10\n# delta = 0.9\nlp__,a\n-1,2\n-1,3\n");
  const char *const paths[] = {path}, *const copies[] = {in_folder(copy, "thinned.safetensors")};
  sl__draws draws, again;
  REQUIRE_OK(context, sl__draws_read(context, 1, paths, NULL, 0, &draws));
  REQUIRE_OK(context, sl__draws_write(context, copy, &draws));
  REQUIRE_OK(context, sl__draws_read(context, 1, copies, NULL, 0, &again));
  CHECK_INTEGER(again.thin, 10);
  CHECK_CLOSE(again.adapt_delta, 0.9, 0);
  CHECK(again.trajectories == 0 && again.max_treedepth == -1 && !again.jumped);
  sl__draws_close(&again);
  sl__draws_close(&draws);
  sl_context_free(context);
}

/* What the warm-up ended with, else what was asked for; of several files the least. */
TEST(acceptance_that_draws_aim_at) {
  static const struct {
    const char *settings, *end;
    double expected; /* 0: nothing is said */
  } cases[] = {{"#     delta = 0.9 (Default)\n", "", 0.9},
               {"#     delta = 0.8\n", "; trajectories 8, acceptance 0.99", 0.99},
               {"", "; trajectories 1, acceptance 0.95", 0.95},
               {"", "", 0},
               {"# delta = 1.5\n", "; trajectories 1, acceptance 2", 0},
               {"# delta = nan\n", "; trajectories 1, acceptance", 0},
               {"# delta = \n", "; trajectories 1, acceptance ", 0},
               {"# delta = 0.7\n", "; trajectories 8", 0.7},
               {"# deltas = 0.7\n", "; trajectories 8,,acceptance 0.9", 0}};
  sl_context *context = open_context(1);
  sl__draws draws;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[200];
    snprintf(text, sizeof text, "%slp__,a\n# Adaptation terminated%s\n# Step size = 1\n-1,3\n",
             cases[i].settings, cases[i].end);
    REQUIRE_OK(context, parse(context, text, &draws));
    if (!CHECK_CLOSE(draws.adapt_delta, cases[i].expected, 0)) printf("  case %zu\n", i);
    sl__draws_close(&draws);
  }
  char one[128], other[128];
  write_text(in_folder(one, "d_1.csv"), "# delta = 0.99\nlp__,a\n1,2\n");
  write_text(in_folder(other, "d_2.csv"), "# delta = 0.95\nlp__,a\n1,2\n");
  const char *const both[] = {one, other};
  REQUIRE_OK(context, sl__draws_read(context, 2, both, NULL, 0, &draws));
  CHECK_CLOSE(draws.adapt_delta, 0.95, 0);
  sl__draws_close(&draws);
  sl_context_free(context);
}

/* An older file stays until there is a row to replace it by. */
TEST(nothing_is_lost_before_the_first_row) {
  sl_context *context = open_context(1);
  char path[128];
  static const char *const names[] = {"mu"};
  static const sl__draw_facts facts = {.log_density = -1};
  write_text(in_folder(path, "kept.csv"), "older\n");
  const sl__stan_csv_header header = {.path = path, .chains = 1, .columns = 1, .names = names};
  for (int rows = 0; rows < 2; rows++) {
    sl__stan_csv *file;
    const double value = 2;
    REQUIRE_OK(context, sl__stan_csv_open(context, &header, &file));
    CHECK_OK(context, sl__stan_csv_comment(file, 0, "Interrupted"));
    CHECK_OK(context, sl__stan_csv_flush(file));
    if (rows > 0) CHECK_OK(context, sl__stan_csv_row(file, 0, &facts, &value));
    CHECK_OK(context, sl__stan_csv_close(file));
    CHECK((strcmp(read_text(path), "older\n") == 0) == (rows == 0));
  }
  sl_context_free(context);
}

TEST(writing_that_fails) {
  sl_context *context = open_context(1);
  char path[128];
  CHECK(write_run(context, in_folder(path, "no/such/run.csv"), 1, 0, 1) == SL_IO);
  CHECK(write_run(context, in_folder(path, "run_%s.csv"), 2, 0, 1) == SL_BAD_ARGUMENT);
  CHECK(write_run(context, in_folder(path, "run_%d_%d.csv"), 2, 0, 1) == SL_BAD_ARGUMENT);
  if (access("/dev/full", W_OK) == 0) {
    CHECK(write_run(context, "/dev/full", 1, 0, 100) == SL_IO);
    CHECK(strstr(sl_error(context), "No space left"));
  }
  sl_context_free(context);
  char command[128];
  snprintf(command, sizeof command, "rm -r '%s'", folder);
  CHECK(system(command) == 0);
}
