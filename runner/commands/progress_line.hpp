#pragma once

#include <chrono>
#include <string>

#include "runner/upkeep/artifact_check.hpp"

namespace sweep::commands {

/// Tells on standard error how far a long check has come: on a terminal one line that is written
/// over and cleared at the end, elsewhere a line every ten seconds.
class ProgressLine {
 public:
  explicit ProgressLine(std::string doing);
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine();
  void show(const upkeep::Progress& progress);

 private:
  std::string doing_;  ///< "checking"
  bool terminal_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point last_;
};

}  // namespace sweep::commands
