#include "runner/engine/run_log.hpp"

#include <unistd.h>

#include "cluster/batch_job.hpp"
#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/host_name.hpp"
#include "core/log.hpp"
#include "core/text.hpp"

namespace sweep::engine {
namespace {

constexpr double kSecondsBetweenStatus = 1;

}  // namespace

RunLog::RunLog(const std::filesystem::path& folder, std::int64_t epoch)
    : folder_(folder),
      epoch_(epoch),
      journal_(folder / "journal.jsonl"),
      started_(storage::utc_time()) {}

std::string RunLog::log_path(const plan::Task& task, int attempt, std::size_t member) const {
  return (folder_ / "logs" /
          concat(storage::to_string(task.output.kind), "-", task.output.hash.substr(0, 12), ".",
                 epoch_, ".", attempt, member == 0 ? "" : concat("-", member), ".log"))
      .string();
}

void RunLog::append(const std::string& event, Json keys) {
  keys["event"] = event;
  journal_.append(std::move(keys));
}

void RunLog::append(const std::string& event, const plan::Task& task, Json keys) {
  keys["task"] = task.label;
  keys["kind"] = storage::to_string(task.output.kind);
  keys["artifact"] = task.output.hash;
  append(event, std::move(keys));
}

void RunLog::commit(const RunView& view) {
  journal_.commit();
  if (seconds_since(last_status_) < kSecondsBetweenStatus) return;
  try {
    write_status(view);
  } catch (const Error& error) {
    if (!status_failed_) log_warning(concat(error.what(), "; `status` will show an old state"));
    status_failed_ = true;
  }
}

void RunLog::write_status(const RunView& view) {
  last_status_ = Clock::now();
  Json status = to_json(view);
  status.update({{"epoch", epoch_},
                 {"time", storage::utc_time()},
                 {"started", started_},
                 {"host", host_name()},
                 {"pid", ::getpid()}});
  if (const auto job = cluster::batch_job()) {
    status.update({{"slurm_job", job->id}, {"slurm_restart", job->restart}});
    if (job->end) status["slurm_end"] = *job->end;
  }
  write_atomically(folder_ / "status.json",
                   status.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace sweep::engine
