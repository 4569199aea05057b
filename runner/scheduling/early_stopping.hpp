#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sweep::scheduling {

struct EarlyStoppingOptions {
  std::string rule = "none";    ///< none, asha, median
  std::string metric = "loss";  ///< one of stopping_metrics()
  std::int64_t min_epochs = 1;
  std::int64_t reduction = 3;  ///< asha: 1 in so many goes on
  std::int64_t grace = 3;      ///< median: complete trainings that it takes
};

/// The values of an epoch that trainings may be compared by: those of trainer::EpochMetrics that
/// say how well a model does.
const std::vector<std::string>& stopping_metrics();

/// Decides which trainings are worth going on with. Knows neither time nor files: the same reports
/// in the same order, the same decisions.
///
/// asha: asynchronous successive halving in the form that stops, Li et al., "A System for Massively
/// Parallel Hyperparameter Tuning", MLSys 2020. Rungs are at min_epochs * reduction^k epochs. A
/// training goes on past a rung if it is among the best 1/reduction of those that have reached it
/// so far (rounded down, at least one).
///
/// median: Golovin et al., "Google Vizier", KDD 2017. A training stops after an epoch if the best
/// value that it had so far is worse than the median, over complete trainings that had this epoch,
/// of their running averages up to it.
class EarlyStopping {
 public:
  /// @throws Error{internal} for a rule or metric that there is not
  explicit EarlyStopping(EarlyStoppingOptions options);

  /// To be asked after every epoch of every training, epochs in order. Asking again for an epoch (a
  /// training that went on from a checkpoint repeats some) replaces its value.
  /// @param epoch  complete epochs, from 1
  /// @param value  the metric; what is not finite is the worst of all
  bool keep_going(std::size_t training, std::int64_t epoch, double value);

  /// The training has had all of its epochs; nothing is asked about it any more.
  void complete(std::size_t training);

 private:
  bool is_rung(std::int64_t epoch) const;
  bool survives_rung(std::size_t training, std::int64_t epoch) const;
  bool survives_median(std::size_t training, std::int64_t epoch) const;

  EarlyStoppingOptions options_;
  double sign_;  ///< times a value: the lower the better
  /// Per incomplete training: epoch -> value, the lower the better.
  std::map<std::size_t, std::map<std::int64_t, double>> values_;
  std::map<std::int64_t, std::map<std::size_t, double>> rungs_;  ///< epoch -> training -> value
  std::map<std::int64_t, std::vector<double>> averages_;         ///< of complete ones, sorted
};

}  // namespace sweep::scheduling
