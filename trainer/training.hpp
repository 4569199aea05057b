#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/json.hpp"
#include "trainer/metrics.hpp"
#include "trainer/tensors.hpp"
#include "trainer/training_options.hpp"

namespace sweep::trainer {

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

/// All are called between two steps, on the calling thread. Empty ones are skipped; what they throw
/// ends the training and comes out of train().
struct TrainingHooks {
  std::function<void(const StepReport&)> on_progress;
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

/// Trains from scratch, from a weight file, or from `resume` on. The order of the images is a
/// permutation per epoch, the last batch is smaller; a last batch of one image, which batch
/// normalisation can't use, goes with the batch before it.
/// @throws Error{not_finite} naming epoch and step, Error{bad_data} when images and labels or
/// `resume` do
///         not fit, InputError for unknown names and for
///         weights that are not the model's.
TrainingResult train(const TrainingJob& job, const std::optional<TrainingState>& resume,
                     const TrainingHooks& hooks);

}  // namespace sweep::trainer
