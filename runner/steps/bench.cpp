#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <iomanip>
#include <iostream>
#include <map>
#include <sstream>

#include "attacks/attack.hpp"
#include "attacks/goal.hpp"
#include "core/text.hpp"
#include "runner/steps/network.hpp"
#include "runner/steps/output.hpp"
#include "runner/steps/settings.hpp"
#include "runner/steps/steps.hpp"
#include "trainer/defences/defence.hpp"
#include "trainer/device.hpp"
#include "trainer/inference.hpp"
#include "trainer/models/folding.hpp"
#include "trainer/models/model.hpp"
#include "trainer/module_state.hpp"
#include "trainer/precision.hpp"
#include "trainer/training.hpp"

namespace sweep::steps {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kClasses = 4;

// Table 1 on SKIN4 (sweeps/table1.toml): 1113 MEL, 1500 NV, 514 BCC and 1099 BKL, a sixth of them
// for testing.
constexpr double kTrainImages = 3522, kTestImages = 704, kEpochs = 80;
constexpr double kUndefended = 2, kDefended = 7;  // models; NA and the control are undefended
// Gradient steps on each test image: FGSM and IFGSM10 at two epsilons, and IFGSM10 on every model
// itself.
constexpr double kIfgsmSteps = 2 * 1 + 2 * 10 + (kUndefended + kDefended) * 10;
constexpr double kCwSteps = 5 * 1000;  // at most: images leave the computation early

/// Steps of equal work: how long one takes. The first ones warm up and don't count.
class Pace {
 public:
  explicit Pace(double seconds) : seconds_(seconds) {}

  void step() {
    const auto now = Clock::now();
    if (steps_++ > 0) durations_.push_back(std::chrono::duration<double>(now - last_).count());
    last_ = now;
  }
  /// Time is up, and there is something to say.
  bool enough() const {
    return durations_.size() >= 2 &&
           std::chrono::duration<double>(Clock::now() - start_).count() >= seconds_;
  }
  double median() const {
    auto sorted = durations_;
    const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
    std::nth_element(sorted.begin(), middle, sorted.end());
    return *middle;
  }

