// Stan's sampler with CmdStan's defaults as one small program, for nuts_stan.py, which compiles it
// once and links each Stan program's C++ to it.
//
//   PROGRAM DATA.json DRAWS.csv SEED CHAIN
//
// Draws of the warm-up are written too: the leapfrog steps they took are part of the cost.
#include <stan/callbacks/interrupt.hpp>
#include <stan/callbacks/stream_logger.hpp>
#include <stan/callbacks/stream_writer.hpp>
#include <stan/io/empty_var_context.hpp>
#include <stan/io/json/json_data.hpp>
#include <stan/model/model_base.hpp>
#include <stan/services/sample/hmc_nuts_diag_e_adapt.hpp>
#include <cstdlib>
#include <fstream>
#include <iostream>

stan::model::model_base &new_model(stan::io::var_context &data, unsigned int seed,
                                   std::ostream *messages);

int main(int argc, char **argv) {
  if (argc != 5) {
    std::cerr << "PROGRAM DATA.json DRAWS.csv SEED CHAIN\n";
    return 2;
  }
  const double init_radius = 2, step_size = 1, jitter = 0, delta = 0.8, gamma = 0.05, kappa = 0.75,
               t0 = 10;
  const int warmup = 1000, draws = 1000, thin = 1, refresh = 0, most_depth = 10;
  const unsigned int first_buffer = 75, last_buffer = 50, window = 25;
  std::ifstream file(argv[1]);
  stan::json::json_data data(file);
  const auto seed = static_cast<unsigned int>(std::strtoul(argv[3], nullptr, 10));
  const auto chain = static_cast<unsigned int>(std::strtoul(argv[4], nullptr, 10));
  stan::model::model_base &model = new_model(data, seed, &std::cerr);
  std::ofstream output(argv[2]);
  stan::callbacks::interrupt never;
  stan::callbacks::stream_logger logger(std::cerr, std::cerr, std::cerr, std::cerr, std::cerr);
  stan::callbacks::writer nothing;
  stan::callbacks::stream_writer writer(output, "# ");
  stan::io::empty_var_context no_start;
  return stan::services::sample::hmc_nuts_diag_e_adapt(
      model, no_start, seed, chain, init_radius, warmup, draws, thin, true, refresh, step_size,
      jitter, most_depth, delta, gamma, kappa, t0, first_buffer, last_buffer, window, never, logger,
      nothing, writer, nothing);
}
