#include "trainer/training.hpp"

#include <ATen/ATen.h>
#include <torch/nn/module.h>

#include <chrono>
#include <cmath>
#include <memory>
#include <utility>

#include "attacks/recorded_function.hpp"
#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "trainer/batches.hpp"
#include "trainer/defences/defence.hpp"
#include "trainer/models/dropout.hpp"
#include "trainer/models/model.hpp"
#include "trainer/module_state.hpp"
#include "trainer/named_tensors.hpp"
#include "trainer/optimizer.hpp"
#include "trainer/parallel/team.hpp"
#include "trainer/precision.hpp"
#include "trainer/weights/start.hpp"

namespace sweep::trainer {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// What a step leaves behind of a batch, in float64 on the host.
struct StepValues {
  double loss, classification, feature, reconstruction;
  double accuracy;
};

/// Of the whole batch, from a share of it. One transfer from the device for all values.
StepValues read_values(const LossTerms& terms, const Batch& batch, Team& team) {
  const auto scalar = [&](const at::Tensor& term) {
    return term.defined() ? term.detach().to(at::kDouble)
                          : at::zeros({}, terms.total.options().dtype(at::kDouble));
  };
  at::Tensor accuracy;
  if (terms.clean_logits.defined())
    accuracy = terms.clean_logits.argmax(1).eq(batch.labels).to(at::kDouble).mean();
  const auto values =
      at::stack({scalar(terms.total), scalar(terms.classification), scalar(terms.feature),
                 scalar(terms.reconstruction), scalar(accuracy)});
  const auto means = team.mean(values, batch.share);
  const double* value = means.const_data_ptr<double>();
  return {value[0], value[1], value[2], value[3], value[4]};
}

/// A training under way.
class Session {
 public:
  Session(Learner& learner, Batches& batches, const TrainingOptions& options,
          const at::Device& device, const TrainingHooks& hooks, const Parallel& parallel)
      : learner_(learner),
        batches_(batches),
        options_(options),
        hooks_(hooks),
        device_(device),
        precision_(precision_on(device, options.precision)),
        parameters_(prepare_parameters(device)),
        optimizer_(make_optimizer(options, parameters_)),
        team_(parallel, device),
        recorded_step_([this](const Tensors& inputs) { return recordable_step(inputs); }) {}

  void resume(const TrainingState& state, const std::string& what) {
    copy_state(state.tensors, tensors(), concat("this training of ", what));
    progress_ = state.progress;
  }

  TrainingResult run() {
    const Tf32 tf32(precision_);
    join_team();
    auto saved_at = Clock::now();
    while (progress_.epoch < options_.epochs) {
      step();
      if (progress_.epoch == options_.epochs) break;
      const bool stop = team_.any(hooks_.stop_requested && hooks_.stop_requested());
      if (hooks_.save && (stop || seconds_since(saved_at) >= hooks_.checkpoint_seconds)) {
        hooks_.save({progress_, copied_to_cpu(tensors())});
        saved_at = Clock::now();
      }
      if (stop) return {.finished = false, .history = progress_.history};
    }
    tell_traffic();
    return {true, copied_to_cpu(state_of(*learner_.modules().front().second)), progress_.history};
  }

 private:
  using Tensors = attacks::RecordedFunction::Tensors;

  /// Fresh parameters on the device, in training mode; those that have gradients.
  NamedTensors prepare_parameters(const at::Device& device) {
    learner_.initialize(options_.seed);
    NamedTensors parameters;
    for (const auto& [prefix, module] : learner_.modules()) {
      place(*module, device);
      module->train();
      for (const auto& item : module->named_parameters())
        parameters.emplace(prefix + item.key(), item.value());
    }
    return parameters;
  }

  void join_team() {
    std::vector<torch::nn::Module*> modules;
    for (const auto& [prefix, module] : learner_.modules()) modules.push_back(module);
    team_.join(modules);
    team_.share(tensors(), progress_.epoch * batches_.steps() + progress_.step);
  }

  void tell_traffic() const {
    const std::int64_t bytes = team_.bytes();
    if (bytes == 0) return;
    const auto part = static_cast<double>(team_.overlapped_bytes()) / static_cast<double>(bytes);
    log_info(concat("gave ", bytes, " bytes of gradients to be added up with ", team_.size() - 1,
                    " others, ", fixed(100 * part, 1), " % of them during the backward pass"));
  }

