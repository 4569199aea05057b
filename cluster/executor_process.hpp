#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/atomic_file.hpp"

namespace sweep::cluster {

/// How a child process ended: "was killed by signal 9 (Killed)", "exited with status 3".
struct ChildExit {
  int wait_status = 0;
  std::string text() const;
};

struct ChildOptions {
  std::filesystem::path program;
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment;  ///< set on top of the parent's
  std::filesystem::path log;  ///< receives standard output and error, appended
  std::vector<int> cores;     ///< that it runs on; empty: those of the parent
};

/// A child process that talks with its parent in lines over a socket (file descriptor 3 there).
/// It gets a process group of its own, dies with its parent, and inherits neither signals' masks,
/// open files nor the launcher's environment (MPI in a child would join the parent's job).
class ExecutorProcess {
 public:
  static constexpr int kChildSocket = 3;

  /// A program that can't be run says so in the log and exits with status 127.
  /// The child dies with the calling thread: call it from one that lasts.
  /// @throws Error{crash} when no process can be made, Error{storage} when the log can't be opened.
  explicit ExecutorProcess(const ChildOptions& options);
  ExecutorProcess(const ExecutorProcess&) = delete;
  ExecutorProcess& operator=(const ExecutorProcess&) = delete;
  /// Kills the whole process group and waits for the child.
  ~ExecutorProcess();

  pid_t pid() const { return pid_; }
  /// Readable when there is something to receive.
  int descriptor() const { return socket_.get(); }
  /// Writes a line; a dead child is noticed by poll_exit, not here.
  void send(const std::string& line);
  /// Whole lines that have arrived.
  std::vector<std::string> receive();
  /// How the child ended, once it has and receive() has taken all it said. What is left of its
  /// process group is killed.
  std::optional<ChildExit> poll_exit();
  void kill();
  /// Seconds since the child last said something (or started).
  double silence_s() const;

 private:
  pid_t pid_ = -1;
  bool reaped_ = false;
  FileDescriptor socket_;
  std::string received_;
  std::chrono::steady_clock::time_point last_heard_;
};

}  // namespace sweep::cluster
