#include "runner/inspect/logs.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <tuple>

#include "core/error.hpp"
#include "core/text.hpp"
#include "core/text_table.hpp"

namespace sweep::inspect {
namespace {

constexpr std::size_t kBlock = 65536;

/// Running, failed and other attempts, in this order of interest from the last.
int interest(const RunView& run, const LogName& log) {
  const auto& outcome = run.history().task(log.task).attempts[log.attempt].outcome;
  if (outcome == "running") return run.active() ? 2 : 1;
  return outcome == "failed" && run.tasks()[log.task].state == State::failed ? 1 : 0;
}

void check_kind(const RunView& run, std::size_t trial, const std::string& kind) {
  if (kind.empty()) return;
  std::set<std::string> kinds;
  for (const auto task : run.trials()[trial].own)
    kinds.emplace(storage::to_string(run.plan().tasks[task].output.kind));
  if (!kinds.contains(kind))
    throw InputError(concat("--task ", kind, ": the trial has no such task",
                            suggestion(kind, std::vector(kinds.begin(), kinds.end()))));
}

std::string heading(const RunView& run, const LogName& log, const std::string& name) {
  const Attempt& attempt = run.history().task(log.task).attempts[log.attempt];
  return printable(concat("==> ", clipped(run.plan().tasks[log.task].label, 80), ", attempt ",
                          attempt.number, ", ", attempt.outcome, ": ",
                          (run.folder().logs() / name).string(), " <==")) +
         "\n";
}

/// Bytes of the letter that begins with `first`; 0 for a byte that begins none.
std::size_t letter_bytes(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first < 0xE0) return 2;
  if (first >= 0xE0 && first < 0xF0) return 3;
  return first >= 0xF0 && first < 0xF5 ? 4 : 0;
}

bool continues(const std::string& text, std::size_t from, std::size_t to) {
  return std::all_of(text.begin() + static_cast<std::ptrdiff_t>(from),
                     text.begin() + static_cast<std::ptrdiff_t>(to),
                     [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; });
}

}  // namespace

std::vector<LogName> logs_of(const RunView& run, std::size_t trial, const LogRequest& request) {
  check_kind(run, trial, request.kind);
  using Key = std::tuple<int, std::int64_t, std::size_t, std::size_t>;
  std::vector<std::pair<Key, LogName>> found;
  for (const auto task : run.trials()[trial].own) {
    if (!request.kind.empty() &&
        storage::to_string(run.plan().tasks[task].output.kind) != request.kind)
      continue;
    const auto& attempts = run.history().task(task).attempts;
    for (std::size_t i = 0; i < attempts.size(); ++i) {
      if (request.attempt > 0 && attempts[i].number != request.attempt) continue;
      const LogName log{task, i};
      found.push_back({{interest(run, log), attempts[i].started, task, i}, log});
    }
  }
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<LogName> logs;
  for (const auto& [key, log] : found) logs.push_back(log);
  return logs;
}

std::string log_file_name(const RunView& run, const LogName& log) {
  const Attempt& attempt = run.history().task(log.task).attempts[log.attempt];
  if (!attempt.log.empty()) return std::filesystem::path(attempt.log).filename().string();
  const auto& id = run.plan().tasks[log.task].output;
  return concat(storage::to_string(id.kind), "-", id.hash.substr(0, 12), ".", attempt.epoch, ".",
                attempt.number, ".log");
}

