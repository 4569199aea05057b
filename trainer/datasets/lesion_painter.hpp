#pragma once

#include <cstdint>
#include <span>

#include "trainer/datasets/painting.hpp"

namespace sweep::trainer {

/// What lesions of one class look like, in the terms of dermoscopy. Lengths are fractions of the
/// image's side, strengths run from 0 (absent) to 1.
struct LesionRecipe {
  Colour colour{};              ///< of the pigment
  double colour_deviation = 0;  ///< of each channel
  Spread radius, irregularity;  ///< size; how far the border strays from an ellipse
  Spread softness;              ///< width of the border
  Spread network;               ///< mesh of pigment lines
  Spread blotches;              ///< blue-grey patches
  Spread milia;                 ///< small bright cysts
  Spread vessels;               ///< branching red lines
  Spread asymmetry;             ///< one half darker than the other
  Colour grain{};               ///< faint fine speckle: how much it adds to each channel at most
};

/// Paints one image as [3,size,size] bytes into `planes`. Equal arguments give equal bytes on
/// every machine.
void paint_lesion(const LesionRecipe& recipe, std::uint64_t seed, std::int64_t size,
                  std::span<std::uint8_t> planes);

}  // namespace sweep::trainer
