/* sluice info MODEL: what a model file holds. */
#include <string.h>

#include "api/handle.h"
#include "cli/cli.h"

/* Writes a parsed value back: the training record inside the object. */
static void add_value(sl__json *json, const char *key, const sl__json_value *value) {
  switch (value->kind) {
    case SL__JSON_NULL: sl__json_text(json, key, NULL); return;
    case SL__JSON_BOOL: sl__json_boolean(json, key, value->integer != 0); return;
    case SL__JSON_TEXT: sl__json_text(json, key, value->text); return;
    case SL__JSON_NUMBER:
      if (value->is_integer)
        sl__json_integer(json, key, value->integer);
      else
        sl__json_real(json, key, value->number);
      return;
    case SL__JSON_ARRAY: sl__json_open_array(json, key); break;
    case SL__JSON_OBJECT: sl__json_open_object(json, key); break;
  }
  for (const sl__json_value *child = value->child; child; child = child->next)
    add_value(json, child->key, child);
  if (value->kind == SL__JSON_ARRAY)
    sl__json_close_array(json);
  else
    sl__json_close_object(json);
}

static int64_t layer_parameters(const sl__flow *flow, const sl__layer *layer) {
  char prefix[64];
  int length = snprintf(prefix, sizeof prefix, "%.60s.", layer->path);
  int64_t count = 0;
  for (int i = 0; i < flow->parameter_count; i++)
    if (strncmp(flow->parameters[i].name, prefix, (size_t)length) == 0)
      count += sl__shape_count(flow->parameters[i].shape);
  return count;
}

static void add_layers(sl__json *json, const char *key, const sl__flow *flow,
                       const sl__chain *chain) {
  sl__json_open_array(json, key);
  for (int i = 0; i < chain->count; i++) {
    sl__json_open_object(json, NULL);
    sl__json_text(json, "name", chain->layers[i].kind->name);
    sl__json_integer(json, "parameters", layer_parameters(flow, &chain->layers[i]));
    sl__json_close_object(json);
  }
  sl__json_close_array(json);
}

static void list_layers(sl__text *text, const sl__flow *flow, const sl__chain *chain) {
  for (int i = 0; i < chain->count; i++)
    sl__text_add(text, "  %2d  %-12s %lld parameters\n", i + 1, chain->layers[i].kind->name,
                 (long long)layer_parameters(flow, &chain->layers[i]));
}

static int print_json(sl__cli *cli, const sl__model *model, const sl__json_value *training) {
  const sl__flow *flow = model->flow;
  sl__text text;
  sl__json json;
  sl__cli_json_open(cli, &text, &json);
  sl__json_text(&json, "flow", flow->formula);
  sl__json_text(&json, "base", flow->base_formula);
  sl__json_integer(&json, "dim", model->dim);
  sl__json_integer(&json, "features", flow->dim);
  sl__json_integer(&json, "context_dim", flow->context_dim);
  sl__json_text(&json, "precision", flow->type == SL_F32 ? "f32" : "f64");
  sl__json_open_array(&json, "columns");
  for (int32_t i = 0; i < model->dim; i++) sl__json_text(&json, NULL, model->columns[i]);
  sl__json_close_array(&json);
  sl__json_open_array(&json, "types");
  for (int32_t i = 0; i < model->dim; i++) sl__json_text(&json, NULL, model->types[i]);
  sl__json_close_array(&json);
  sl__json_open_array(&json, "context_columns");
  for (int32_t i = 0; i < flow->context_dim; i++)
    sl__json_text(&json, NULL, model->context_columns[i]);
  sl__json_close_array(&json);
  sl__json_open_array(&json, "noise_width");
  for (int32_t i = 0; i < model->dim; i++) sl__json_real(&json, NULL, model->noise_width[i]);
  sl__json_close_array(&json);
  sl__json_integer(&json, "parameters", flow->size);
  add_layers(&json, "layers", flow, &flow->chain);
  add_layers(&json, "circle", flow, &flow->circle);
  if (training)
    add_value(&json, "training", training);
  else
    sl__json_text(&json, "training", NULL);
  sl__json_integer(&json, "format_version", sl__model_format_version(model));
  return sl__cli_json_close(cli, &text, &json);
}

static int print_text(sl__cli *cli, const sl__model *model, const sl__json_value *training) {
  const sl__flow *flow = model->flow;
  sl__text text;
  sl__text_open(&text, cli->context);
  sl__text_add(&text, "flow        %s\nbase        %s\n", flow->formula, flow->base_formula);
  sl__text_add(&text, "precision   %s\n", flow->type == SL_F32 ? "f32" : "f64");
  sl__text_add(&text, "columns     %d:", model->dim);
  for (int32_t i = 0; i < model->dim; i++) {
    sl__text_add(&text, "%s %s", i > 0 ? "," : "", model->columns[i]);
    if (!sl__type_is_real(&model->map.type[i])) sl__text_add(&text, ": %s", model->types[i]);
  }
  sl__text_add(&text, "\n");
  if (flow->context_dim > 0) sl__text_add(&text, "context     %d:", flow->context_dim);
  for (int32_t i = 0; i < flow->context_dim; i++)
    sl__text_add(&text, " %s%s", model->context_columns[i], i + 1 < flow->context_dim ? "," : "\n");
  sl__text_add(&text, "parameters  %lld\nlayers      %d\n", (long long)flow->size,
               flow->chain.count);
  list_layers(&text, flow, &flow->chain);
  if (flow->circle.count > 0)
    sl__text_add(&text, "circle      %d layers, of the periodic columns\n", flow->circle.count);
  list_layers(&text, flow, &flow->circle);
  const sl__json_value *verdict = training ? sl__json_member(training, "verdict") : NULL;
  if (verdict && verdict->kind == SL__JSON_TEXT)
    sl__text_add(&text, "verdict     %s\n", verdict->text);
  return sl__cli_print(cli, &text);
}

static int run(sl__cli *cli) {
  sl_flow *flow;
  sl__json_value *training = NULL;
  sl_status status = sl__cli_open_model(cli, cli->arguments[0], &flow);
  if (status != SL_OK) return sl__cli_fail(cli, status);
  const char *record = flow->model->training;
  if (record) status = sl__json_parse(cli->context, &cli->arena, record, strlen(record), &training);
  int code;
  if (status != SL_OK)
    code = sl__cli_fail(cli, status);
  else
    code =
        cli->json ? print_json(cli, flow->model, training) : print_text(cli, flow->model, training);
  sl_flow_free(flow);
  return code;
}

const sl__command sl__command_info = {
    .name = "info",
    .arguments = "MODEL",
    .summary = "print what a model file holds",
    .examples = "  sluice info m.safetensors\n",
    .minimum = 1,
    .maximum = 1,
    .run = run,
};
