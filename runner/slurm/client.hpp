#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace sweep::slurm {

/// Hands a batch script to sbatch. Returns the job's id. @throws InputError with sbatch's words
std::string submit_script(const std::filesystem::path& script,
                          const std::vector<std::string>& options);

/// Ids of the jobs whose scripts lie in the folder, the last ones.
std::vector<std::string> submitted_jobs(const std::filesystem::path& folder);

struct JobState {
  std::string id, state, time_left, reason;
};

/// The jobs that SLURM still knows to be waiting or running; nothing when it can't be asked.
std::optional<std::vector<JobState>> ask_queue(const std::vector<std::string>& ids);

}  // namespace sweep::slurm
