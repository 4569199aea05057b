#include "runner/slurm/options.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::slurm {
namespace {

const OptionTable<Options>& slurm_table() {
  static const OptionTable<Options> table{
      {"partition", &Options::partition, {.doc = "where the job runs; empty: the cluster's own"}},
      {"account", &Options::account, {.doc = "who pays; empty: your default account"}},
      {"qos", &Options::qos, {.doc = "quality of service; empty: your default"}},
      {"constraint", &Options::constraint, {.doc = "features that the nodes must have"}},
      {"time",
       &Options::time,
       {.doc = "time limit, as sbatch takes it: \"90\" (minutes), \"4:00:00\", \"2-12\" (days and "
               "hours); empty: the partition's"}},
      {"mail", &Options::mail, {.doc = "address that is told of the job's end and failure"}},
      {"nodes", &Options::nodes, {.min = 1, .max = 4096, .doc = "nodes of the job"}},
      {"gpus_per_node",
       &Options::gpus_per_node,
       {.min = 0, .max = 64, .doc = "GPUs of each node, one rank for each; 0: no GPUs"}},
      {"ranks_per_node",
       &Options::ranks_per_node,
       {.min = 0, .max = 512, .doc = "ranks of each node; 0: one for each GPU, at least one"}},
      {"launcher",
       &Options::launcher,
       {.choices = {"mpirun", "srun"},
        .doc = "what starts the ranks; srun needs a SLURM with PMIx, and outlives a lost node"}},
      {"warning",
       &Options::warning,
       {.min = 30,
        .max = 3600,
        .unit = "seconds",
        .doc = "so long before the time limit running tasks save and end"}},
      {"requeues",
       &Options::requeues,
       {.min = 0,
        .max = 1000,
        .doc = "how often the job may go back to the queue when it was interrupted"}},
      {"sbatch",
       &Options::sbatch,
       {.doc = "further options of sbatch, one each: \"--mem=64G\", \"--exclusive\""}},
      {"setup", &Options::setup, {.doc = "shell lines before the start: \"module load openmpi\""}},
  };
  return table;
}

/// What stands in an #SBATCH line without quotes.
void check_word(const std::string& key, const std::string& value, const LocationOf& location_of) {
  const bool plain = std::all_of(value.begin(), value.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || (c != '\0' && std::strchr("_-.,:@&|*[]()+!/=", c) != nullptr);
  });
  if (plain && (value.empty() || value.front() != '-')) return;
  throw InputError(concat(location_of("slurm." + key), ": slurm.", key, " = ", Json(value).dump(),
                          " can't stand in a batch script (sbatch would read something else); use "
                          "letters, digits and _-.,:@&|*[]()+!/="));
}

/// sbatch gives up at a line that it can't read, or takes a second option for a comment.
void check_line(const std::string& line, const LocationOf& location_of) {
  const bool printable =
      std::all_of(line.begin(), line.end(), [](unsigned char c) { return std::iscntrl(c) == 0; });
  if (printable && line.size() > 2 && line.front() == '-') return;
  throw InputError(concat(location_of("slurm.sbatch"), ": slurm.sbatch has ", Json(line).dump(),
                          ", which is no option of sbatch; write one on one line: \"--mem=64G\""));
}

void check_setup(const std::string& line, const LocationOf& location_of) {
  if (line.find_first_of(std::string("\n\r\0", 3)) == std::string::npos) return;
  throw InputError(concat(location_of("slurm.setup"), ": slurm.setup has ", Json(line).dump(),
                          ", which is more than a line; write one text for each line"));
}

void check_time(const Options& options, const LocationOf& location_of) {
  if (options.time.empty()) return;
  const std::string where =
      concat(location_of("slurm.time"), ": slurm.time = \"", options.time, "\"");
  const auto seconds = time_limit_seconds(options.time);
  if (!seconds)
    throw InputError(concat(where,
                            " is no time limit; write minutes (\"90\"), \"4:00:00\" or \"2-12\" "
                            "(days and hours)"));
  if (*seconds < 2 * options.warning)
    throw InputError(concat(where, " is too short (running tasks are to save ", options.warning,
                            " s before the end, slurm.warning, which leaves no time to work); ask "
                            "for more time or set a smaller slurm.warning"));
}

std::optional<std::vector<std::int64_t>> numbers(const std::string& text) {
  std::vector<std::int64_t> values;
  for (const auto& piece : split(text, ':')) {
    std::int64_t value = 0;
    const auto parsed = std::from_chars(piece.data(), piece.data() + piece.size(), value);
    if (parsed.ec != std::errc() || parsed.ptr != piece.data() + piece.size() || value < 0 ||
        value > 10'000'000)
      return std::nullopt;
    values.push_back(value);
  }
  return values;
}

std::int64_t weighted(const std::vector<std::int64_t>& values,
                      const std::array<std::int64_t, 3>& seconds) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) sum += values[i] * seconds[i];
  return sum;
}

}  // namespace

const Schema& slurm_schema() {
  static const Schema schema = describe(slurm_table());
  return schema;
}

Options resolve_options(const Json& given, const LocationOf& location_of) {
  auto options = read_options(slurm_table(), resolve(slurm_schema(), given, "slurm", location_of));
  check_word("partition", options.partition, location_of);
  check_word("account", options.account, location_of);
  check_word("qos", options.qos, location_of);
  check_word("constraint", options.constraint, location_of);
  check_word("mail", options.mail, location_of);
  check_time(options, location_of);
  for (const auto& line : options.sbatch) check_line(line, location_of);
  for (const auto& line : options.setup) check_setup(line, location_of);
  return options;
}

Document read_user_file() {
  const char* config = std::getenv("XDG_CONFIG_HOME");
  const char* home = std::getenv("HOME");
  std::filesystem::path folder;
  if (config != nullptr && *config != '\0') {
    folder = config;
  } else if (home != nullptr && *home != '\0') {
    folder = std::filesystem::path(home) / ".config";
  } else {
    return {};
  }
  const auto path = folder / "sweep_runner" / "slurm.toml";
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return {};
  return read_toml(path);
}

std::optional<std::int64_t> time_limit_seconds(const std::string& text) {
  const auto dash = text.find('-');
  const auto parts = numbers(dash == std::string::npos ? text : text.substr(dash + 1));
  if (!parts || parts->size() > 3) return std::nullopt;
  std::int64_t seconds = 0;
  if (dash != std::string::npos) {
    const auto days = numbers(text.substr(0, dash));
    if (!days || days->size() != 1) return std::nullopt;
    seconds = 86400 * days->front() + weighted(*parts, {3600, 60, 1});
  } else {
    seconds = parts->size() == 3 ? weighted(*parts, {3600, 60, 1}) : weighted(*parts, {60, 1, 0});
  }
  return seconds > 0 ? std::optional(seconds) : std::nullopt;
}

}  // namespace sweep::slurm
