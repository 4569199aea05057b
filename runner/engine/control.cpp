#include "runner/engine/control.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <system_error>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "core/untrusted_json.hpp"

namespace sweep::engine {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kLargestRequest = std::uintmax_t{64} << 20;
constexpr int kLargestPriority = 1'000'000;

std::vector<fs::path> requests_in(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  // What a link leads to is no folder of this run, and its files are not to be removed.
  if (fs::is_symlink(folder, error)) return files;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.path().extension() == ".json" && entry.is_regular_file(error) &&
        !entry.is_symlink(error))
      files.push_back(entry.path());
  std::sort(files.begin(), files.end());  // names begin with the time
  return files;
}

std::optional<ControlRequest> read(const fs::path& file) {
  std::error_code error;
  if (fs::file_size(file, error) > kLargestRequest || error) return std::nullopt;
  return parse_request(read_text(file));
}

}  // namespace

std::optional<ControlRequest> parse_request(const std::string& text) {
  static const std::vector<std::string> known{"drain", "stop", "cancel", "retry", "set-priority"};
  const Json json = parse_untrusted(text);
  if (!json.is_object()) return std::nullopt;
  const Json command = json.value("command", Json()), tasks = json.value("tasks", Json::array()),
             priority = json.value("priority", Json(0));
  if (!command.is_string() || !tasks.is_array() || !priority.is_number_integer())
    return std::nullopt;
  ControlRequest request{.command = command, .text = json};
  if (std::find(known.begin(), known.end(), request.command) == known.end()) return std::nullopt;
  for (const auto& task : tasks) {
    if (!task.is_string()) return std::nullopt;
    request.tasks.push_back(task);
  }
  // As a real number: the integer may be beyond 64 bits with a sign.
  if (std::abs(priority.get<double>()) > kLargestPriority) return std::nullopt;
  request.priority = priority.get<int>();
  return request;
}

std::vector<ControlRequest> take_requests(const fs::path& folder) {
  std::vector<ControlRequest> requests;
  for (const auto& file : requests_in(folder)) {
    try {
      if (auto request = read(file)) {
        requests.push_back(std::move(*request));
      } else {
        log_warning(concat("'", file.string(),
                           "' is no request (docs/run_folder.md); it is removed, nothing is done"));
      }
    } catch (const Error& error) {
      log_warning(error.what());
      continue;  // perhaps it can be read the next time
    }
    std::error_code error;
    fs::remove(file, error);
  }
  return requests;
}

}  // namespace sweep::engine
