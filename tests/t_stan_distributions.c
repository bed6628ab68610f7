/* Densities of scalars against numbers computed with 60 digits from the textbook formulas, in the
 * middle and far out; their derivatives against differences; the same call with known numbers. */
#include "stan_fixture.h"

typedef struct value_case {
  const char *call; /* p: parameters */
  double p[4];
  double value;
} value_case;

static const value_case cases[] = {
    {"normal_lpdf(p[1] | p[2], p[3])", {0.3, -0.7, 1.9}, -1.69929657450172126},
    {"normal_lpdf(p[1] | p[2], p[3])", {40, 0.5, 0.001}, -780124994.011183254},
    {"normal_lpdf(p[1] | p[2], p[3])", {-1000, 2, 0.5}, -2008008.22579135264},
    {"std_normal_lpdf(p[1] | )", {0.4}, -0.998938533204672742},
    {"std_normal_lpdf(p[1] | )", {-30}, -450.918938533204673},
    {"lognormal_lpdf(p[1] | p[2], p[3])", {0.3, -0.7, 1.9}, -0.391998089774143737},
    {"lognormal_lpdf(p[1] | p[2], p[3])", {1.0e-12, 0.4, 0.3}, -4337.29586017757326},
    {"lognormal_lpdf(p[1] | p[2], p[3])", {1000000000.0, 1, 2}, -70.9612534600682063},
    {"skew_normal_lpdf(p[1] | p[2], p[3], p[4])", {0.3, -0.7, 1.9, 2.5}, -1.10500042748151307},
    {"skew_normal_lpdf(p[1] | p[2], p[3], p[4])", {-5, 0.2, 1.3, 4}, -140.183551690871905},
    {"skew_normal_lpdf(p[1] | p[2], p[3], p[4])", {8, 0.2, 1.3, -12}, -2615.68395307762871},
    {"exp_mod_normal_lpdf(p[1] | p[2], p[3], p[4])", {0.3, -0.7, 1.9, 0.8}, -1.69934873176068571},
    {"exp_mod_normal_lpdf(p[1] | p[2], p[3], p[4])", {30, 0.5, 1, 0.5}, -15.3181471805599453},
    {"exp_mod_normal_lpdf(p[1] | p[2], p[3], p[4])", {-4, 0.5, 0.7, 6}, -22.162654493343442},
    {"student_t_lpdf(p[1] | p[2], p[3], p[4])", {0.3, 4, -0.7, 1.9}, -1.79008166701399587},
    {"student_t_lpdf(p[1] | p[2], p[3], p[4])", {9, 1000000000.0, 0.5, 1.2}, -26.1880650415431959},
    {"student_t_lpdf(p[1] | p[2], p[3], p[4])", {1000000, 0.7, 0, 2}, -24.5263522061210556},
    {"student_t_lpdf(p[1] | p[2], p[3], p[4])", {-3, 19.9, 0.1, 1}, -5.04889490392433193},
    {"student_t_lpdf(p[1] | p[2], p[3], p[4])", {-3, 20.1, 0.1, 1}, -5.05393010331413005},
    {"cauchy_lpdf(p[1] | p[2], p[3])", {0.3, -0.7, 1.9}, -2.03110385668556255},
    {"cauchy_lpdf(p[1] | p[2], p[3])", {100000000.0, 0.5, 0.001}, -44.8938466427362681},
    {"double_exponential_lpdf(p[1] | p[2], p[3])", {0.3, -0.7, 1.9}, -1.8613168562060243},
    {"double_exponential_lpdf(p[1] | p[2], p[3])", {-50, 0.5, 0.3}, -167.822507709567343},
    {"skew_double_exponential_lpdf(p[1] | p[2], p[3], p[4])",
     {0.3, -0.7, 1.9, 0.2},
     -1.99181448515023328},
    {"skew_double_exponential_lpdf(p[1] | p[2], p[3], p[4])",
     {-5, 0.5, 0.3, 0.7},
     -10.6635277633787871},
    {"logistic_lpdf(p[1] | p[2], p[3])", {0.3, -0.7, 1.9}, -2.09661547397209534},
    {"logistic_lpdf(p[1] | p[2], p[3])", {-500, 0.5, 0.3}, -1667.1293605290074},
    {"logistic_lpdf(p[1] | p[2], p[3])", {500, 0.5, 0.3}, -1663.79602719567406},
    {"gumbel_lpdf(p[1] | p[2], p[3])", {0.3, -0.7, 1.9}, -1.75894718954731064},
    {"gumbel_lpdf(p[1] | p[2], p[3])", {40, 0.5, 0.3}, -130.462693862340731},
    {"gamma_lpdf(p[1] | p[2], p[3])", {0.3, 2.5, 1.9}, -1.05600736153083621},
    {"gamma_lpdf(p[1] | p[2], p[3])", {1.0e-20, 0.01, 3}, 41.0026910861267639},
    {"inv_gamma_lpdf(p[1] | p[2], p[3])", {0.3, 2.5, 1.9}, -0.799476673234489579},
    {"inv_gamma_lpdf(p[1] | p[2], p[3])", {100000, 0.1, 3}, -14.8070994343346463},
    {"inv_gamma_lpdf(p[1] | p[2], p[3])", {0.01, 30, 0.4}, 4.01451484223817144},
    {"exponential_lpdf(p[1] | p[2])", {0.3, 2.5}, 0.166290731874155065},
    {"exponential_lpdf(p[1] | p[2])", {1000, 0.7}, -700.356674943938732},
    {"chi_square_lpdf(p[1] | p[2])", {0.3, 2.5}, -1.21915534035960247},
    {"chi_square_lpdf(p[1] | p[2])", {90, 70}, -4.84745007056675236},
    {"inv_chi_square_lpdf(p[1] | p[2])", {0.3, 2.5}, 0.274110003788570841},
    {"inv_chi_square_lpdf(p[1] | p[2])", {0.02, 70}, 2.99184933361749348},
    {"scaled_inv_chi_square_lpdf(p[1] | p[2], p[3])", {0.3, 2.5, 1.9}, -10.3508918659377484},
    {"scaled_inv_chi_square_lpdf(p[1] | p[2], p[3])", {3.1, 70, 1.6}, -0.87709316299794439},
    {"weibull_lpdf(p[1] | p[2], p[3])", {0.3, 2.5, 1.9}, -2.50420966473846611},
    {"weibull_lpdf(p[1] | p[2], p[3])", {1.0e-8, 0.3, 2}, 11.4793259272398495},
    {"weibull_lpdf(p[1] | p[2], p[3])", {7, 6, 4}, -25.5193563428397222},
    {"frechet_lpdf(p[1] | p[2], p[3])", {0.3, 2.5, 1.9}, -94.2092523721000317},
    {"frechet_lpdf(p[1] | p[2], p[3])", {1000000, 0.3, 2}, -18.9757046995079776},
    {"rayleigh_lpdf(p[1] | p[2])", {0.3, 1.9}, -2.50014595063194438},
    {"rayleigh_lpdf(p[1] | p[2])", {60, 2}, -447.29194979889779},
    {"loglogistic_lpdf(p[1] | p[2], p[3])", {0.3, 2.5, 1.9}, -2.21796286101495474},
    {"loglogistic_lpdf(p[1] | p[2], p[3])", {1000000000.0, 1.5, 4}, -100.608174391179508},
    {"loglogistic_lpdf(p[1] | p[2], p[3])", {1.0e-9, 1.5, 40}, -820.737092511122674},
    {"pareto_lpdf(p[1] | p[2], p[3])", {3.3, 2.5, 1.9}, -1.0795688818367708},
    {"pareto_lpdf(p[1] | p[2], p[3])", {1000000000.0, 1.5, 0.2}, -26.3962638951481609},
    {"pareto_type_2_lpdf(p[1] | p[2], p[3], p[4])", {3.3, 2.5, 1.9, 0.8}, -1.49751363379480404},
    {"pareto_type_2_lpdf(p[1] | p[2], p[3], p[4])",
     {1000000000.0, 1.5, 0.2, 3},
     -86.6227647912198361},
    {"uniform_lpdf(p[1] | p[2], p[3])", {0.3, -0.7, 1.9}, -0.955511445027436361},
    {"beta_lpdf(p[1] | p[2], p[3])", {0.3, 2.5, 1.9}, -0.0565617591587416864},
    {"beta_lpdf(p[1] | p[2], p[3])", {1.0e-10, 0.01, 3}, 18.2053601068171681},
    {"beta_lpdf(p[1] | p[2], p[3])", {0.5003, 3000, 3000}, 4.12284471459955958},
    {"beta_lpdf(p[1] | p[2], p[3])", {0.9, 0.2, 30}, -67.5371791055048694},
    {"beta_proportion_lpdf(p[1] | p[2], p[3])", {0.3, 0.4, 7}, 0.705481914671135946},
    {"von_mises_lpdf(p[1] | p[2], p[3])", {0.3, -0.7, 1.9}, -1.56636316002538651},
    {"von_mises_lpdf(p[1] | p[2], p[3])", {2.9, 0.1, 1.0e-5}, -1.83788648865775217},
    {"von_mises_lpdf(p[1] | p[2], p[3])", {0.3, 0.2, 49}, 0.779598091467997806},
    {"von_mises_lpdf(p[1] | p[2], p[3])", {0.3, 0.2, 51}, 0.789711196279889595},
    {"von_mises_lpdf(p[1] | p[2], p[3])", {0.1, 0.2, 3000}, -11.9033005889157747},
    {"bernoulli_lpmf(1 | p[1])", {0.3}, -1.20397280432593599},
    {"bernoulli_lpmf(0 | p[1])", {0.3}, -0.356674943938732379},
    {"bernoulli_lpmf(0 | p[1])", {1.0e-12}, -1.0000000000005e-12},
    {"bernoulli_logit_lpmf(1 | p[1])", {0.3}, -0.554355244468527119},
    {"bernoulli_logit_lpmf(0 | p[1])", {0.3}, -0.854355244468527119},
    {"bernoulli_logit_lpmf(1 | p[1])", {-80}, -80.0},
    {"bernoulli_logit_lpmf(0 | p[1])", {38}, -38.0},
    {"binomial_lpmf(3 | 10, p[1])", {0.3}, -1.32115127776688864},
    {"binomial_lpmf(0 | 10, p[1])", {0.3}, -3.56674943938732379},
    {"binomial_lpmf(10 | 10, p[1])", {0.3}, -12.0397280432593599},
    {"binomial_logit_lpmf(3 | 10, p[1])", {0.3}, -2.85606070190322519},
    {"binomial_logit_lpmf(0 | 10, p[1])", {-30}, -9.35762296883973678e-13},
    {"binomial_logit_lpmf(7 | 10, p[1])", {5}, -10.2796617421091347},
    {"beta_binomial_lpmf(3 | 10, p[1], p[2])", {0.3, 2}, -2.80139872352865607},
    {"beta_binomial_lpmf(0 | 10, p[1], p[2])", {8, 0.5}, -12.0257882430967566},
    {"beta_binomial_lpmf(30 | 100, p[1], p[2])", {300000, 700000}, -2.44438456206448559},
    {"beta_binomial_lpmf(10 | 10, p[1], p[2])", {12, 0.1}, -0.0623470357822269174},
    {"poisson_lpmf(3 | p[1])", {1.7}, -1.89987471604154381},
    {"poisson_lpmf(0 | p[1])", {1.0e-9}, -1.0e-9},
    {"poisson_log_lpmf(3 | p[1])", {1.7}, -2.16570686095525476},
    {"poisson_log_lpmf(0 | p[1])", {-50}, -1.92874984796391778e-22},
    {"neg_binomial_lpmf(3 | p[1], p[2])", {1.7, 0.4}, -2.09866038181118684},
    {"neg_binomial_lpmf(0 | p[1], p[2])", {0.001, 2}, -0.000405465108108164382},
    {"neg_binomial_lpmf(40 | p[1], p[2])", {20000000.0, 500000}, -2.76546255019895165},
    {"neg_binomial_2_lpmf(3 | p[1], p[2])", {1.7, 0.4}, -2.7933277387701309},
    {"neg_binomial_2_lpmf(0 | p[1], p[2])", {0.001, 2}, -0.000999750083302095828},
    {"neg_binomial_2_lpmf(40 | p[1], p[2])", {37.5, 1000000000.0}, -2.8470024125777899},
    {"neg_binomial_2_lpmf(1000 | p[1], p[2])", {30, 12}, -292.956643578145469},
    {"neg_binomial_2_lpmf(5 | p[1], p[2])", {2, 9.9}, -3.17913180804404013},
    {"neg_binomial_2_lpmf(5 | p[1], p[2])", {2, 10.1}, -3.18107738106673493},
    {"neg_binomial_2_log_lpmf(3 | p[1], p[2])", {1.7, 0.4}, -2.78241690035840851},
    {"neg_binomial_2_log_lpmf(0 | p[1], p[2])", {-40, 2}, -4.24835425529158899e-18},
    {"neg_binomial_2_log_lpmf(40 | p[1], p[2])", {3.5, 1000000000.0}, -3.43609166975120876},
    {"neg_binomial_2_log_lpmf(7 | p[1], p[2])", {60, 3}, -173.120644195539561},
    {"beta_neg_binomial_lpmf(3 | p[1], p[2], p[3])", {1.7, 0.4, 2.2}, -3.11457466867671669},
    {"beta_neg_binomial_lpmf(40 | p[1], p[2], p[3])", {30, 20, 25}, -3.67492123181821479},
    {"yule_simon_lpmf(3 | p[1])", {1.7}, -2.62537166975435935},
    {"yule_simon_lpmf(1 | p[1])", {0.2}, -1.791759469228055},
    {"yule_simon_lpmf(1000 | p[1])", {4}, -29.9844132366879415},
    {"normal_lcdf(p[1] | p[2], p[3])", {0.3, -0.7, 1.9}, -0.35572454874861024},
    {"normal_lccdf(p[1] | p[2], p[3])", {0.3, -0.7, 1.9}, -1.20619391206422763},
    {"normal_lcdf(p[1] | p[2], p[3])", {-8, 0.5, 0.3}, -405.653108209021634},
    {"normal_lccdf(p[1] | p[2], p[3])", {-8, 0.5, 0.3}, -6.71573480187484975e-177},
    {"normal_lcdf(p[1] | p[2], p[3])", {9, 0.5, 0.3}, -6.71573480187484975e-177},
    {"normal_lccdf(p[1] | p[2], p[3])", {9, 0.5, 0.3}, -405.653108209021634},
    {"std_normal_lcdf(p[1] | )", {0.3}, -0.481410161588481198},
    {"std_normal_lccdf(p[1] | )", {0.3}, -0.962102818168850668},
    {"std_normal_lcdf(p[1] | )", {-30}, -454.321243956343197},
    {"std_normal_lccdf(p[1] | )", {-30}, -4.90671392714818706e-198},
    {"lognormal_lcdf(p[1] | p[2], p[3])", {0.3, -0.7, 1.9}, -0.927834898053577985},
    {"lognormal_lccdf(p[1] | p[2], p[3])", {0.3, -0.7, 1.9}, -0.503202892103266936},
    {"lognormal_lcdf(p[1] | p[2], p[3])", {0.001, 0.5, 0.5}, -113.368794785466992},
    {"lognormal_lccdf(p[1] | p[2], p[3])", {0.001, 0.5, 0.5}, -5.81511094116730363e-50},
    {"cauchy_lcdf(p[1] | p[2], p[3])", {0.3, -0.7, 1.9}, -0.424320588980153875},
    {"cauchy_lccdf(p[1] | p[2], p[3])", {0.3, -0.7, 1.9}, -1.06193552336855905},
    {"cauchy_lcdf(p[1] | p[2], p[3])", {-1000000000.0, 0.5, 0.3}, -23.0719685276217473},
    {"cauchy_lccdf(p[1] | p[2], p[3])", {-1000000000.0, 0.5, 0.3}, -9.54929658119501718e-11},
    {"cauchy_lcdf(p[1] | p[2], p[3])", {100000, 0.5, 0.3}, -9.54934889170849444e-7},
    {"cauchy_lccdf(p[1] | p[2], p[3])", {100000, 0.5, 0.3}, -13.8616231551360646},
    {"double_exponential_lcdf(p[1] | p[2], p[3])", {0.3, -0.7, 1.9}, -0.350109056561113225},
    {"double_exponential_lccdf(p[1] | p[2], p[3])", {0.3, -0.7, 1.9}, -1.21946297003362952},
    {"double_exponential_lcdf(p[1] | p[2], p[3])", {-9, 0.5, 0.3}, -32.359813847226612},
    {"double_exponential_lccdf(p[1] | p[2], p[3])", {-9, 0.5, 0.3}, -8.83713339683155464e-15},
    {"skew_double_exponential_lcdf(p[1] | p[2], p[3], p[4])",
     {0.3, -0.7, 1.9, 0.3},
     -0.714266770877397398},
    {"skew_double_exponential_lccdf(p[1] | p[2], p[3], p[4])",
     {0.3, -0.7, 1.9, 0.3},
     -0.672464417622942905},
    {"skew_double_exponential_lcdf(p[1] | p[2], p[3], p[4])",
     {-9, 0.5, 0.3, 0.6},
     -25.844158957099324},
    {"skew_double_exponential_lccdf(p[1] | p[2], p[3], p[4])",
     {-9, 0.5, 0.3, 0.6},
     -5.97068797126055597e-12},
    {"logistic_lcdf(p[1] | p[2], p[3])", {0.3, -0.7, 1.9}, -0.464222899163008176},
    {"logistic_lccdf(p[1] | p[2], p[3])", {0.3, -0.7, 1.9}, -0.990538688636692387},
    {"logistic_lcdf(p[1] | p[2], p[3])", {-90, 0.5, 0.3}, -301.666666666666667},
    {"logistic_lccdf(p[1] | p[2], p[3])", {-90, 0.5, 0.3}, -9.72369420536539038e-132},
    {"logistic_lcdf(p[1] | p[2], p[3])", {90, 0.5, 0.3}, -2.72570948553879993e-130},
    {"logistic_lccdf(p[1] | p[2], p[3])", {90, 0.5, 0.3}, -298.333333333333333},
    {"gumbel_lcdf(p[1] | p[2], p[3])", {0.3, -0.7, 1.9}, -0.590777513901231655},
    {"gumbel_lccdf(p[1] | p[2], p[3])", {0.3, -0.7, 1.9}, -0.807204190397811765},
    {"gumbel_lcdf(p[1] | p[2], p[3])", {15, 0.5, 0.3}, -1.02117468798905445e-21},
    {"gumbel_lccdf(p[1] | p[2], p[3])", {15, 0.5, 0.3}, -48.3333333333333333},
    {"exponential_lcdf(p[1] | p[2])", {0.3, 2.5}, -0.63935346504035394},
    {"exponential_lccdf(p[1] | p[2])", {0.3, 2.5}, -0.75},
    {"exponential_lcdf(p[1] | p[2])", {1.0e-9, 0.5}, -21.4164130177563565},
    {"exponential_lccdf(p[1] | p[2])", {1.0e-9, 0.5}, -5.0e-10},
    {"weibull_lcdf(p[1] | p[2], p[3])", {0.3, 2.5, 1.9}, -4.61951587450216794},
    {"weibull_lccdf(p[1] | p[2], p[3])", {0.3, 2.5, 1.9}, -0.00990647469273024454},
    {"weibull_lcdf(p[1] | p[2], p[3])", {1.0e-6, 3, 2}, -43.5259732155726582},
    {"weibull_lccdf(p[1] | p[2], p[3])", {1.0e-6, 3, 2}, -1.25e-19},
    {"frechet_lcdf(p[1] | p[2], p[3])", {0.9, 2.5, 1.9}, -6.47556592023943684},
    {"frechet_lccdf(p[1] | p[2], p[3])", {0.9, 2.5, 1.9}, -0.00154181480451520682},
    {"frechet_lcdf(p[1] | p[2], p[3])", {1000000, 3, 2}, -8.0e-18},
    {"frechet_lccdf(p[1] | p[2], p[3])", {1000000, 3, 2}, -39.3670901322129864},
    {"rayleigh_lcdf(p[1] | p[2])", {0.3, 2.5}, -4.93727209296106054},
    {"rayleigh_lccdf(p[1] | p[2])", {0.3, 2.5}, -0.0072},
    {"rayleigh_lcdf(p[1] | p[2])", {1.0e-5, 0.5}, -22.3327037494805115},
    {"rayleigh_lccdf(p[1] | p[2])", {1.0e-5, 0.5}, -2.0e-10},
    {"pareto_lcdf(p[1] | p[2], p[3])", {3.3, 2.5, 1.9}, -0.891788738125424567},
    {"pareto_lccdf(p[1] | p[2], p[3])", {3.3, 2.5, 1.9}, -0.527500299536731024},
    {"pareto_type_2_lcdf(p[1] | p[2], p[3], p[4])", {3.3, 2.5, 1.9, 0.8}, -1.40624817599196756},
    {"pareto_type_2_lccdf(p[1] | p[2], p[3], p[4])", {3.3, 2.5, 1.9, 0.8}, -0.281118309470310891},
    {"uniform_lcdf(p[1] | p[2], p[3])", {0.3, -0.7, 1.9}, -0.955511445027436361},
    {"uniform_lccdf(p[1] | p[2], p[3])", {0.3, -0.7, 1.9}, -0.485507815781700808},
    {"exp_mod_normal_lcdf(p[1] | p[2], p[3], p[4])", {0.3, -0.7, 1.9, 0.8}, -0.750432243700627074},
    {"exp_mod_normal_lccdf(p[1] | p[2], p[3], p[4])", {0.3, -0.7, 1.9, 0.8}, -0.638966655088946955},
    {"exp_mod_normal_lcdf(p[1] | p[2], p[3], p[4])", {9, -0.7, 1.1, 0.8}, -0.000628304356826488986},
    {"exp_mod_normal_lccdf(p[1] | p[2], p[3], p[4])", {9, -0.7, 1.1, 0.8}, -7.3728000000000001},
    {"poisson_lcdf(4 | p[1])", {3.7}, -0.375101728598560638},
    {"poisson_lccdf(4 | p[1])", {3.7}, -1.1622531819844781},
    {"poisson_lcdf(0 | p[1])", {0.2}, -0.2},
    {"poisson_lccdf(0 | p[1])", {0.2}, -1.70777180097051991},
    {"binomial_lcdf(4 | 12, p[1])", {0.3}, -0.32343987067378768},
    {"binomial_lccdf(4 | 12, p[1])", {0.3}, -1.28610689293781096},
    {"binomial_lcdf(11 | 12, p[1])", {0.01}, -1.0e-24},
    {"binomial_lccdf(11 | 12, p[1])", {0.01}, -55.2620422318570964},
    {"beta_binomial_lcdf(4 | 12, p[1], p[2])", {0.3, 2}, -0.133889257963433052},
    {"beta_binomial_lccdf(4 | 12, p[1], p[2])", {0.3, 2}, -2.0769400637968207},
    {"neg_binomial_lcdf(4 | p[1], p[2])", {1.7, 0.4}, -0.465303218219625472},
    {"neg_binomial_lccdf(4 | p[1], p[2])", {1.7, 0.4}, -0.988712704731306631},
    {"neg_binomial_2_lcdf(4 | p[1], p[2])", {1.7, 0.4}, -0.12802496742360906},
    {"neg_binomial_2_lccdf(4 | p[1], p[2])", {1.7, 0.4}, -2.1188596200421297},
    {"beta_neg_binomial_lcdf(4 | p[1], p[2], p[3])", {1.7, 2.4, 0.7}, -0.0407893814279070928},
    {"beta_neg_binomial_lccdf(4 | p[1], p[2], p[3])", {1.7, 2.4, 0.7}, -3.21965885833876319},
    {"bernoulli_lcdf(0 | p[1])", {0.3}, -0.356674943938732379},
    {"bernoulli_lccdf(0 | p[1])", {0.3}, -1.20397280432593599},
    {"yule_simon_lcdf(4 | p[1])", {1.7}, -0.0939539756635744887},
};
enum { CASES = sizeof cases / sizeof *cases };

