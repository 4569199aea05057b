#include "trainer/datasets/chest_painter.hpp"
#include "trainer/datasets/painted_dataset.hpp"
#include "trainer/datasets/rsna_labels.hpp"

namespace sweep::trainer {
namespace {

/// The classes of the RSNA challenge, caricatured, in its order. The second has what is not normal
/// and is no opacity: a large heart, spots, fluid at the bases, catheters. The deviations make the
/// classes overlap, as real ones do. As in synthetic_lesions, something faint tells them apart too,
/// here the direction of the streaks: it is quickly learned, and within the reach of a perturbation
/// of 8/255.
const std::vector<ChestRecipe>& recipes() {
  static const std::vector<ChestRecipe> recipes{{.heart = {0.135, 0.015},
                                                 .patches = {0.0, 0.2},
                                                 .haze = {0.3, 0.1},
                                                 .nodules = {0.0, 0.3},
                                                 .effusion = {0.0, 0.01},
                                                 .vessels = {0.5, 0.15},
                                                 .tubes = {0.0, 0.3},
                                                 .streaks_x = 26,
                                                 .streaks_y = 7,
                                                 .streak_strength = 0.055},
                                                {.heart = {0.175, 0.03},
                                                 .patches = {0.1, 0.3},
                                                 .haze = {0.35, 0.1},
                                                 .nodules = {1.5, 1.0},
                                                 .effusion = {0.05, 0.05},
                                                 .vessels = {0.65, 0.2},
                                                 .tubes = {1.2, 0.8},
                                                 .streaks_x = 7,
                                                 .streaks_y = 26,
                                                 .streak_strength = 0.055},
                                                {.heart = {0.145, 0.02},
                                                 .patches = {2.4, 0.8},
                                                 .haze = {0.75, 0.15},
                                                 .nodules = {0.2, 0.4},
                                                 .effusion = {0.02, 0.03},
                                                 .vessels = {0.65, 0.2},
                                                 .tubes = {0.6, 0.7},
                                                 .streaks_x = 13,
                                                 .streaks_y = 13,
                                                 .streak_strength = 0.055}};
  return recipes;
}

/// Chest X-rays that a procedure draws.
class SyntheticChest final : public PaintedDataset {
 public:
  explicit SyntheticChest(const PaintedOptions& options)
      : PaintedDataset(options, rsna_classes(), "painted chest, version 1") {}

 private:
  void paint(std::size_t label, std::uint64_t seed, std::int64_t size,
             std::span<std::uint8_t> planes) const override {
    paint_chest(recipes()[label], seed, size, planes);
  }
};

SWEEP_REGISTER_DATASET("synthetic_chest", painted_options(), SyntheticChest,
                       "chest X-rays drawn by a procedure; nothing to download");

}  // namespace
}  // namespace sweep::trainer
