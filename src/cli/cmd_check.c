/* sluice check MODEL.stan: whether a program is right, what it declares, and what of it sluice
 * cannot evaluate. With its data also whether these fit, and the density is built once. */
#include <string.h>
#include "cli/cli.h"
#include "stan/syntax.h"
#include "target/target.h"

static const sl__option_row options[] = {
    {"data", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "the program's data, JSON: checked too, and the density is built"},
};

typedef struct file {
  const char *path; /* NULL: none */
  char *text;
  size_t length;
} file;

static sl_status read_file(sl__cli *cli, const char *path, file *f) {
  f->path = path;
  return sl__os_read_file(cli->context, sl__cli_about(cli, path, NULL), &f->text, &f->length);
}

/* Some failures show only when the density is built: sizes that do not match, and the like. */
static sl_status build(sl__cli *cli, const file *program, const file *data) {
  sl__target *target;
  sl__density *density;
  SL__TRY(sl__target_stan(cli->context, program->path, program->text, program->length, data->path,
                          data->text, data->length, cli->seed, &target));
  const sl_status status = sl__density_new(cli->context, target, 0, true, &density);
  if (status == SL_OK) sl__density_free(density);
  sl__target_free(target);
  return status;
}

static bool is_parameter(const sl__stan_statement *s) {
  return s->kind == SL__STAN_DECLARE && !s->variable->local;
}

/* A text of its own for each piece that a printer makes. */
static sl_status add_type(sl__cli *cli, sl__json *json, const sl__stan_variable *variable) {
  sl__text text;
  sl__text_open(&text, cli->context);
  sl__stan_print_type(variable, &text);
  sl__json_text(json, "type", text.failed ? "" : text.data);
  sl__json_open_array(json, "sizes");
  for (int i = 0; i < variable->size_count; i++) {
    text.length = 0;
    sl__stan_print_expression(variable->size[i], &text);
    sl__json_text(json, NULL, text.failed ? "" : text.data);
  }
  sl__json_close_array(json);
  const bool failed = text.failed;
  sl__text_close(&text);
  return failed ? SL_NO_MEMORY : SL_OK;
}

static int print_json(sl__cli *cli, const sl__stan_program *program) {
  sl__text text;
  sl__json json;
  sl_status status = SL_OK;
  sl__cli_json_open(cli, &text, &json);
  sl__json_boolean(&json, "ok", !program->unsupported);
  sl__json_open_array(&json, "parameters");
  for (const sl__stan_statement *s = program->block[SL__STAN_PARAMETERS]; s; s = s->next) {
    if (!is_parameter(s)) continue;
    sl__json_open_object(&json, NULL);
    sl__json_text(&json, "name", s->variable->name);
    if (status == SL_OK) status = add_type(cli, &json, s->variable);
    sl__json_close_object(&json);
  }
  sl__json_close_array(&json);
  sl__json_open_array(&json, "unsupported");
  for (const sl__stan_feature *f = program->unsupported; f; f = f->next) {
    sl__json_open_object(&json, NULL);
    sl__json_text(&json, "feature", f->name);
    sl__json_integer(&json, "line", f->line);
    sl__json_integer(&json, "column", f->column);
    sl__json_close_object(&json);
  }
  sl__json_close_array(&json);
  if (status == SL_OK) return sl__cli_json_close(cli, &text, &json);
  sl__text_close(&text);
  return sl__cli_fail(cli, status);
}

static int print_text(sl__cli *cli, const char *path, const sl__stan_program *program) {
  sl__text text;
  sl__text_open(&text, cli->context);
  for (const sl__stan_statement *s = program->block[SL__STAN_PARAMETERS]; s; s = s->next) {
    if (!is_parameter(s)) continue;
    sl__stan_print_type(s->variable, &text);
    sl__text_add(&text, " %s\n", s->variable->name);
  }
  for (const sl__stan_feature *f = program->unsupported; f; f = f->next)
    sl__text_add(&text, "%s:%d:%d: not supported: %s\n", path, f->line, f->column, f->name);
  if (!program->unsupported) sl__text_add(&text, "ok\n");
  return sl__cli_print(cli, &text);
}

static int run(sl__cli *cli) {
  file program = {0}, data = {0};
  sl__stan_program *tree = NULL;
  const char *data_path = sl__cli_option(cli, "data")->text;
  int code = SL__EXIT_DONE;
  sl_status status = sl__cli_expect_program(cli, cli->arguments[0]);
  if (status == SL_OK) status = read_file(cli, cli->arguments[0], &program);
  if (status == SL_OK && data_path) status = read_file(cli, data_path, &data);
  cli->place = NULL; /* messages name their file themselves */
  if (status == SL_OK)
    status = sl__stan_parse(cli->context, program.path, program.text, program.length, &tree);
  if (status == SL_OK) status = sl__stan_check(cli->context, tree);
  if (status == SL_OK && data_path && !tree->unsupported) status = build(cli, &program, &data);
  if (status != SL_OK)
    code = sl__cli_fail(cli, status);
  else
    code = cli->json ? print_json(cli, tree) : print_text(cli, program.path, tree);
  if (code == SL__EXIT_DONE && tree->unsupported) code = SL__EXIT_FAILED;
  if (tree) sl__stan_program_free(cli->context, tree);
  sl__free(&cli->context->allocator, program.text);
  sl__free(&cli->context->allocator, data.text);
  return code;
}

const sl__command sl__command_check = {
    .name = "check",
    .arguments = "MODEL.stan",
    .summary = "check a Stan program: what is wrong, its parameters, what is not supported",
    .details = "Exit code 0: the program can be evaluated; 1: it is right, but has parts that are "
               "not\nsupported, which are listed; 2: it is wrong.\n",
    .examples = "  sluice check m.stan\n"
                "  sluice check m.stan --data d.json --json\n",
    .minimum = 1,
    .maximum = 1,
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .run = run,
};
