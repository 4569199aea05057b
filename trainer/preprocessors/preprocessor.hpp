#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "core/json.hpp"
#include "core/registry.hpp"
#include "trainer/models/model.hpp"
#include "trainer/training_options.hpp"

namespace sweep::trainer {

struct Batch;      // trainer/batches.hpp
struct LossTerms;  // trainer/tensors.hpp
class Seed;        // trainer/tensors.hpp

/// A network that images pass through before a classifier sees them: a defence that can stand in
/// front of any trained classifier.
class Preprocessor {
 public:
  virtual ~Preprocessor() = default;

  /// Images [N,3,H,W] for a classifier, from `images` [N,3,H,W] in [0,1]. Differentiable: a
  /// white-box attack goes through it.
  virtual at::Tensor forward(const at::Tensor& images) = 0;

  /// Parameters and buffers; training and evaluation mode.
  virtual torch::nn::Module& module() = 0;

  /// Draws all parameters anew. Equal seeds give equal parameters.
  virtual void initialize(std::uint64_t seed) = 0;

  /// How it is trained.
  virtual const TrainingOptions& training() const = 0;

  /// The loss of one batch, or of a share of it, as Defence::loss has it.
  /// @param guide  a trained classifier in evaluation mode with fixed parameters; null unless the
  ///               preprocessor has the option "training_attacks", see PreprocessorRegistry
  virtual LossTerms loss(const Batch& batch, Classifier* guide, const Seed& seed) = 0;

  /// Whether loss() does the same for equal shapes, whatever the host knows by then, and leaves
  /// `seed` to the device: it may then be recorded (attacks/recorded_function.hpp).
  virtual bool is_recordable() const { return false; }
};

/// The options of a preprocessor hold those of its training. One that has the option
/// "training_attacks", names of attacks, is trained on what these make of the training images
/// against the sweep's attacker (Batch::adversarial), which then is its guide.
using PreprocessorRegistry =
    Registry<std::function<std::unique_ptr<Preprocessor>(const Json& options)>>;

}  // namespace sweep::trainer

/// Last line of a preprocessor's file: its name, its option table, its class (made from its
/// options), a summary.
#define SWEEP_REGISTER_PREPROCESSOR(name, table, Class, summary)                        \
  static const bool registered_preprocessor_##Class =                                   \
      ::sweep::trainer::PreprocessorRegistry::instance().add(                           \
          name, {summary, ::sweep::describe(table), [](const ::sweep::Json& options) {  \
                   return std::unique_ptr<::sweep::trainer::Preprocessor>(              \
                       std::make_unique<Class>(::sweep::read_options(table, options))); \
                 }})
