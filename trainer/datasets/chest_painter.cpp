#include "trainer/datasets/chest_painter.hpp"

#include <cmath>
#include <vector>

namespace sweep::trainer {
namespace {

constexpr double kAir = 0.03, kTissue = 0.60, kLung = 0.24, kHeart = 0.70, kSpine = 0.78,
                 kBone = 0.86, kFluid = 0.66, kMetal = 0.97;

int count_of(Random& random, const Spread& spread) {
  return static_cast<int>(draw(random, spread, 0, 12) + 0.5);
}

/// A lung: an egg that its diaphragm cuts off.
struct Lung {
  Point centre;
  double width = 0, height = 0;  ///< halves
  double base = 0;               ///< y of the diaphragm's dome

  double cover(Point p) const {
    const double dx = (p.x - centre.x) / (width * (0.62 + 0.38 * ramp(0.10, 0.55, p.y)));
    const double dy = (p.y - centre.y) / height;
    const double inside = 1 - ramp(0.92, 1.06, std::sqrt(dx * dx + dy * dy));
    const double floor = base + 1.6 * (p.x - centre.x) * (p.x - centre.x);
    return inside * (1 - ramp(floor - 0.012, floor + 0.012, p.y));
  }

  Point place(Random& random) const {
    return {centre.x + random.uniform(-0.6, 0.6) * width,
            centre.y + random.uniform(-0.5, 0.55) * height};
  }
};

/// Everything random of one image, drawn once; then a function of the pixel's position.
class Chest {
 public:
  Chest(const ChestRecipe& recipe, Random& random)
      : middle_(0.5 + random.uniform(-0.025, 0.025)),
        torso_(random.uniform(0.42, 0.48)),
        exposure_(random.uniform(0.92, 1.08)),
        tilt_(random.uniform(-0.06, 0.06)),
        heart_(draw(random, recipe.heart, 0.10, 0.26)),
        haze_(draw(random, recipe.haze, 0, 1)),
        effusion_(draw(random, recipe.effusion, 0, 0.3)),
        vessels_(draw(random, recipe.vessels, 0, 1)),
        rib_spacing_(random.uniform(0.078, 0.094)),
        rib_phase_(random.uniform()),
        rib_strength_(random.uniform(0.5, 1.0)),
        warp_(random.bits(), 5),
        branches_(random.bits(), 9),
        cloud_(random.bits(), 11),
        tissue_(random.bits(), 4),
        streaks_(random.bits(), 1),
        recipe_(recipe) {
    for (std::size_t side = 0; side < 2; ++side)
      lungs_[side] = {{middle_ + (side == 0 ? -0.21 : 0.21) + random.uniform(-0.012, 0.012),
                       random.uniform(0.45, 0.49)},
                      random.uniform(0.150, 0.172),
                      random.uniform(0.33, 0.38),
                      random.uniform(0.72, 0.79)};
    const int patches = count_of(random, recipe.patches);
    for (int i = 0; i < patches; ++i)
      patches_.push_back({lungs_[random.below(2)].place(random), random.uniform(0.09, 0.17)});
    const int nodules = count_of(random, recipe.nodules);
    for (int i = 0; i < nodules; ++i)
      nodules_.push_back({lungs_[random.below(2)].place(random), random.uniform(0.02, 0.035)});
    const int tubes = count_of(random, recipe.tubes);
    for (int i = 0; i < tubes; ++i)
      tubes_.push_back({{random.uniform(0.2, 0.8), random.uniform(0, 0.3)},
                        direction(random),
                        random.uniform(0.4, 0.8),
                        random.uniform(-0.3, 0.3),
                        0.012});
  }

  double grey(Point p) const {
    double value = mix(kAir, kTissue + 0.10 * (tissue_.at(p) - 0.5), body(p));
    const double air = std::max(lungs_[0].cover(p), lungs_[1].cover(p));
    value = mix(value, lung(p), 0.95 * air);
    value = mix(value, kSpine, 0.55 * spine(p));
    value = mix(value, kHeart, 0.9 * heart(p));
    value = mix(value, kBone, 0.16 * rib_strength_ * ribs(p) * (0.4 + 0.6 * air) * body(p));
    value = mix(value, kBone, 0.45 * collar_bones(p));
    for (const auto& tube : tubes_) value = mix(value, kMetal, 0.8 * tube.cover(p));
    return value * exposure_ * (1 + tilt_ * (p.x - 0.5));
  }

