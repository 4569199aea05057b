#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace sweep::cluster {

/// The SLURM job that this process runs in.
struct BatchJob {
  std::string id;            ///< of one job of an array, its own
  std::int64_t restart = 0;  ///< how often it has gone back to the queue
  /// What the batch script says of the time limit, in seconds since 1970: when it is, and when what
  /// runs has to save.
  std::optional<std::int64_t> end, save_at;
};

/// Nothing outside of a job.
std::optional<BatchJob> batch_job();

}  // namespace sweep::cluster
