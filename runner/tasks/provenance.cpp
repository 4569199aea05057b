#include "runner/tasks/provenance.hpp"

#include <torch/version.h>

#include "core/build_info.hpp"
#include "core/host_name.hpp"
#include "storage/hdf5/version.hpp"
#include "storage/journal.hpp"
#include "trainer/device.hpp"

namespace sweep::tasks {

Json provenance_of(const Task& task, const std::string& started) {
  Json libraries = trainer::device_libraries(task.device);
  libraries["torch"] = TORCH_VERSION;
  libraries["hdf5"] = storage::hdf5::library_version();
  Json device{{"name", trainer::device_name(task.device)}};
  if (const auto uuid = trainer::device_uuid(task.device); !uuid.empty()) device["uuid"] = uuid;
  return {{"sweep_runner_version", kVersion},
          {"git_revision", kGitRevision},
          {"git_diff", kGitDiff},
          {"compiler", kCompiler},
          {"libraries", libraries},
          {"device", device},
          {"cpu", trainer::cpu_name()},
          {"threads", task.threads},
          {"host", host_name()},
          {"started", started},
          {"ended", storage::utc_time()},
          {"attempt", task.attempt},
          {"run_epoch", task.epoch},
          {"memory_level", task.memory_level}};
}

}  // namespace sweep::tasks