static int count_parameters(const char *call) {
  int count = 1;
  char name[24];
  for (int k = 1; k <= 4; k++) {
    snprintf(name, sizeof name, "p[%d]", k);
    if (strstr(call, name)) count = k;
  }
  return count;
}

/* A model of one density, and the same value as a generated quantity. */
static sl__stan_model *model_of(const value_case *c) {
  char text[512];
  snprintf(text, sizeof text,
           "parameters { vector[%d] p; } model { target += %s; } "
           "generated quantities { real r = %s; }",
           count_parameters(c->call), c->call, c->call);
  return make_model(text, NULL);
}

/* Differences are of the model's own values, which have been compared; the step is relative, and
 * the tolerance allows for the rounding of large values. */
static void check_gradient(const sl__stan_model *model, const value_case *c,
                           const double *gradient) {
  for (int k = 0; k < sl__stan_model_dim(model); k++) {
    const double size = fabs(c->p[k]) > 1e-3 ? fabs(c->p[k]) : 1e-3;
    double q[4], side[4], h = 2e-4 * (c->p[k] != 0 && fabs(c->p[k]) < size ? fabs(c->p[k]) : size);
    for (int i = 0; i < 4; i++) {
      memcpy(q, c->p, sizeof q);
      q[k] += h * (i - 1.5 + (i > 1 ? 0.5 : -0.5));
      CHECK_OK(context, density_at(model, q, true, &side[i], NULL));
    }
    const double slope = (8 * (side[2] - side[1]) - (side[3] - side[0])) / (12 * h);
    const double noise = 4e-15 * (1 + fabs(c->value)) / h;
    if (!check_report(fabs(gradient[k] - slope) <= 1e-6 * (1e-3 + fabs(slope)) + noise, __FILE__,
                      __LINE__, "gradient"))
      printf("  %s: d/dp[%d] %.12g against %.12g\n", c->call, k + 1, gradient[k], slope);
  }
}

TEST(values_and_gradients) {
  for (int i = 0; i < CASES; i++) {
    const value_case *c = &cases[i];
    double value = 0, known = 0, gradient[4];
    sl__stan_model *model = model_of(c);
    if (!model) continue;
    if (CHECK_OK(context, density_at(model, c->p, true, &value, gradient)) &&
        CHECK_OK(context, sl__stan_model_generate(context, model, c->p, 1, 0, &known))) {
      if (!CHECK_CLOSE(value, c->value, 3e-13) || !CHECK_CLOSE(known, c->value, 3e-13))
        printf("  %s at %g, %g, %g, %g\n", c->call, c->p[0], c->p[1], c->p[2], c->p[3]);
      check_gradient(model, c, gradient);
    }
    sl__stan_model_free(context, model);
  }
}
