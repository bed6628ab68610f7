# Parts of the tests that `make check` runs by themselves: a target suite_NAME and ctest's label NAME;
# and the order in which tests start.

# Run again as clang compiles them: what its optimiser and its vector code could get wrong.
set(numbers base bases bases_flows bases_gradients bases_limits bnaf cells chain_nuts conditional
  conditional_networks diagnose_chains diagnose_samples diagnose_weights extremes fit flows
  flows_golden graph graph_few graph_random graph_rules graph_sums graph_threads group kernels
  kernels_algebra kernels_products kernels_runs linear locale look maps mle model numbers ode optimisers
  plot_numbers pool random root root_derivatives root_limits splines splines_angles
  stan_distributions stan_distributions_vectors stan_functions stan_ode stan_transform
  stan_truncation target target_standard threads toys transformers vi_fit vi_gradients)

# Under the thread sanitizer: what more than one thread computes.
set(threads api api_policy base baselines chain_nuts chain_sampler fit graph_few graph_random
  graph_rules graph_sums graph_threads look mle model ode pool root target threads vi_fit)

foreach(suite numbers threads)
  add_custom_target(suite_${suite})
  foreach(name IN LISTS ${suite})
    add_dependencies(suite_${suite} t_${name})
    set_property(TEST t_${name} APPEND PROPERTY LABELS ${suite})
  endforeach()
endforeach()

# The longest first, by the processor time of the slowest stage, so that the cores end together,
# also where ctest has not learnt their times.
set(longest cli_docs cli_nuts cli_reproduce cli_columns t_fit t_catalogue t_graph_threads
  cli_vi_robust t_mass_large cli_summary fuzz_model cli_plot t_stan_limits t_mle cli_nuts_and_flow
  t_api_policy cli_examples t_graph_sums t_robust cli_precondition t_chain_precondition
  cli_posterior t_catalogue_mass t_robust_heavy t_stan_trace t_robust_search t_catalogue_steps
  t_chain_trial t_smc t_root cli_work t_transformers cli_report t_cells t_graph t_ode
  t_bases_gradients t_extremes cli_resume t_sbc t_graph_random t_bases cli_nuts_advice t_api_vi)
set(cost 100)
foreach(name IN LISTS longest)
  if(TEST ${name})
    set_tests_properties(${name} PROPERTIES COST ${cost})
  endif()
  math(EXPR cost "${cost} - 1")
endforeach()
