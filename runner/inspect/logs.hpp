#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "runner/inspect/run_view.hpp"

namespace sweep::inspect {

/// The log of one attempt at a task.
struct LogName {
  std::size_t task = 0;
  std::size_t attempt = 0;  ///< index in the task's history

  auto operator<=>(const LogName&) const = default;
};

/// Which log of a trial.
struct LogRequest {
  std::string kind;                  ///< of the task: "model", "evaluation", ...; empty: any
  std::int64_t attempt = 0;          ///< number of the attempt; 0: the last one
  std::optional<std::size_t> lines;  ///< from the end; all without it
};

/// The attempts at the trial's own tasks that the request may mean; the one to show comes last:
/// what runs comes after what has failed, and that after the rest, each by time.
/// @throws InputError for a kind that no task of the trial has
std::vector<LogName> logs_of(const RunView& run, std::size_t trial, const LogRequest& request);

/// The name of the attempt's log in the run's folder logs/.
std::string log_file_name(const RunView& run, const LogName& log);

/// A log that may still grow. Only a file of the run's folder logs/ itself is opened, no link:
/// the journal, which names it, is not to be trusted.
class LogFile {
 public:
  /// @throws InputError when there is no such file
  LogFile(const RunFolder& folder, const std::string& name);

  /// From here on only the last `lines` lines.
  void skip_to_last(std::size_t lines);
  /// What is new, up to 64 KiB; empty at the end.
  std::string read();

 private:
  FileDescriptor file_;
  std::string place_;
  std::uint64_t offset_ = 0;
};

/// Makes text of a log safe for a terminal, piece by piece: line breaks and tabs stay, a carriage
/// return becomes a line break, other control characters show as ^X, bytes that are no UTF-8 as
/// '?'.
class TerminalText {
 public:
  std::string add(std::string_view piece);

 private:
  std::string held_;  ///< the begin of a letter that is not whole yet
  bool after_return_ = false;
};

/// Prints the logs of a trial.
class LogPrinter {
 public:
  using Print = std::function<void(const std::string&)>;

  LogPrinter(RunView& run, std::size_t trial, LogRequest request, Print print)
      : run_(run), trial_(trial), request_(std::move(request)), print_(std::move(print)) {}

  /// The log that the request means. @throws InputError when there is none
  void print();

  /// As it grows, and then that of the next attempt, until the trial or the run has ended.
  /// `pause` waits a moment; false: enough.
  void follow(const std::function<bool()>& pause);

 private:
  void open(const LogName& log);
  void drain();
  bool has_ended() const;
  std::optional<LogName> next_log() const;
  bool try_open(const LogName& log);

  RunView& run_;
  std::size_t trial_;
  LogRequest request_;
  Print print_;
  std::optional<LogFile> file_;
  std::optional<LogName> shown_;
  std::set<LogName> seen_;
  TerminalText text_;
};

}  // namespace sweep::inspect
