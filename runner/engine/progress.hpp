#pragma once

#include <chrono>
#include <cstddef>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace sweep::engine {

struct Counts {
  std::size_t total = 0, done = 0, failed = 0, blocked = 0, running = 0;
};

/// What the user sees of a run. On a terminal: a status block that is drawn anew in place, one line
/// per busy rank. Elsewhere: one line per event, and now and then what is running.
class Progress {
 public:
  virtual ~Progress() = default;
  virtual void note(const std::string& text) = 0;
  virtual void started(int rank, const std::string& label) = 0;
  virtual void advanced(int rank, double fraction, const std::string& text) = 0;
  /// The rank is free again; `event` is the line to be kept: "done", "failed: ...".
  virtual void ended(int rank, const std::string& event) = 0;
  /// Called often. `eta_s`: seconds to the end, once that can be estimated.
  virtual void tick(const Counts& counts, std::optional<double> eta_s) = 0;
  /// Takes the status block away.
  virtual void close() = 0;
};

std::unique_ptr<Progress> make_progress(std::ostream& out, bool terminal);

}  // namespace sweep::engine
