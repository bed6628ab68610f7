/* A command that runs chains. */
#ifndef SL_CLI_CHAIN_RUN_H
#define SL_CLI_CHAIN_RUN_H
#include "cli/cli.h"
#include "infer/chain/sampler.h"

/* Opens the target, runs the chains, writes and shows their draws; the exit code. */
int sl__cli_run_chains(sl__cli *cli, const sl__sampler_options *options);
#endif