LogFile::LogFile(const RunFolder& folder, const std::string& name)
    : place_((folder.logs() / name).string()) {
  const FileDescriptor logs(
      ::open(folder.logs().c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  const bool safe = !name.empty() && name != "." && name != ".." &&
                    name.find('/') == std::string::npos && name.find('\0') == std::string::npos;
  if (logs.get() >= 0 && safe)
    // Not blocking: what has taken the place of a log may be a pipe.
    file_ = FileDescriptor(
        ::openat(logs.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  const int reason = errno;
  struct stat status {};
  const bool there = file_.get() >= 0 && ::fstat(file_.get(), &status) == 0;
  if (there && S_ISREG(status.st_mode)) return;
  const std::string why = !there && reason == ENOENT   ? "it is not there"
                          : !there && reason == EACCES ? "you may not read it"
                                                       : "it is no file of the folder itself";
  throw InputError(concat("there is no log '", printable(place_), "' (", why,
                          "); the folder logs of the run has those that were kept"));
}

void LogFile::skip_to_last(std::size_t lines) {
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) throw storage_error("read", place_, errno);
  auto begin = static_cast<std::uint64_t>(status.st_size);
  std::string block(kBlock, '\0');
  std::size_t breaks = 0;
  bool at_end = true;  // the break behind the last line ends it and begins none
  while (begin > 0) {
    const std::uint64_t size = std::min<std::uint64_t>(kBlock, begin);
    const ssize_t count =
        ::pread(file_.get(), block.data(), size, static_cast<off_t>(begin - size));
    if (count != static_cast<ssize_t>(size)) throw storage_error("read", place_, errno);
    for (std::uint64_t i = size; i-- > 0; at_end = false) {
      if (block[i] != '\n' || at_end) continue;
      if (++breaks < lines) continue;
      offset_ = begin - size + i + 1;
      return;
    }
    begin -= size;
  }
  offset_ = 0;
}

std::string LogFile::read() {
  std::string block(kBlock, '\0');
  ssize_t count = 0;
  do count = ::pread(file_.get(), block.data(), block.size(), static_cast<off_t>(offset_));
  while (count < 0 && errno == EINTR);
  if (count < 0) throw storage_error("read", place_, errno);
  block.resize(static_cast<std::size_t>(count));
  offset_ += block.size();
  return block;
}

std::string TerminalText::add(std::string_view piece) {
  const std::string text = held_.append(piece);
  held_.clear();
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::size_t size = letter_bytes(byte);
    if (size > 1 && i + size > text.size() && continues(text, i + 1, text.size())) {
      held_ = text.substr(i);
      return result;
    }
    const bool was_return = after_return_;
    after_return_ = byte == '\r';
    if (byte == '\r' || (byte == '\n' && !was_return)) {
      result += '\n';
    } else if (byte == '\t' || (byte >= 0x20 && byte < 0x7F)) {
      result += text[i];
    } else if (size == 1 && byte != '\n') {
      result += '^';
      result += static_cast<char>(byte ^ 0x40);
    } else if (size == 0 || (size > 1 && !continues(text, i + 1, i + size))) {
      result += '?';
      ++i;
      continue;
    } else if (byte == 0xC2 && static_cast<unsigned char>(text[i + 1]) < 0xA0) {
      result += '?';  // U+0080 to U+009F steer terminals too
    } else if (size > 1) {
      result += text.substr(i, size);
    }
    i += size;
  }
  return result;
}

void LogPrinter::open(const LogName& log) {
  const std::string name = log_file_name(run_, log);
  file_.emplace(run_.folder(), name);
  print_(heading(run_, log, name));
  if (request_.lines) file_->skip_to_last(*request_.lines);
  text_ = {};
}

void LogPrinter::drain() {
  for (std::string piece; file_ && !(piece = file_->read()).empty();) print_(text_.add(piece));
}

void LogPrinter::print() {
  const auto logs = logs_of(run_, trial_, request_);
  const Trial& trial = run_.plan().trials[trial_];
  if (logs.empty())
    throw InputError(concat("trial ", trial.id, " has no log",
                            request_.kind.empty() ? "" : " of a task " + request_.kind,
                            request_.attempt > 0 ? concat(" of attempt ", request_.attempt) : "",
                            " (none of its tasks has been started like that); -f waits for it"));
  open(logs.back());
  drain();
}

bool LogPrinter::has_ended() const {
  const State state = run_.trials()[trial_].state;
  return !run_.active() || (state != State::waiting && state != State::running);
}

/// The first attempt after those that were seen, in the order of time.
std::optional<LogName> LogPrinter::next_log() const {
  auto logs = logs_of(run_, trial_, request_);
  if (seen_.empty()) return logs.empty() ? std::nullopt : std::optional(logs.back());
  std::sort(logs.begin(), logs.end(), [this](const LogName& a, const LogName& b) {
    const auto key = [this](const LogName& log) {
      return std::tuple(run_.history().task(log.task).attempts[log.attempt].started, log);
    };
    return key(a) < key(b);
  });
  const auto next = std::find_if(logs.begin(), logs.end(),
                                 [this](const LogName& log) { return !seen_.contains(log); });
  return next == logs.end() ? std::nullopt : std::optional(*next);
}

/// False when its file is not there, which an executor may be about to open.
bool LogPrinter::try_open(const LogName& log) {
  try {
    open(log);
  } catch (const InputError&) {
    if (seen_.empty() && has_ended()) throw;
    return false;
  }
  // What has ended before the first log is of no interest.
  if (seen_.empty())
    for (const auto& older : logs_of(run_, trial_, request_)) seen_.insert(older);
  seen_.insert(log);
  shown_ = log;
  return true;
}

void LogPrinter::follow(const std::function<bool()>& pause) {
  for (;;) {
    for (;;) {
      // Asked before the rest is read: what was written before the end is printed.
      const bool runs =
          shown_ && run_.active() &&
          run_.history().task(shown_->task).attempts[shown_->attempt].outcome == "running";
      drain();
      if (runs) break;
      const auto next = next_log();
      if (!next || !try_open(*next)) break;
    }
    if (has_ended()) break;
    if (!pause()) return;
    run_.refresh();
  }
  if (!shown_) print();  // says that there is none
}

}  // namespace sweep::inspect
