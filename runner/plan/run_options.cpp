#include "runner/plan/run_options.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>
#include <variant>

#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::plan {
namespace {

const OptionTable<RunOptions>& run_table() {
  static const OptionTable<RunOptions> table{
      {"threads",
       &RunOptions::threads,
       {.min = 0,
        .max = 4096,
        .doc = "CPU threads of each executor; 0: the host's cores divided by its ranks"}},
      {"device",
       &RunOptions::device,
       {.choices = {"auto", "cpu", "cuda"},
        .doc = "where to compute; auto: a GPU when there is one"}},
      {"devices_per_trial",
       &RunOptions::devices_per_trial,
       {.min = 1,
        .max = 4096,
        .doc = "ranks that train one network together, each on its share of every batch"}},
      {"batch_norm",
       &RunOptions::batch_norm,
       {.choices = {"synchronised", "local"},
        .doc = "of a network that several ranks train: over the whole batch, so that the result "
               "does not depend on their number, or over each rank's share"}},
      {"gradient_compression",
       &RunOptions::gradient_compression,
       {.choices = {"none", "bf16"},
        .doc = "of gradients between the ranks that train one network: bf16 halves the bytes and "
               "rounds to three digits"}},
      {"max_concurrent",
       &RunOptions::max_concurrent,
       {.min = 0, .max = 1 << 20, .doc = "tasks that run at once; 0: as many as there are ranks"}},
      {"memory_per_task",
       &RunOptions::memory_per_task,
       {.min = 0,
        .max = 1e6,
        .unit = "GiB",
        .doc = "host memory that a task needs: a host gets no more tasks at once than fit into "
               "its memory; 0: unknown, no limit"}},
      {"shard_size",
       &RunOptions::shard_size,
       {.min = 1,
        .max = 1 << 20,
        .unit = "images",
        .doc = "an adversarial set is made in tasks of this size"}},
      {"checkpoint_seconds",
       &RunOptions::checkpoint_seconds,
       {.min = 0,
        .max = 86400,
        .unit = "seconds",
        .doc = "time between two checkpoints of a training"}},
      {"hang_timeout",
       &RunOptions::hang_timeout,
       {.min = 1,
        .max = 1e6,
        .unit = "seconds",
        .doc = "an executor that is silent for so long is killed"}},
      {"task_timeout",
       &RunOptions::task_timeout,
       {.min = 0,
        .max = 1e8,
        .unit = "seconds",
        .doc = "an attempt at a task that takes longer is killed; 0: no limit"}},
      {"retries",
       &RunOptions::retries,
       {.min = 0,
        .max = 100,
        .doc = "further attempts at a task whose device or rank was lost; one that kills its "
               "executor or hangs gets at most one, what would fail again in the same way none"}},
      {"fail_fast",
       &RunOptions::fail_fast,
       {.doc = "the first task that fails for good ends the run"}},
      {"max_failures",
       &RunOptions::max_failures,
       {.doc = "failed trials that end the run, as a number (\"5\") or a share of all trials "
               "(\"10%\"); empty: no limit"}},
      {"tensorboard",
       &RunOptions::tensorboard,
       {.doc = "write the course of every training as TensorBoard event files"}},
  };
  return table;
}

struct Limit {
  double value = 0;
  bool percent = false;
};

/// "5", "10%"; nothing for what is neither, or out of range.
std::optional<Limit> parse_limit(const std::string& text) {
  Limit limit;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, limit.value);
  if (parsed.ec != std::errc()) return std::nullopt;
  limit.percent = std::string_view(parsed.ptr, end) == "%";
  if (!limit.percent && (parsed.ptr != end || limit.value != std::floor(limit.value)))
    return std::nullopt;
  const bool in_range = limit.percent ? limit.value > 0 && limit.value <= 100
                                      : limit.value >= 1 && limit.value <= 1e9;
  return in_range ? std::optional(limit) : std::nullopt;
}

}  // namespace

const Schema& run_schema() {
  static const Schema schema = describe(run_table());
  return schema;
}

RunOptions resolve_run_options(const Json& given, const LocationOf& location_of) {
  const auto options = read_options(run_table(), resolve(run_schema(), given, "run", location_of));
  if (!options.max_failures.empty() && !parse_limit(options.max_failures))
    throw InputError(concat(location_of("run.max_failures"), ": run.max_failures = \"",
                            options.max_failures,
                            "\" is no limit; write a number from 1 on (\"5\") or a share of all "
                            "trials (\"10%\")"));
  return options;
}

std::optional<std::size_t> failure_limit(const RunOptions& options, std::size_t trials) {
  if (options.fail_fast) return 1;
  const auto limit = parse_limit(options.max_failures);
  if (!limit) return std::nullopt;
  const double count =
      limit->percent ? std::ceil(static_cast<double>(trials) * limit->value / 100) : limit->value;
  return static_cast<std::size_t>(std::max(count, 1.0));
}

Json to_json(const RunOptions& options) {
  Json json = Json::object();
  for (const auto& [key, member, traits] : run_table())
    std::visit([&, &key = key](auto pointer) { json[key] = options.*pointer; }, member);
  return json;
}

}  // namespace sweep::plan