  /// Everything that a checkpoint has to hold: the live tensors.
  NamedTensors tensors() {
    auto all = optimizer_->state();
    for (const auto& [prefix, module] : learner_.modules())
      all.merge(with_prefix(state_of(*module), prefix));
    return all;
  }

  void step() {
    const auto start = Clock::now();
    const auto [epoch, step] = std::pair(progress_.epoch, progress_.step);
    const double rate = learning_rate_at(options_, epoch);
    const auto batch = batches_.at(epoch, step, team_.rank(), team_.size());
    team_.begin(batch.share);
    const Seed noise = derive_seed(options_.seed, "noise", epoch, step);
    const auto terms =
        can_be_recorded() ? replay_or_record(batch, noise) : forward_and_backward(batch, noise);
    optimizer_->step(rate);
    // Read last, so that a GPU has all of the step queued before the host waits for it.
    const auto values = read_values(terms, batch, team_);
    require_finite(values);
    account(values, batch.share.total, seconds_since(start));
    if (++progress_.step == batches_.steps()) finish_epoch(rate);
    report(step + 1);
  }

  LossTerms forward_and_backward(const Batch& batch, const Seed& seed) {
    const auto terms = [&] {
      const Autocast precision(precision_, device_);
      const DropoutOfStep dropout(seed, batch.share);
      return learner_.loss(batch, seed);
    }();
    team_.backward(terms.total, batch.share);
    return terms;
  }

  /// Not where others take part, whom the host has to speak with.
  bool can_be_recorded() const { return team_.size() == 1 && learner_.is_recordable(); }

  LossTerms replay_or_record(const Batch& batch, const Seed& seed) {
    Tensors inputs{batch.images, batch.labels, seed.halves(device_)};
    if (batch.adversarial.defined()) inputs.push_back(batch.adversarial);
    const auto outputs = recorded_step_(inputs);
    auto gradient = outputs.begin() + kTerms;
    for (auto& [name, parameter] : parameters_) parameter.mutable_grad() = *gradient++;
    return {outputs[0], outputs[1], outputs[2], outputs[3], outputs[4]};
  }

  /// From images, labels, halves of the seed and, with them, adversarial images: the terms of the
  /// loss, then the gradients of the parameters. Gradients are given away, so that the next
  /// backward pass makes them anew.
  Tensors recordable_step(const Tensors& inputs) {
    // A recording that was broken off may have left some behind.
    for (auto& [name, parameter] : parameters_) parameter.mutable_grad().reset();
    Batch batch = whole_batch(inputs[0], inputs[1]);
    if (inputs.size() > 3) batch.adversarial = inputs[3];
    const auto terms = forward_and_backward(batch, Seed(inputs[2]));
    Tensors outputs;
    for (const auto& term : {terms.total, terms.classification, terms.feature, terms.reconstruction,
                             terms.clean_logits})
      outputs.push_back(term.defined() ? term.detach() : term);
    for (auto& [name, parameter] : parameters_)
      outputs.push_back(std::exchange(parameter.mutable_grad(), {}));
    return outputs;
  }
  static constexpr int kTerms = 5;

  /// The terms of the loss that are not finite.
  static std::string culprits(const StepValues& values) {
    std::vector<std::string> names;
    for (const auto& [name, value] :
         {std::pair("L_c", values.classification), std::pair("L_n", values.feature),
          std::pair("L_a", values.reconstruction)})
      if (!std::isfinite(value)) names.emplace_back(name);
    return names.empty() ? "its terms are finite, their weighted sum is not"
                         : concat("not finite: ", join(names, ", "));
  }

  void require_finite(const StepValues& values) const {
    if (std::isfinite(values.loss)) return;
    const char* what = std::isnan(values.loss) ? "nan" : "infinite";
    throw Error(FailureType::not_finite,
                concat("loss became ", what, " in epoch ", progress_.epoch + 1, " step ",
                       progress_.step + 1, " (", culprits(values),
                       "); lower learning_rate or the defence's weights"));
  }

  void account(const StepValues& values, std::int64_t images, double seconds) {
    auto& totals = progress_.running;
    const auto weight = static_cast<double>(images);
    totals.images += images;
    totals.correct += std::llround(weight * values.accuracy);
    totals.loss += weight * values.loss;
    totals.classification += weight * values.classification;
    totals.feature += weight * values.feature;
    totals.reconstruction += weight * values.reconstruction;
    totals.seconds += seconds;
    last_ = totals.metrics(0);
  }

