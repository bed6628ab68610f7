/* The registry of subcommands, from commands.def. */
#include <string.h>

#include "cli/cli.h"

#define COMMAND(name) extern const sl__command sl__command_##name;
#include "cli/commands.def"
#undef COMMAND

const sl__command *const *sl__commands(int *count) {
#define COMMAND(name) &sl__command_##name,
  static const sl__command *const commands[] = {
#include "cli/commands.def"
  };
#undef COMMAND
  *count = sizeof commands / sizeof *commands;
  return commands;
}

const sl__command *sl__command_find(const char *name) {
  int count;
  const sl__command *const *commands = sl__commands(&count);
  for (int i = 0; i < count; i++)
    if (strcmp(commands[i]->name, name) == 0) return commands[i];
  return NULL;
}
