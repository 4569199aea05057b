#include "cluster/mpirun.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "cluster/keyboard.hpp"
#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"

namespace sweep::cluster {
namespace {

std::vector<std::string> arguments_of(int ranks, const std::vector<std::string>& command) {
  // quiet: without it a status other than 0 costs the user ten lines of mpirun's own.
  std::vector<std::string> arguments{
      "mpirun", "-np", std::to_string(ranks), "--quiet", "--oversubscribe", "--bind-to", "none"};
  if (::geteuid() == 0) arguments.emplace_back("--allow-run-as-root");
  arguments.insert(arguments.end(), command.begin(), command.end());
  return arguments;
}

/// Runs in the child: `failure` receives the errno of an exec that fails.
[[noreturn]] void become_mpirun(char* const* arguments, const sigset_t& mask, pid_t parent,
                                int input, int failure) {
  ::setpgid(0, 0);  // the terminal's Ctrl-C is for the parent alone
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  ::sigprocmask(SIG_SETMASK, &mask, nullptr);
  // Outside the terminal's group a read from the terminal would stop the process: keys come from
  // the parent.
  ::dup2(input, STDIN_FILENO);
  ::execvp(arguments[0], arguments);
  const int reason = errno;
  (void)!::write(failure, &reason, sizeof reason);
  ::_exit(127);
}

/// A rank that died, or mpirun itself, says nothing: this does. What was killed can go on; what
/// crashed would crash again.
int after_signal(const char* who, int signal) {
  const bool crashed = signal == SIGSEGV || signal == SIGABRT || signal == SIGBUS ||
                       signal == SIGILL || signal == SIGFPE;
  log_error(concat(who, " was killed by signal ", signal, " (", ::strsignal(signal),
                   "), which ended the run; every finished result is kept, the same command goes "
                   "on from here"));
  return static_cast<int>(crashed ? ExitCode::trials_failed : ExitCode::interrupted);
}

int exit_status(int wait_status) {
  if (WIFSIGNALED(wait_status)) return after_signal("mpirun", WTERMSIG(wait_status));
  const int status = WEXITSTATUS(wait_status);
  return status > 128 && status <= 128 + SIGRTMAX ? after_signal("a rank", status - 128) : status;
}

/// Children that `process` has at the moment; none where the kernel doesn't tell.
std::size_t children_of(pid_t process) {
  std::size_t count = 0;
  std::error_code gone;
  for (const auto& thread :
       std::filesystem::directory_iterator(concat("/proc/", process, "/task"), gone)) {
    std::ifstream file(thread.path() / "children");
    count += static_cast<std::size_t>(
        std::distance(std::istream_iterator<pid_t>(file), std::istream_iterator<pid_t>()));
  }
  return count;
}

/// An mpirun that waits for a rank that is gone, which ends it within seconds otherwise.
class StuckMpirun {
 public:
  StuckMpirun(pid_t mpirun, std::size_t ranks, std::chrono::seconds patience)
      : mpirun_(mpirun), ranks_(ranks), patience_(patience) {}

  /// To be called now and then: ends mpirun when a rank has been gone for too long.
  void look() {
    const auto now = Clock::now();
    if (now - last_look_ < std::chrono::milliseconds(500)) return;
    last_look_ = now;
    const std::size_t living = children_of(mpirun_);
    all_were_there_ = all_were_there_ || living >= ranks_;
    if (!all_were_there_ || living >= ranks_) {
      whole_ = now;
    } else if (now - whole_ > patience_) {
      log_error(concat("a rank has been gone for ", patience_.count(),
                       " s, and mpirun waits for it; it is killed"));
      ::kill(mpirun_, SIGKILL);
      whole_ = now;
    }
  }

 private:
  using Clock = std::chrono::steady_clock;

  pid_t mpirun_;
  std::size_t ranks_;
  std::chrono::seconds patience_;
  bool all_were_there_ = false;
  Clock::time_point last_look_ = Clock::now(), whole_ = Clock::now();
};

/// Waits for the end of `child`, and hands on what arrives for it: the signals of `watched`, and
/// keys, which mpirun gives to rank 0.
int wait_and_forward(pid_t child, StuckMpirun stuck, const sigset_t& watched, int keys) {
  std::optional<Keyboard> keyboard;
  if (::isatty(STDIN_FILENO) != 0) keyboard.emplace();
  bool asked = false;
  for (;;) {
    int status = 0;
    if (::waitpid(child, &status, WNOHANG) == child) return exit_status(status);
    stuck.look();
    const timespec pause{0, 100'000'000};
    const int signal = ::sigtimedwait(&watched, nullptr, &pause);
    while (const auto key = keyboard ? keyboard->next() : std::nullopt)
      (void)!::write(keys, &*key, 1);
    if (signal < 0 || signal == SIGCHLD) continue;
    ::kill(child, asked ? SIGTERM : SIGUSR1);
    asked = true;
  }
}

}  // namespace

int run_mpirun(int ranks, const std::vector<std::string>& command, std::chrono::seconds patience) {
  // Containers forbid the system call that copies between processes; without it MPI only warns and
  // copes.
  ::setenv("OMPI_MCA_btl_vader_single_copy_mechanism", "none", 0);
  std::vector<std::string> arguments = arguments_of(ranks, command);
  std::vector<char*> pointers;
  for (auto& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0)
    throw Error(FailureType::internal, concat("cannot make a pipe (", std::strerror(errno), ")"));
  const FileDescriptor from_child(pipe[0]);
  FileDescriptor to_parent(pipe[1]);
  if (::pipe2(pipe, O_CLOEXEC | O_NONBLOCK) != 0)
    throw Error(FailureType::internal, concat("cannot make a pipe (", std::strerror(errno), ")"));
  const FileDescriptor input(pipe[0]), keys(pipe[1]);

  sigset_t watched, before;
  sigemptyset(&watched);
  for (const int signal : {SIGCHLD, SIGINT, SIGTERM, SIGUSR1, SIGUSR2}) sigaddset(&watched, signal);
  ::sigprocmask(SIG_BLOCK, &watched, &before);
  const pid_t parent = ::getpid(), child = ::fork();
  if (child == 0) become_mpirun(pointers.data(), before, parent, input.get(), to_parent.get());
  if (child < 0)
    throw Error(FailureType::internal, concat("cannot start mpirun (", std::strerror(errno), ")"));
  to_parent = FileDescriptor();
  int reason = 0;
  const bool failed = ::read(from_child.get(), &reason, sizeof reason) > 0;
  const int status = wait_and_forward(
      child, StuckMpirun(child, static_cast<std::size_t>(ranks), patience), watched, keys.get());
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  if (failed)
    throw InputError(concat("cannot start mpirun (", std::strerror(reason),
                            "; --np needs it); install Open MPI (Debian, Ubuntu: apt-get install "
                            "openmpi-bin) or leave --np out to run in one process"));
  return status;
}

}  // namespace sweep::cluster
