#include "trainer/datasets/lesion_painter.hpp"
#include "trainer/datasets/painted_dataset.hpp"

namespace sweep::trainer {
namespace {

struct LesionClass {
  const char* name;
  LesionRecipe recipe;
};

/// The classes of SKIN4, caricatured. They differ in colour, border, texture and shape; the
/// deviations make them overlap, as real ones do. Colours are close and the grain is faint on
/// purpose: what tells most lesions apart is within the reach of a perturbation of 8/255, so a
/// classifier is quickly trained and, without a defence, easily fooled.
const std::vector<LesionClass>& lesion_classes() {
  static const std::vector<LesionClass> classes{
      {"MEL",
       {.colour = {0.44, 0.285, 0.23},
        .colour_deviation = 0.015,
        .radius = {0.31, 0.05},
        .irregularity = {0.30, 0.08},
        .softness = {0.14, 0.05},
        .network = {0.35, 0.20},
        .blotches = {0.55, 0.25},
        .milia = {0.05, 0.10},
        .vessels = {0.10, 0.15},
        .asymmetry = {0.45, 0.20},
        .grain = {0, 0.02, 0.11}}},
      {"NV",
       {.colour = {0.52, 0.325, 0.235},
        .colour_deviation = 0.015,
        .radius = {0.23, 0.05},
        .irregularity = {0.10, 0.06},
        .softness = {0.14, 0.05},
        .network = {0.60, 0.20},
        .blotches = {0.05, 0.15},
        .milia = {0.05, 0.10},
        .vessels = {0.05, 0.10},
        .asymmetry = {0.10, 0.15},
        .grain = {0.06, 0.06, 0.06}}},
      {"BCC",
       {.colour = {0.635, 0.40, 0.365},
        .colour_deviation = 0.015,
        .radius = {0.26, 0.05},
        .irregularity = {0.18, 0.07},
        .softness = {0.24, 0.06},
        .network = {0.05, 0.10},
        .blotches = {0.40, 0.25},
        .milia = {0.10, 0.15},
        .vessels = {0.60, 0.20},
        .asymmetry = {0.15, 0.15},
        .grain = {0.10, -0.05, -0.05}}},
      {"BKL",
       {.colour = {0.585, 0.41, 0.265},
        .colour_deviation = 0.015,
        .radius = {0.28, 0.05},
        .irregularity = {0.16, 0.07},
        .softness = {0.05, 0.03},
        .network = {0.20, 0.20},
        .blotches = {0.08, 0.15},
        .milia = {0.60, 0.20},
        .vessels = {0.10, 0.15},
        .asymmetry = {0.15, 0.15},
        .grain = {0.07, 0.05, -0.08}}},
  };
  return classes;
}

std::vector<std::string> names() {
  std::vector<std::string> names;
  for (const auto& lesion : lesion_classes()) names.emplace_back(lesion.name);
  return names;
}

/// Dermoscopy-like images that a procedure draws.
class SyntheticLesions final : public PaintedDataset {
 public:
  explicit SyntheticLesions(const PaintedOptions& options)
      : PaintedDataset(options, names(), "painted, version 2") {}

 private:
  void paint(std::size_t label, std::uint64_t seed, std::int64_t size,
             std::span<std::uint8_t> planes) const override {
    paint_lesion(lesion_classes()[label].recipe, seed, size, planes);
  }
};

SWEEP_REGISTER_DATASET("synthetic_lesions", painted_options(), SyntheticLesions,
                       "dermoscopy-like images drawn by a procedure; nothing to download");

}  // namespace
}  // namespace sweep::trainer
