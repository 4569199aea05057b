#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/json.hpp"

namespace sweep::engine {

/// A request from another terminal: a file of the run's folder control/ (docs/run_folder.md).
struct ControlRequest {
  std::string command;             ///< drain, stop, cancel, retry, set-priority
  std::vector<std::string> tasks;  ///< names of artifacts
  int priority = 0;
  Json text;  ///< the whole request, for the journal
};

/// Nothing where the text is no request. Anybody who may write the folder may have written it.
std::optional<ControlRequest> parse_request(const std::string& text);

/// Takes the requests out of the folder, the oldest first. Files that hold none are removed with a
/// warning.
std::vector<ControlRequest> take_requests(const std::filesystem::path& folder);

}  // namespace sweep::engine
