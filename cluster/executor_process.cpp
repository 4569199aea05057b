#include "cluster/executor_process.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"

extern char** environ;

namespace sweep::cluster {
namespace {

constexpr std::size_t kLongestLine = std::size_t{16} << 20;
constexpr int kMostBlocks = 16;  // of 64 KiB that are taken in one go

bool of_the_launcher(const std::string& assignment) {
  for (const char* prefix : {"OMPI_", "PMIX_", "PMI_", "ORTE_"})
    if (assignment.rfind(prefix, 0) == 0) return true;
  return false;
}

std::vector<std::string> child_environment(const ChildOptions& options) {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    bool replaced = of_the_launcher(*entry);
    for (const auto& [name, value] : options.environment)
      replaced = replaced || std::string(*entry).rfind(name + "=", 0) == 0;
    if (!replaced) environment.emplace_back(*entry);
  }
  for (const auto& [name, value] : options.environment) environment.push_back(name + "=" + value);
  return environment;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (auto& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

/// Closes all descriptors from `first` on. Kernels before 5.9 can't do it in one call.
void close_from(int first) {
  if (::syscall(SYS_close_range, first, ~0U, 0) == 0) return;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  for (int fd = first; fd < static_cast<int>(limit.rlim_cur); ++fd) ::close(fd);
}

void say(const char* text) {
  (void)!::write(STDERR_FILENO, text, std::strlen(text));
}

/// Runs in the child between fork and exec: async-signal-safe calls only.
[[noreturn]] void become_child(const char* program, char* const* arguments,
                               char* const* environment, const cpu_set_t* cores, int socket,
                               int log, pid_t parent) {
  ::setpgid(0, 0);  // mpirun forwards signals to the whole process group of a rank
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (cores != nullptr) ::sched_setaffinity(0, sizeof *cores, cores);
  if (::getppid() != parent) ::_exit(127);  // the parent died before the line above
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGPIPE}) ::signal(signal, SIG_DFL);
  // First out of the way of the numbers 0 to 3, which they may have and which are given out below.
  socket = ::fcntl(socket, F_DUPFD, ExecutorProcess::kChildSocket + 1);
  log = ::fcntl(log, F_DUPFD, ExecutorProcess::kChildSocket + 1);
  const int nothing = ::open("/dev/null", O_RDONLY);
  if (nothing != STDIN_FILENO) ::dup2(nothing, STDIN_FILENO);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::dup2(socket, ExecutorProcess::kChildSocket);
  close_from(ExecutorProcess::kChildSocket + 1);
  ::execve(program, arguments, environment);
  const char* reason = ::strerrordesc_np(errno);
  for (const char* text : {"cannot run '", program, "' (", reason, "); install it there\n"})
    say(text);
  ::_exit(127);
}

}  // namespace

std::string ChildExit::text() const {
  if (WIFSIGNALED(wait_status))
    return concat("was killed by signal ", WTERMSIG(wait_status), " (",
                  ::strsignal(WTERMSIG(wait_status)), ")");
  return concat("exited with status ", WEXITSTATUS(wait_status));
}

ExecutorProcess::ExecutorProcess(const ChildOptions& options)
    : last_heard_(std::chrono::steady_clock::now()) {
  int sockets[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
    throw Error(FailureType::crash,
                concat("cannot make a socket pair (", std::strerror(errno), ")"));
  socket_ = FileDescriptor(sockets[0]);
  const FileDescriptor theirs(sockets[1]);
  create_folders(options.log.parent_path());
  const FileDescriptor log(
      ::open(options.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (log.get() < 0) throw storage_error("open", options.log.string(), errno);

  std::vector<std::string> arguments{options.program.string()};
  arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
  std::vector<std::string> environment = child_environment(options);
  const std::vector<char*> argument_pointers = pointers(arguments);
  const std::vector<char*> environment_pointers = pointers(environment);
  cpu_set_t cores;
  CPU_ZERO(&cores);
  for (const int core : options.cores) CPU_SET(core, &cores);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0)
    throw Error(FailureType::crash,
                concat("cannot start an executor (", std::strerror(errno), ")"));
  if (pid_ == 0)
    become_child(arguments[0].c_str(), argument_pointers.data(), environment_pointers.data(),
                 options.cores.empty() ? nullptr : &cores, theirs.get(), log.get(), parent);
}

ExecutorProcess::~ExecutorProcess() {
  if (reaped_) return;
  kill();
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void ExecutorProcess::send(const std::string& line) {
  const std::string text = line + "\n";
  std::size_t sent = 0;
  while (sent < text.size()) {
    const ssize_t n = ::send(socket_.get(), text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return;
    sent += static_cast<std::size_t>(n);
  }
}

std::vector<std::string> ExecutorProcess::receive() {
  char buffer[65536];
  // Not for ever: who talks without end would keep this process from everything else.
  for (int blocks = 0; blocks < kMostBlocks; ++blocks) {
    const ssize_t n = ::recv(socket_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    received_.append(buffer, static_cast<std::size_t>(n));
    last_heard_ = std::chrono::steady_clock::now();
  }
  std::vector<std::string> lines;
  std::size_t begin = 0;
  for (std::size_t end; (end = received_.find('\n', begin)) != std::string::npos; begin = end + 1)
    lines.push_back(received_.substr(begin, end - begin));
  received_.erase(0, begin);
  if (received_.size() > kLongestLine) {
    log_warning(concat("the executor ", pid_, " has sent ", received_.size(),
                       " bytes without an end of line; it is killed"));
    received_.clear();
    kill();
  }
  return lines;
}

std::optional<ChildExit> ExecutorProcess::poll_exit() {
  siginfo_t info{};
  if (reaped_ ||
      ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
      info.si_pid != pid_)
    return std::nullopt;
  char next = 0;
  if (::recv(socket_.get(), &next, 1, MSG_PEEK | MSG_DONTWAIT) > 0) return std::nullopt;
  kill();  // before the child's number, which is that of the group, becomes free for others
  int status = 0;
  ::waitpid(pid_, &status, 0);  // returns at once
  reaped_ = true;
  return ChildExit{status};
}

void ExecutorProcess::kill() {
  if (reaped_) return;
  ::kill(-pid_, SIGKILL);
  ::kill(pid_, SIGKILL);  // in case it has not made its own group yet
}

double ExecutorProcess::silence_s() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - last_heard_).count();
}

}  // namespace sweep::cluster