 private:
  double seconds_;
  Clock::time_point start_ = Clock::now(), last_{};
  int steps_ = 0;
  std::vector<double> durations_;
};

struct Enough {};  // thrown out of an attack

struct Subject {
  const BenchRequest& request;
  at::Device device;
  std::int64_t batch;
  at::Tensor images, labels;  ///< bytes [2 batch,3,H,W] and [2 batch], on the CPU
};

/// Clean images per second.
double training_speed(const Subject& subject, const std::string& precision, double lambda_n,
                      double lambda_a) {
  const auto& models = trainer::ModelRegistry::instance();
  const Schema& schema = chosen(models, "--arch", subject.request.arch).schema;
  trainer::TrainingJob job{
      .model = subject.request.arch,
      .defence = lambda_n + lambda_a > 0 ? "denoising" : "none",
      .model_options = resolve_settings(schema, {}, "model", "--arch"),
      .defence_options = Json::object(),
      .options = {.epochs = 1000000, .batch_size = subject.batch, .precision = precision},
      .num_classes = kClasses,
      .images = subject.images,
      .labels = subject.labels};
  if (job.defence != "none")
    job.defence_options = {{"lambda_n", lambda_n}, {"lambda_a", lambda_a}, {"sigma", 8.0 / 255}};
  job.options.learning_rate = 1e-6;  // noise has nothing to teach
  job.device = subject.device;
  Pace pace(subject.request.seconds);
  trainer::TrainingHooks hooks;
  hooks.on_progress = [&](const trainer::StepReport&) { pace.step(); };
  hooks.stop_requested = [&] { return pace.enough(); };
  trainer::train(job, {}, hooks);
  return static_cast<double>(subject.batch) / pace.median();
}

/// Images times gradient steps per second.
double attack_speed(const Subject& subject, const std::shared_ptr<trainer::Classifier>& classifier,
                    const std::string& precision, const std::string& method, const Json& options) {
  const Precision format = trainer::precision_on(subject.device, precision);
  const trainer::Tf32 tf32(format);
  const auto attack = attacks::AttackRegistry::instance().at(method).make(options);
  const auto images =
      trainer::to_model_input(subject.images.narrow(0, 0, subject.batch), subject.device);
  const auto labels = subject.labels.narrow(0, 0, subject.batch).to(subject.device);
  Pace pace(subject.request.seconds);
  try {
    attack->perturb(trainer::logits_of(classifier, format), images, attacks::Goal(labels),
                    [&](double) {
                      pace.step();
                      if (pace.enough()) throw Enough{};
                    });
  } catch (const Enough&) {
  }
  return static_cast<double>(subject.batch) / pace.median();
}

std::shared_ptr<trainer::Classifier> classifier_for(const Subject& subject) {
  const auto& models = trainer::ModelRegistry::instance();
  const auto& entry = chosen(models, "--arch", subject.request.arch);
  const Json options = resolve_settings(entry.schema, {}, "model", "--arch");
  const auto fresh = entry.make(options, kClasses);
  fresh->initialize(1);
  auto classifier = trainer::load_classifier(subject.request.arch, options, kClasses,
                                             trainer::state_of(fresh->module()), subject.device);
  trainer::fold_batch_norm(classifier->module());
  return classifier;
}

constexpr std::array<const char*, 4> kMeasured{"cross-entropy", "full_loss", "ifgsm", "cw"};

/// @param part  of the whole that this is, behind `done`
Json measure(const Subject& subject, const std::string& precision, Progress& progress, double done,
             double part) {
  const auto classifier = classifier_for(subject);
  const auto cross_entropy = [&] { return training_speed(subject, precision, 0, 0); };
  const auto full_loss = [&] { return training_speed(subject, precision, 1, 10); };
  const auto ifgsm = [&] {
    return attack_speed(subject, classifier, precision, "ifgsm",
                        {{"epsilon", 8.0 / 255}, {"alpha", 1e-6}, {"steps", 100000}});
  };
  // The confidence keeps every image in the computation, which is its slowest case.
  const auto cw = [&] {
    return attack_speed(subject, classifier, precision, "cw",
                        {{"binary_search_steps", 1},
                         {"iterations", 100000},
                         {"learning_rate", 0.01},
                         {"initial_const", 0.01},
                         {"confidence", 1e6},
                         {"abort_early", false}});
  };
  const std::array<std::function<double()>, 4> measurements{cross_entropy, full_loss, ifgsm, cw};
  Json speeds;
  for (std::size_t i = 0; i < measurements.size(); ++i) {
    progress.report(done + part * static_cast<double>(i) / kMeasured.size(),
                    concat(kMeasured[i], " in ", precision));
    speeds[kMeasured[i]] = measurements[i]();
  }
  return speeds;
}

/// Seconds that Table 1 takes at these speeds, on this device alone.
double table1_seconds(const Json& speeds) {
  const double clean = kEpochs * kTrainImages;
  return kUndefended * clean / speeds.at("cross-entropy").get<double>() +
         kDefended * clean / speeds.at("full_loss").get<double>() +
         kTestImages * kIfgsmSteps / speeds.at("ifgsm").get<double>() +
         kTestImages * kCwSteps / speeds.at("cw").get<double>();
}

void print_benchmark(const Json& results) {
  const std::map<std::string, std::string> texts{
      {"cross-entropy", "training, cross-entropy (images/s)"},
      {"full_loss", "training, L_n 1 + L_a 10 (images/s)"},
      {"ifgsm", "I-FGSM (images x steps/s)"},
      {"cw", "C&W (images x steps/s)"}};
  std::ostringstream text;
  text << results.at("device").get<std::string>() << ", " << results.at("threads") << " threads; "
       << results.at("arch").get<std::string>() << ", " << results.at("image_size") << " px, batch "
       << results.at("batch") << "\n"
       << std::left << std::setw(38) << "";
  const Json& all = results.at("precisions");
  for (const auto& [precision, speeds] : all.items())
    text << std::right << std::setw(10) << precision;
  for (const char* name : kMeasured) {
    text << "\n" << std::left << std::setw(38) << texts.at(name);
    for (const auto& [precision, speeds] : all.items())
      text << std::right << std::setw(10) << fixed(speeds.at(name).get<double>(), 1);
  }
  text << "\n" << std::left << std::setw(38) << "Table 1 at this size, at most (hours)";
  for (const auto& [precision, speeds] : all.items())
    text << std::right << std::setw(10)
         << fixed(speeds.at("table1_seconds").get<double>() / 3600, 1);
  std::cout << text.str() << "\n";
}

}  // namespace

ExitCode bench(const BenchRequest& request) {
  chosen(trainer::ModelRegistry::instance(), "--arch", request.arch);
  const int threads = threads_of(request.computing);
  trainer::configure_torch(threads);
  const at::Device device = trainer::select_device(request.computing.device);
  const std::int64_t batch = request.batch > 0 ? request.batch : device.is_cpu() ? 16 : 64;
  const std::int64_t size = request.image_size;
  at::manual_seed(0);
  const Subject subject{request, device, batch,
                        at::randint(0, 256, {2 * batch, 3, size, size}, at::kByte),
                        at::arange(2 * batch, at::kLong).remainder(kClasses)};
  Json results{{"device", trainer::device_name(device)},
               {"threads", threads},
               {"arch", request.arch},
               {"image_size", size},
               {"batch", batch}};
  {
    Progress progress("bench");
    auto precisions = precision_names();
    if (!device.is_cuda()) std::erase(precisions, "tf32");
    const double part = 1.0 / static_cast<double>(precisions.size());
    double done = 0;
    for (const auto& precision : precisions) {
      Json speeds = measure(subject, precision, progress, done, part);
      speeds["table1_seconds"] = table1_seconds(speeds);
      results["precisions"][precision] = speeds;
      done += part;
    }
  }
  if (request.json) {
    std::cout << results.dump(2) << "\n";
  } else {
    print_benchmark(results);
  }
  return ExitCode::ok;
}

}  // namespace sweep::steps
