#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/json.hpp"
#include "trainer/batches.hpp"
#include "trainer/metrics.hpp"
#include "trainer/parallel/communicator.hpp"
#include "trainer/tensors.hpp"
#include "trainer/training_options.hpp"

namespace torch::nn {
class Module;
}

namespace sweep::trainer {

class Classifier;

/// One classifier to be trained.
struct TrainingJob {
  std::string model, defence;           ///< names in the registries
  Json model_options, defence_options;  ///< resolved
  TrainingOptions options;
  std::int64_t num_classes = 0;
  std::filesystem::path weights;  ///< file to start from, see start_from(); empty: from scratch
  at::Tensor images;              ///< [N,3,H,W] uint8, N >= 2; copied to the device as a whole
  at::Tensor labels;              ///< [N] int64, in [0, num_classes)
  at::Device device = at::kCPU;
  std::shared_ptr<Classifier> teacher;  ///< a trained one, for defences that learn from it
  Parallel parallel{};                  ///< the other processes that train the same
};

/// Where training stands, in numbers: the step that comes next, and what there is to report.
struct TrainingProgress {
  std::int64_t epoch = 0, step = 0;   ///< of the next step, from 0; epoch == epochs: done
  EpochTotals running;                ///< of the epoch that is under way
  std::vector<EpochMetrics> history;  ///< of the epochs that are done

  NLOHMANN_DEFINE_TYPE_INTRUSIVE(TrainingProgress, epoch, step, running, history)
};

/// All that is needed to go on. On the CPU a resumed training gives the bits of an uninterrupted
/// one.
struct TrainingState {
  TrainingProgress progress;
  NamedTensors tensors;  ///< "model.NAME", "defence.NAME", "momentum.model.NAME", ...
};

/// What a training step reports.
struct StepReport {
  double fraction = 0;                 ///< of all steps, in [0,1]
  std::int64_t epoch = 0, epochs = 0;  ///< `epoch` counts from 1
  double loss = 0;                     ///< mean of the epoch so far
  double images_per_second = 0;        ///< of the epoch so far
};

/// What a finished epoch reports.
struct EpochReport {
  std::int64_t epoch = 0;  ///< from 1
  std::int64_t step = 0;   ///< steps so far, of all epochs
  EpochMetrics metrics;
};

/// All are called between two steps, on the calling thread. Empty ones are skipped; what they throw
/// ends the training and comes out of train().
struct TrainingHooks {
  std::function<void(const StepReport&)> on_progress;
  /// Once for every epoch that ends in this call of train(): not for those before `resume`.
  std::function<void(const EpochReport&)> on_epoch;
  std::function<bool()> stop_requested;
  std::function<void(const TrainingState&)> save;  ///< keeps a checkpoint
  double checkpoint_seconds = 300;                 ///< between two calls of save
};

struct TrainingResult {
  bool finished = false;  ///< false: stopped on request, after a call of save
  NamedTensors
      tensors;  ///< the classifier's state under torchvision's names; empty if not finished
  std::vector<EpochMetrics> history;
};

/// A network in training, with its loss.
class Learner {
 public:
  virtual ~Learner() = default;

  /// Everything that has parameters to be trained, under the prefixes of a checkpoint's names.
  virtual std::vector<std::pair<std::string, torch::nn::Module*>> modules() = 0;

  /// Draws all parameters. @param seed  the training's
  virtual void initialize(std::int64_t seed) = 0;

  /// All that is random in it follows from `seed`. Where it is trained by several processes, the
  /// weighted mean of all shares' losses must be that of the whole batch.
  virtual LossTerms loss(const Batch& batch, const Seed& seed) = 0;

  /// Whether loss() may be recorded for a device (attacks/recorded_function.hpp): nothing in it
  /// depends on what the host knows but the shapes of the batch, and `seed` is left to the device.
  virtual bool is_recordable() const = 0;
};

/// Trains from fresh parameters, or from `resume` on: epochs of all batches, by options.optimizer.
/// TrainingResult::tensors is the state of the first of learner.modules().
/// @param what  is trained, for messages: "resnet18"
/// With `parallel` every process calls it with the same arguments (hooks but stop_requested may
/// differ): each works on its share of every batch, and all have the same result. Where one is
/// asked to stop, all do, behind the same step. Collective.
/// @throws Error{not_finite} naming epoch and step, Error{bad_data} when `resume` does not fit,
///         Error{communication}.
TrainingResult train(Learner& learner, Batches& batches, const TrainingOptions& options,
                     const at::Device& device, const std::string& what,
                     const std::optional<TrainingState>& resume, const TrainingHooks& hooks,
                     const Parallel& parallel = {});

/// @throws Error{bad_data} unless `images` are bytes [N,3,H,W], N >= 2, with a label in
///         [0, num_classes) for each.
void check_training_set(const at::Tensor& images, const at::Tensor& labels,
                        std::int64_t num_classes);

/// Trains a classifier from scratch, from a weight file, or from `resume` on. The order of the
/// images is a permutation per epoch, the last batch is smaller; a last batch of one image, which
/// batch normalisation can't use, goes with the batch before it.
/// @throws Error{not_finite} naming epoch and step, Error{bad_data} when images and labels or
/// `resume` do
///         not fit, InputError for unknown names and for
///         weights that are not the model's.
TrainingResult train(const TrainingJob& job, const std::optional<TrainingState>& resume,
                     const TrainingHooks& hooks);

}  // namespace sweep::trainer
