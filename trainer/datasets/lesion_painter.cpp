#include "trainer/datasets/lesion_painter.hpp"

#include <vector>

#include "trainer/datasets/painting.hpp"

namespace sweep::trainer {
namespace {

/// Everything random of one image, drawn once; then a function of the pixel's position.
class Lesion {
 public:
  Lesion(const LesionRecipe& recipe, Random& random)
      : centre_{random.uniform(0.42, 0.58), random.uniform(0.42, 0.58)},
        axis_(direction(random)),
        stretch_(random.uniform(0.75, 1.0)),
        radius_(draw(random, recipe.radius, 0.12, 0.42)),
        irregularity_(draw(random, recipe.irregularity, 0, 0.5)),
        softness_(draw(random, recipe.softness, 0.015, 0.35)),
        network_(draw(random, recipe.network, 0, 1)),
        blotches_(draw(random, recipe.blotches, 0, 1)),
        vessels_(draw(random, recipe.vessels, 0, 1)),
        asymmetry_(draw(random, recipe.asymmetry, 0, 1)),
        milia_(draw(random, recipe.milia, 0, 1)),
        mesh_(random.uniform(18, 24)),
        warp_x_(random.bits(), 4),
        warp_y_(random.bits(), 4),
        coarse_(random.bits(), 5),
        fine_(random.bits(), 14),
        veins_(random.bits(), 6),
        speckle_(random.bits(), 18),
        grain_(recipe.grain) {
    for (std::size_t c = 0; c < 3; ++c)
      colour_[c] = clamp01(recipe.colour[c] + recipe.colour_deviation * random.normal());
    const auto dots = static_cast<int>(milia_ * 14);
    for (int i = 0; i < dots; ++i) {
      const Point offset{random.uniform(-0.8, 0.8) * radius_, random.uniform(-0.8, 0.8) * radius_};
      dots_.push_back({{centre_.x + offset.x, centre_.y + offset.y}, random.uniform(0.016, 0.032)});
    }
  }

  /// The skin's colour with the lesion on it.
  Colour on(const Colour& skin, Point p) const {
    const Point local = warped(p);
    const double distance = std::sqrt(local.x * local.x + local.y * local.y);
    const double cover = 1 - ramp(radius_ * (1 - softness_), radius_ * (1 + softness_), distance);
    if (cover <= 0) return skin;
    return mix(skin, pigment(p, local), 0.95 * cover);
  }

 private:
  /// Position relative to the lesion, in the frame of its ellipse, bent by noise.
  Point warped(Point p) const {
    const double notch = 0.3 * (fine_.at(p) - 0.5);
    const double dx = p.x - centre_.x + irregularity_ * (warp_x_.at(p) - 0.5 + notch);
    const double dy = p.y - centre_.y + irregularity_ * (warp_y_.at(p) - 0.5 + notch);
    return {dx * axis_.x + dy * axis_.y, (dy * axis_.x - dx * axis_.y) / stretch_};
  }

  /// 1 on the lines of an uneven mesh, 0 between.
  double mesh(Point p, Point local) const {
    const double u = local.x * mesh_ + 1.1 * fine_.at(p);
    const double v = local.y * mesh_ + 1.1 * fine_.at({p.y, p.x});
    const double a = std::abs(u - std::floor(u) - 0.5), b = std::abs(v - std::floor(v) - 0.5);
    return ramp(0.25, 0.5, std::max(a, b));
  }

  Colour pigment(Point p, Point local) const {
    static constexpr Colour kBlueGrey{0.36, 0.38, 0.47}, kBright{0.93, 0.86, 0.74},
        kRed{0.66, 0.20, 0.20};
    Colour colour = colour_;
    const double shade = 1 + 0.24 * (coarse_.at(p) - 0.5) + 0.16 * (fine_.at(p) - 0.5) -
                         0.35 * network_ * mesh(p, local) +
                         0.4 * asymmetry_ * std::clamp(local.x / radius_, -1.0, 1.0);
    const double speck = 2 * speckle_.at(p) - 1;
    for (std::size_t c = 0; c < 3; ++c) colour[c] = colour[c] * shade + grain_[c] * speck;
    colour = mix(colour, kBlueGrey, 0.8 * blotches_ * ramp(0.5, 0.75, coarse_.at({p.y, p.x})));
    const double vein = std::abs(2 * veins_.at(p) - 1);
    colour = mix(colour, kRed, 0.8 * vessels_ * (1 - ramp(0.03, 0.12, vein)));
    for (const auto& dot : dots_) colour = mix(colour, kBright, 0.8 * dot.cover(p));
    return colour;
  }

  Point centre_, axis_;
  double stretch_, radius_, irregularity_, softness_, network_, blotches_, vessels_, asymmetry_,
      milia_, mesh_;
  Noise warp_x_, warp_y_, coarse_, fine_, veins_, speckle_;
  Colour grain_;
  Colour colour_{};
  std::vector<Dot> dots_;
};

/// Skin, light, hairs, and the dark rim of the dermatoscope.
class Scene {
 public:
  explicit Scene(Random& random)
      : light_(direction(random)),
        gradient_(random.uniform(0, 0.18)),
        rim_(random.uniform(0.60, 0.95)),
        pores_(random.bits(), 26),
        tone_(random.bits(), 3) {
    const double tan = random.uniform(-0.05, 0.05);
    for (auto& gain : balance_) gain = random.uniform(0.98, 1.02);
    skin_ = {0.86 + tan, 0.67 + tan + random.uniform(-0.04, 0.04),
             0.57 + tan + random.uniform(-0.04, 0.04)};
    const auto hairs = random.below(5);
    for (std::uint64_t i = 0; i < hairs; ++i)
      hairs_.push_back({{random.uniform(), random.uniform()},
                        direction(random),
                        random.uniform(0.3, 0.9),
                        random.uniform(-0.3, 0.3),
                        random.uniform(0.008, 0.016)});
  }

  Colour skin(Point p) const {
    Colour colour = skin_;
    const double shade = 1 + 0.10 * (tone_.at(p) - 0.5) + 0.06 * (pores_.at(p) - 0.5);
    for (auto& channel : colour) channel *= shade;
    return colour;
  }

  Colour finish(Colour colour, Point p) const {
    static constexpr Colour kHair{0.16, 0.12, 0.10};
    for (const auto& hair : hairs_) colour = mix(colour, kHair, 0.75 * hair.cover(p));
    const double dx = p.x - 0.5, dy = p.y - 0.5;
    const double light = 1 + gradient_ * (dx * light_.x + dy * light_.y);
    const double rim = 1 - 0.85 * ramp(rim_, rim_ + 0.08, 1.3 * std::sqrt(dx * dx + dy * dy));
    for (std::size_t c = 0; c < 3; ++c) colour[c] *= light * rim * balance_[c];
    return colour;
  }

 private:
  Point light_;
  double gradient_, rim_;
  Noise pores_, tone_;
  Colour skin_{}, balance_{};  ///< balance: the camera's white balance, a gain per channel
  std::vector<Strand> hairs_;
};

}  // namespace

void paint_lesion(const LesionRecipe& recipe, std::uint64_t seed, std::int64_t size,
                  std::span<std::uint8_t> planes) {
  Random random(seed);
  const Scene scene(random);
  const Lesion lesion(recipe, random);
  paint_pixels(size, planes, [&](Point p) {
    Colour colour = scene.finish(lesion.on(scene.skin(p), p), p);
    for (auto& channel : colour) channel += 0.012 * random.normal();  // of the sensor
    return colour;
  });
}

}  // namespace sweep::trainer
