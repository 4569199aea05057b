#include "runner/commands/upkeep_options.hpp"

#include <CLI/CLI.hpp>
#include <memory>

#include "cluster/host.hpp"
#include "runner/commands/progress_line.hpp"

namespace sweep::commands {

void add_folder(CLI::App& app, std::filesystem::path& folder) {
  app.add_option("dir", folder, "The output folder of sweeps")
      ->type_name("DIR")
      ->capture_default_str();
}

void add_jobs(CLI::App& app, int& jobs) {
  app.add_option("--jobs", jobs, "Files to read at once; by default as many as there are cores")
      ->type_name("N")
      ->check(CLI::Range(1, 1024));
}

int jobs_or_cores(int jobs) {
  return jobs > 0 ? jobs : cluster::available_cores();
}

upkeep::OnProgress shown_progress(const std::string& doing) {
  const auto line = std::make_shared<ProgressLine>(doing);
  return [line](const upkeep::Progress& progress) { line->show(progress); };
}

}  // namespace sweep::commands
