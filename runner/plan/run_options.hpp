#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/json.hpp"
#include "core/options.hpp"

namespace sweep::plan {

/// How to run, which never changes what comes out (and is no part of artifact names).
struct RunOptions {
  std::int64_t threads = 0;
  std::string device = "auto";
  std::int64_t devices_per_trial = 1;
  std::string batch_norm = "synchronised";    ///< over the devices of a trial; or "local"
  std::string gradient_compression = "none";  ///< between the devices of a trial; or "bf16"
  std::int64_t max_concurrent = 0;
  double memory_per_task = 0;
  std::int64_t shard_size = 256;
  double checkpoint_seconds = 60;
  double hang_timeout = 600;
  double task_timeout = 0;
  std::int64_t retries = 2;
  bool fail_fast = false;
  std::string max_failures;
  bool tensorboard = true;
};

const Schema& run_schema();

/// [run], checked and completed. @throws InputError
RunOptions resolve_run_options(const Json& given, const LocationOf& location_of);

/// Failed trials that end the run (fail_fast, max_failures), of `trials`; nothing: none do.
std::optional<std::size_t> failure_limit(const RunOptions& options, std::size_t trials);

/// Every key with its value, as [run] would hold it.
Json to_json(const RunOptions& options);

}  // namespace sweep::plan
