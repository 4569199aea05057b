#pragma once

#include <filesystem>
#include <string>

#include "core/json.hpp"
#include "runner/upkeep/artifact_check.hpp"

namespace CLI {
class App;
}

namespace sweep::commands {

/// The output folder, where a verb takes one.
void add_folder(CLI::App& app, std::filesystem::path& folder);

/// --jobs; 0 stands for all cores.
void add_jobs(CLI::App& app, int& jobs);
int jobs_or_cores(int jobs);

/// Shows on standard error how far the work has come that `doing` names.
upkeep::OnProgress shown_progress(const std::string& doing);

}  // namespace sweep::commands
