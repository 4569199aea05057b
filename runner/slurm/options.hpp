#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/document.hpp"
#include "core/options.hpp"

namespace sweep::slurm {

/// How a sweep becomes a job: [slurm]. No part of artifact names.
struct Options {
  std::string partition, account, qos, constraint, time, mail;
  std::int64_t nodes = 1;
  std::int64_t gpus_per_node = 0;
  std::int64_t ranks_per_node = 0;
  std::string launcher = "mpirun";
  std::int64_t warning = 180;
  std::int64_t requeues = 10;
  std::vector<std::string> sbatch;
  std::vector<std::string> setup;

  std::int64_t ranks() const {
    return ranks_per_node > 0 ? ranks_per_node : std::max<std::int64_t>(gpus_per_node, 1);
  }
};

const Schema& slurm_schema();

/// [slurm], checked and completed. @throws InputError
Options resolve_options(const Json& given, const LocationOf& location_of);

/// The defaults of this user: slurm.toml in $XDG_CONFIG_HOME/sweep_runner, or
/// ~/.config/sweep_runner; keys as in [slurm]. Empty where there is none. @throws InputError
Document read_user_file();

/// "90", "1:30:00", "2-12", ... as sbatch reads it, in seconds; nothing for what is none.
std::optional<std::int64_t> time_limit_seconds(const std::string& text);

}  // namespace sweep::slurm
