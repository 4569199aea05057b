#pragma once

#include "core/options.hpp"

namespace sweep::attacks {

/// The keys "epsilon" and "alpha" of whatever attacks within an epsilon-ball: its options struct
/// has members of these names.
template <class Options>
Option<Options> epsilon_option() {
  return {"epsilon",
          &Options::epsilon,
          {.min = 0,
           .max = 1,
           .unit = "pixel value in [0,1]",
           .doc = "largest change of a pixel",
           .required = true}};
}

template <class Options>
Option<Options> alpha_option() {
  return {"alpha",
          &Options::alpha,
          {.min = 0,
           .max = 1,
           .unit = "pixel value in [0,1]",
           .doc = "change of a pixel in one step",
           .required = true,
           .relative_key = "alpha_rel",
           .relative_to = "epsilon"}};
}

}  // namespace sweep::attacks