  void finish_epoch(double rate) {
    progress_.history.push_back(progress_.running.metrics(rate));
    progress_.running = {};
    progress_.step = 0;
    ++progress_.epoch;
    if (hooks_.on_epoch)
      hooks_.on_epoch({.epoch = progress_.epoch,
                       .step = progress_.epoch * batches_.steps(),
                       .metrics = progress_.history.back()});
  }

  /// @param done  steps of the epoch that the last step belongs to
  void report(std::int64_t done) const {
    if (!hooks_.on_progress) return;
    const auto epoch = progress_.step == 0 ? progress_.epoch - 1 : progress_.epoch;
    const auto steps = static_cast<double>(batches_.steps());
    hooks_.on_progress(
        {.fraction = (static_cast<double>(epoch) + static_cast<double>(done) / steps) /
                     static_cast<double>(options_.epochs),
         .epoch = epoch + 1,
         .epochs = options_.epochs,
         .loss = last_.loss,
         .images_per_second = last_.images_per_second});
  }

  Learner& learner_;
  Batches& batches_;
  const TrainingOptions& options_;
  const TrainingHooks& hooks_;
  at::Device device_;
  Precision precision_;
  NamedTensors parameters_;
  std::unique_ptr<Optimizer> optimizer_;
  Team team_;
  attacks::RecordedFunction recorded_step_;
  TrainingProgress progress_;
  EpochMetrics last_;  ///< of the epoch up to the last step
};

/// A classifier and its defence.
class ClassifierLearner final : public Learner {
 public:
  explicit ClassifierLearner(const TrainingJob& job)
      : job_(job),
        classifier_(
            ModelRegistry::instance().at(job.model).make(job.model_options, job.num_classes)),
        defence_(DefenceRegistry::instance()
                     .at(job.defence)
                     .make(job.defence_options, {*classifier_, job.teacher})) {}

  std::vector<std::pair<std::string, torch::nn::Module*>> modules() override {
    std::vector<std::pair<std::string, torch::nn::Module*>> all = {
        {"model.", &classifier_->module()}};
    if (auto* module = defence_->module()) all.emplace_back("defence.", module);
    return all;
  }

  void initialize(std::int64_t seed) override {
    classifier_->initialize(derive_seed(seed, "init"));
    if (!job_.weights.empty()) start_from(job_.weights, classifier_->module(), job_.model);
    defence_->initialize(derive_seed(seed, "init", 1));
  }

  LossTerms loss(const Batch& batch, const Seed& seed) override {
    return defence_->loss(*classifier_, batch, seed);
  }

  bool is_recordable() const override { return defence_->is_recordable(); }

 private:
  const TrainingJob& job_;
  std::unique_ptr<Classifier> classifier_;
  std::unique_ptr<Defence> defence_;
};

}  // namespace

void check_training_set(const at::Tensor& images, const at::Tensor& labels,
                        std::int64_t num_classes) {
  const auto fail = [](const std::string& fault) {
    throw Error(FailureType::bad_data,
                concat("the training set can't be used (", fault,
                       "); make the dataset again, or choose one that fits the model"));
  };
  if (images.dim() != 4 || images.size(1) != 3 || images.scalar_type() != at::kByte)
    fail("images must be bytes of the shape [N,3,H,W]");
  if (labels.scalar_type() != at::kLong || labels.dim() != 1 || labels.size(0) != images.size(0))
    fail("there must be one 64-bit label for every image");
  if (images.size(0) < 2) fail("batch normalisation needs at least two images");
  if (labels.min().item<std::int64_t>() < 0 || labels.max().item<std::int64_t>() >= num_classes)
    fail(concat("labels must be from 0 to ", num_classes - 1));
}

TrainingResult train(Learner& learner, Batches& batches, const TrainingOptions& options,
                     const at::Device& device, const std::string& what,
                     const std::optional<TrainingState>& resume, const TrainingHooks& hooks,
                     const Parallel& parallel) {
  Session session(learner, batches, options, device, hooks, parallel);
  if (resume) session.resume(*resume, what);
  return session.run();
}

TrainingResult train(const TrainingJob& job, const std::optional<TrainingState>& resume,
                     const TrainingHooks& hooks) {
  check_training_set(job.images, job.labels, job.num_classes);
  ClassifierLearner learner(job);
  Batches batches(job.images, job.labels, job.options, job.device);
  return train(learner, batches, job.options, job.device, job.model, resume, hooks, job.parallel);
}

}  // namespace sweep::trainer
