#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "runner/steps/steps.hpp"
#include "storage/array.hpp"

namespace sweep::steps {

/// Before any work: that `out` can be written, and that nothing of `inputs` would be lost by it.
/// @throws InputError
void check_output(const std::filesystem::path& out,
                  const std::vector<std::filesystem::path>& inputs);

/// Attributes that say how a file came about: model, its weights' checksum, versions, device.
Json provenance(const ModelSource& model, const Computing& computing);

/// How far a step is, on standard error while that is a terminal.
class Progress {
 public:
  explicit Progress(std::string what);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// @param fraction  that is done, in [0,1]
  void report(double fraction, const std::string& text = "");

 private:
  using Clock = std::chrono::steady_clock;

  std::string what_;
  bool shown_;
  Clock::time_point start_ = Clock::now(), last_{};
};

}  // namespace sweep::steps
