#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "core/json.hpp"
#include "core/text.hpp"
#include "storage/journal.hpp"
#include "tests/support/temporary_folder.hpp"

namespace sweep::test_support {

struct Outcome {
  int status = -1;     ///< exit status, or 128 + signal
  std::string output;  ///< standard output and error
};

/// Runs a shell command to its end.
inline Outcome run_shell(const std::string& command) {
  Outcome outcome;
  FILE* pipe = ::popen(("( " + command + " ) 2>&1").c_str(), "r");
  std::array<char, 4096> buffer{};
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe))
    outcome.output.append(buffer.data(), n);
  const int status = ::pclose(pipe);
  outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return outcome;
}

/// A command that runs while the test goes on.
class Background {
 public:
  explicit Background(const std::string& command) : pid_(::fork()) {
    if (pid_ == 0) {
      ::setpgid(0, 0);
      ::execl("/bin/sh", "sh", "-c", ("exec " + command).c_str(), static_cast<char*>(nullptr));
      ::_exit(127);
    }
  }
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
  ~Background() {
    ::kill(-pid_, SIGKILL);
    if (!ended_) ::waitpid(pid_, nullptr, 0);
  }
  pid_t pid() const { return pid_; }
  void signal(int number) const { ::kill(pid_, number); }
  /// Waits for the end: exit status, or 128 + signal.
  int wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    ended_ = true;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_;
  bool ended_ = false;
};

/// Polls until `condition` holds; false after `seconds`.
inline bool wait_until(const std::function<bool()>& condition, double seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

inline const std::filesystem::path& binaries() {
  static const std::filesystem::path folder = SWEEP_BINARIES;
  return folder;
}

inline const std::filesystem::path& sources() {
  static const std::filesystem::path folder = SWEEP_SOURCES;
  return folder;
}

/// The quickstart in seconds: everything that it does, on fewer and smaller images.
inline std::string shrunk_quickstart(const std::filesystem::path& out, int ranks,
                                     const std::string& more = "") {
  return concat(
      (binaries() / "sweep_runner").string(), ranks > 0 ? concat(" --np ", ranks) : "", " ",
      (sources() / "sweeps/quick/table1.toml").string(), " --out ", out.string(),
      " --set dataset.image_size=32 --set dataset.train_per_class=8 --set dataset.test_per_class=4"
      " --set training.epochs=2 --set attacks.cw.iterations=3 --set "
      "attacks.cw.binary_search_steps=2"
      " --set run.threads=1 --set run.shard_size=8 ",
      more);
}

/// For runs that are to be disturbed. A checkpoint is as large as a model: it is written often only
/// where it is needed.
inline constexpr char kCheckpointOften[] = " --set run.checkpoint_seconds=0.2 ";

inline std::vector<Json> journal_of(const std::filesystem::path& out,
                                    const std::string& sweep = "quick_table1") {
  return storage::read_journal(out / "runs" / sweep / "journal.jsonl");
}

inline std::vector<Json> events(const std::vector<Json>& journal, const std::string& kind) {
  std::vector<Json> found;
  for (const auto& event : journal)
    if (event.at("event") == kind) found.push_back(event);
  return found;
}

}  // namespace sweep::test_support
