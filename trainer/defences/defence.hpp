#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "core/json.hpp"
#include "core/registry.hpp"
#include "trainer/models/model.hpp"

namespace sweep::trainer {

struct Batch;      // trainer/batches.hpp
struct LossTerms;  // trainer/tensors.hpp
class Seed;        // trainer/tensors.hpp

/// What is minimised in training, and the modules that only training needs. Nothing of it is left
/// in the trained model: a defended classifier costs at inference what an undefended one does.
class Defence {
 public:
  virtual ~Defence() = default;

  /// Modules that are trained together with the classifier and dropped after it; null: none.
  virtual torch::nn::Module* module() { return nullptr; }

  /// Draws the parameters of `module()`. Equal seeds give equal parameters.
  virtual void initialize(std::uint64_t /*seed*/) {}

  /// The loss of one batch, or of a share of it (batch.share): the mean of all shares' losses,
  /// weighted by Share::weight(), must be the loss of the whole batch. All that is random in it
  /// follows from `seed` and from an image's place in the whole batch.
  virtual LossTerms loss(Classifier& classifier, const Batch& batch, const Seed& seed) = 0;

  /// Whether loss() does the same for equal shapes, whatever the host knows by then, and leaves
  /// `seed` to the device: it may then be recorded (attacks/recorded_function.hpp).
  virtual bool is_recordable() const { return false; }
};

/// What a defence is made for and from.
struct DefenceContext {
  const Classifier& classifier;         ///< to be trained: a decoder fits its encoder's size
  std::shared_ptr<Classifier> teacher;  ///< trained already; null unless the defence has the option
                                        ///< "teacher", by which the planner knows that it needs one
};

using DefenceRegistry = Registry<
    std::function<std::unique_ptr<Defence>(const Json& options, const DefenceContext& context)>>;

}  // namespace sweep::trainer

/// Last line of a defence's file: its name, its option table, its class (made from its options and
/// the context), a summary.
#define SWEEP_REGISTER_DEFENCE(name, table, Class, summary)                                    \
  static const bool registered_defence_##Class =                                               \
      ::sweep::trainer::DefenceRegistry::instance().add(                                       \
          name,                                                                                \
          {summary, ::sweep::describe(table),                                                  \
           [](const ::sweep::Json& options, const ::sweep::trainer::DefenceContext& context) { \
             return std::unique_ptr<::sweep::trainer::Defence>(                                \
                 std::make_unique<Class>(::sweep::read_options(table, options), context));     \
           }})
