#pragma once

#include <cstdint>
#include <span>

#include "trainer/datasets/painting.hpp"

namespace sweep::trainer {

/// What chest X-rays of one class look like. Lengths are fractions of the image's side, strengths
/// run from 0 (absent) to 1.
struct ChestRecipe {
  Spread heart;     ///< half of its width
  Spread patches;   ///< number of hazy patches in the lungs
  Spread haze;      ///< how white the patches are
  Spread nodules;   ///< number of small round spots
  Spread effusion;  ///< how far fluid hides the bases of the lungs
  Spread vessels;   ///< lines that branch out from the middle
  Spread tubes;     ///< number of catheters and wires
  /// The faint streaks of the lungs: how many there are across the image, in x and in y, and how
  /// much they add at most.
  double streaks_x = 0, streaks_y = 0, streak_strength = 0;
};

/// Paints one grey image as [3,size,size] bytes into `planes`, its three channels equal. Equal
/// arguments give equal bytes on every machine.
void paint_chest(const ChestRecipe& recipe, std::uint64_t seed, std::int64_t size,
                 std::span<std::uint8_t> planes);

}  // namespace sweep::trainer
