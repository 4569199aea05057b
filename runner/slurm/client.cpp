#include "runner/slurm/client.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::slurm {
namespace {

constexpr std::size_t kAskedJobs = 100;

struct Answer {
  int status = -1;
  std::string text;  ///< standard output and error
};

/// Without a shell between. Status 127: there is no such program.
Answer run(const std::vector<std::string>& command) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  std::vector<char*> words;
  for (const auto& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  pid_t child = -1;
  const int error = ::posix_spawnp(&child, words[0], &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  Answer answer;
  std::array<char, 4096> buffer{};
  for (ssize_t n; (n = ::read(ends[0], buffer.data(), buffer.size())) > 0;)
    answer.text.append(buffer.data(), static_cast<std::size_t>(n));
  ::close(ends[0]);
  if (error != 0) {
    answer.status = 127;
    return answer;
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  answer.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  while (!answer.text.empty() && answer.text.back() == '\n') answer.text.pop_back();
  return answer;
}

}  // namespace

std::string submit_script(const std::filesystem::path& script,
                          const std::vector<std::string>& options) {
  std::vector<std::string> command{"sbatch", "--parsable"};
  command.insert(command.end(), options.begin(), options.end());
  command.push_back(script.string());
  const Answer answer = run(command);
  if (answer.status == 127)
    throw InputError(
        "there is no sbatch here (submit needs SLURM's commands); go to a login node, or run "
        "without SLURM: sweep_runner run --np N");
  // --parsable: "id" or "id;cluster", behind whatever the site prints.
  const std::string last = split(split(answer.text, '\n').back(), ';').front();
  const bool number = !last.empty() && last.find_first_not_of("0123456789") == std::string::npos;
  if (answer.status != 0 || !number)
    throw InputError(
        concat("sbatch has refused the job: ", answer.text, "; the script is ", script.string()));
  return last;
}

std::vector<std::string> submitted_jobs(const std::filesystem::path& folder) {
  std::vector<std::int64_t> ids;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().stem().string();
    const bool number = name.find_first_not_of("0123456789") == std::string::npos;
    if (number && name.size() < 18 && entry.path().extension() == ".sh")
      ids.push_back(std::stoll(name));
  }
  std::sort(ids.rbegin(), ids.rend());
  if (ids.size() > kAskedJobs) ids.resize(kAskedJobs);
  std::vector<std::string> texts;
  for (const auto id : ids) texts.push_back(std::to_string(id));
  return texts;
}

std::optional<std::vector<JobState>> ask_queue(const std::vector<std::string>& ids) {
  if (ids.empty()) return std::vector<JobState>{};
  const Answer answer =
      run({"squeue", "--noheader", "--jobs", join(ids, ","), "--format", "%i|%T|%L|%r"});
  // One that SLURM has forgotten is an error when it is the only one.
  if (answer.status != 0 && answer.text.find("Invalid job id") == std::string::npos)
    return std::nullopt;
  std::vector<JobState> jobs;
  for (const auto& line : split(answer.text, '\n')) {
    const auto parts = split(line, '|');
    if (parts.size() == 4) jobs.push_back({parts[0], parts[1], parts[2], parts[3]});
  }
  return jobs;
}

}  // namespace sweep::slurm
