#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "attacks/white_box.hpp"
#include "core/json.hpp"
#include "core/registry.hpp"

namespace at {
class Tensor;
}

namespace sweep::attacks {

/// Called after every gradient step with the fraction of the work that is done, which never falls
/// and jumps where an attack ends early. May throw to stop: the exception comes out of perturb().
using StepCallback = std::function<void(double fraction)>;

/// A set of images on its way through an attack.
struct ImageStream {
  std::int64_t count = 0;       ///< images in all
  std::int64_t batch_size = 1;  ///< of how many the model is asked at once, at most
  /// The next images [n,3,H,W] and their goal; n is `most`, or what is left.
  std::function<std::pair<at::Tensor, Goal>(std::int64_t most)> take;
  /// Takes adversarial images [n,3,H,W] back. @param places [n] int64, on the CPU: which of those
  /// that were taken they are, counted from 0
  std::function<void(const at::Tensor& places, const at::Tensor& adversarial)> put;
};

/// A white-box attack.
class Attack {
 public:
  virtual ~Attack() = default;

  /// Adversarial images of the shape and type of `images` [N,3,H,W], in [0,1], contiguous, without
  /// gradients. `images` are float32 or float64 in any memory format and stay as they are; the goal
  /// has a class for each of them.
  ///
  /// Every image is treated on its own: how images are cut into batches changes nothing but the
  /// rounding of the model's kernels, which sum in an order that depends on the batch's size. An
  /// image for which the attack finds nothing comes back clean.
  /// @throws Error{not_finite} when a logit is NaN or infinite.
  virtual at::Tensor perturb(const WhiteBox& model, const at::Tensor& images, const Goal& goal,
                             const StepCallback& after_step) const = 0;

  /// The same for a whole set, batch by batch. An attack that is done with images at different
  /// moments may take in others in their place.
  virtual void perturb_stream(const WhiteBox& model, const ImageStream& stream,
                              const StepCallback& after_step) const;
};

using AttackRegistry = Registry<std::function<std::unique_ptr<Attack>(const Json& options)>>;

}  // namespace sweep::attacks

/// Last line of an attack's file: its name, its option table, its class (made from its options), a
/// summary.
#define SWEEP_REGISTER_ATTACK(name, table, Class, summary)                                        \
  static const bool registered_attack_##Class = ::sweep::attacks::AttackRegistry::instance().add( \
      name, {summary, ::sweep::describe(table), [](const ::sweep::Json& options) {                \
               return std::unique_ptr<::sweep::attacks::Attack>(                                  \
                   std::make_unique<Class>(::sweep::read_options(table, options)));               \
             }})
