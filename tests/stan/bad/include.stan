functions {
#include "helpers.stan"
}