 private:
  double from_middle(Point p) const { return p.x < middle_ ? middle_ - p.x : p.x - middle_; }

  double body(Point p) const {
    const double half = torso_ * (0.32 + 0.68 * ramp(0.0, 0.26, p.y));
    return 1 - ramp(half - 0.02, half + 0.02, from_middle(p));
  }

  double lung(Point p) const {
    double value = kLung + 0.06 * (tissue_.at({p.y, p.x}) - 0.5);
    const double far = ramp(0.08, 0.36, from_middle(p));
    const double branch = branches_.at(p);
    const double line = branch < 0.5 ? 1 - 2 * branch : 2 * branch - 1;
    value += 0.22 * vessels_ * (1 - far) * (1 - ramp(0.05, 0.22, line));
    value += recipe_.streak_strength *
             (2 * streaks_.at({p.x * recipe_.streaks_x, p.y * recipe_.streaks_y}) - 1);
    for (const auto& patch : patches_)
      value = mix(value, kFluid, 0.85 * haze_ * haze(patch, p) * (0.65 + 0.5 * cloud_.at(p)));
    for (const auto& nodule : nodules_) value = mix(value, kFluid, 0.7 * nodule.cover(p));
    return mix(value, kFluid, effusion(p));
  }

  /// A patch with a border that noise has frayed.
  double haze(const Dot& patch, Point p) const {
    const double fray = 0.10 * (warp_.at(p) - 0.5) + 0.05 * (cloud_.at({p.y, p.x}) - 0.5);
    const double dx = p.x - patch.centre.x, dy = p.y - patch.centre.y;
    return 1 - ramp(0.35 * patch.radius, patch.radius, std::sqrt(dx * dx + dy * dy) + fray);
  }

  /// Fluid stands higher at the sides.
  double effusion(Point p) const {
    const double level = 0.76 - effusion_ - 0.5 * effusion_ * ramp(0.1, 0.36, from_middle(p));
    return effusion_ < 0.01 ? 0 : 0.85 * ramp(level - 0.02, level + 0.06, p.y);
  }

  double spine(Point p) const {
    return (1 - ramp(0.055, 0.085, from_middle(p))) * ramp(0.0, 0.1, p.y);
  }

  double heart(Point p) const {
    const double dx = (p.x - middle_ - 0.35 * heart_) / heart_, dy = (p.y - 0.635) / 0.165;
    return 1 - ramp(0.85, 1.08, std::sqrt(dx * dx + dy * dy));
  }

  double ribs(Point p) const {
    const double out = from_middle(p);
    const double bow = 1.1 * (out - 0.17) * (out - 0.17) - 0.10 * out;
    const double turn = (p.y - bow) / rib_spacing_ + rib_phase_;
    const double from_centre = turn - std::floor(turn) - 0.5;
    return (1 - ramp(0.16, 0.34, from_centre < 0 ? -from_centre : from_centre)) *
           ramp(0.05, 0.10, out) * (1 - ramp(0.40, 0.44, out)) * ramp(0.10, 0.16, p.y);
  }

  double collar_bones(Point p) const {
    const double out = from_middle(p), line = 0.185 - 0.20 * out + 0.12 * out * out;
    const double distance = p.y < line ? line - p.y : p.y - line;
    return (1 - ramp(0.010, 0.022, distance)) * ramp(0.03, 0.06, out) * (1 - ramp(0.30, 0.36, out));
  }

  double middle_, torso_, exposure_, tilt_, heart_, haze_, effusion_, vessels_, rib_spacing_,
      rib_phase_, rib_strength_;
  Noise warp_, branches_, cloud_, tissue_, streaks_;
  ChestRecipe recipe_;
  std::array<Lung, 2> lungs_;
  std::vector<Dot> patches_, nodules_;
  std::vector<Strand> tubes_;
};

}  // namespace

void paint_chest(const ChestRecipe& recipe, std::uint64_t seed, std::int64_t size,
                 std::span<std::uint8_t> planes) {
  Random random(seed);
  const Chest chest(recipe, random);
  paint_pixels(size, planes, [&](Point p) {
    const double grey = chest.grey(p) + 0.012 * random.normal();  // of the detector
    return Colour{grey, grey, grey};
  });
}

}  // namespace sweep::trainer
