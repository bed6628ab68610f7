/* The command line that a model came about by, kept in its training record. */
#ifndef SL_CLI_KEPT_H
#define SL_CLI_KEPT_H
#include "cli/cli.h"
#include "flow/model.h"

/* As a shell would take it again, without what changes no result and with the seed: equal fits still
 * give equal files. */
sl_status sl__cli_keep_command(sl__cli *cli, sl__model *model);
/* Adds a blank and a word, as the shell reads it back. */
void sl__cli_add_word(sl__text *text, const char *word);
/* The record's text of this key, or NULL. */
const char *sl__cli_kept_text(const sl__json_value *record, const char *key);
#endif
