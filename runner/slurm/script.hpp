#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "runner/slurm/options.hpp"

namespace sweep::slurm {

/// A sweep that is to become a job.
struct Submission {
  std::string sweep;                 ///< its name
  std::filesystem::path program;     ///< sweep_runner; absolute, like all paths
  std::vector<std::string> command;  ///< its arguments, from "run" on
  std::filesystem::path folder;  ///< where it is submitted: paths of the command are relative to it
  std::filesystem::path run_folder;  ///< runs/SWEEP of the output folder
  std::int64_t array = 0;            ///< jobs that share the sweep at once; 0: one
  bool chained = false;              ///< others stand behind it: it doesn't go back to the queue
};

/// Batch scripts, and what jobs print.
std::filesystem::path jobs_folder(const std::filesystem::path& run_folder);

/// The whole batch script. @throws InputError for a folder that can't stand in an #SBATCH line
std::string batch_script(const Submission& submission, const Options& options);

}  // namespace sweep::slurm
