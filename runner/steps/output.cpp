#include "runner/steps/output.hpp"

#include <ATen/ATen.h>
#include <torch/version.h>
#include <unistd.h>

#include <iostream>

#include "core/build_info.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "runner/steps/network.hpp"
#include "trainer/device.hpp"

namespace sweep::steps {
namespace fs = std::filesystem;

void check_output(const fs::path& out, const std::vector<fs::path>& inputs) {
  const auto refuse = [&](const std::string& fault, const std::string& remedy) {
    throw InputError(concat("--out '", out.string(), "' ", fault, "; ", remedy));
  };
  std::error_code ignored;
  const fs::path folder = out.has_parent_path() ? out.parent_path() : fs::path(".");
  if (fs::is_directory(out, ignored)) refuse("is a folder", "give the name of a file");
  if (!fs::is_directory(folder, ignored))
    refuse(concat("can't be written (there is no folder '", folder.string(), "')"),
           "make it first");
  if (::access(folder.c_str(), W_OK) != 0)
    refuse(concat("can't be written (the folder '", folder.string(), "' may not be written to)"),
           "choose another one");
  for (const auto& input : inputs)
    if (fs::equivalent(out, input, ignored))
      refuse("is read by this step (it would be lost)", "choose another name");
}

Json provenance(const ModelSource& model, const Computing& computing) {
  return {{"arch", model.arch},
          {"num_classes", model.num_classes},
          {"normalize", model.normalize},
          {"weights", model.weights.filename().string()},
          {"weights_sha256", sha256_of_file(model.weights)},
          {"layout", computing.layout},
          {"dtype", computing.dtype},
          {"threads", threads_of(computing)},
          {"sweep_runner_version", kVersion},
          {"git_revision", kGitRevision},
          {"torch_version", TORCH_VERSION}};
}

Progress::Progress(std::string what)
    : what_(std::move(what)), shown_(::isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() {
  if (shown_ && last_ != Clock::time_point{}) std::cerr << "\r\033[K" << std::flush;
}

void Progress::report(double fraction, const std::string& text) {
  constexpr auto kInterval = std::chrono::milliseconds(250);
  const auto now = Clock::now();
  if (!shown_ || now - last_ < kInterval) return;
  last_ = now;
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  const double rest = fraction > 0 ? elapsed / fraction - elapsed : 0;
  std::cerr << "\r" << what_ << "  " << fixed(100 * fraction, 0) << " %  "
            << (text.empty() ? "" : text + "  ") << duration_text(rest) << " to go\033[K"
            << std::flush;
}

}  // namespace sweep::steps
