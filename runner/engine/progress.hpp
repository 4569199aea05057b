#pragma once

#include <iosfwd>
#include <memory>
#include <string>

#include "runner/engine/run_view.hpp"

namespace sweep::engine {

/// What the user may ask for while a run is shown.
enum class Request { drain, stop };

/// What the user sees of a run.
class Progress {
 public:
  virtual ~Progress() = default;
  virtual void note(const std::string& text) = 0;
  /// The rank's task has ended; `event` is the line to be kept: "done", "failed: ...".
  virtual void ended(const RankView& rank, const std::string& event, const RunView& view) = 0;
  /// Called often.
  virtual void tick(const RunView& view) = 0;
  /// A key that was pressed.
  virtual std::optional<Request> request() { return std::nullopt; }
  /// Takes away what is drawn in place.
  virtual void close() {}
};

/// One line per event, and every now and then what is running.
std::unique_ptr<Progress> make_plain_view(std::ostream& out);
/// A block that is drawn anew in place, one line for each busy rank. Takes keys where standard
/// input is a terminal, or `keys` says that the terminal's keys arrive there.
std::unique_ptr<Progress> make_live_view(std::ostream& out, bool keys);
/// One JSON object per line: "note", "ended", and "status" once a second (docs/run_folder.md).
std::unique_ptr<Progress> make_json_view(std::ostream& out);

}  // namespace sweep::engine
