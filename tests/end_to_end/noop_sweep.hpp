#pragma once

#include <map>
#include <string>

#include "core/atomic_file.hpp"
#include "tests/end_to_end/program.hpp"

namespace sweep::test_support {

/// A sweep of `trials` seeds with clean images and one attack, done by noop_executor.
class NoopSweep {
 public:
  explicit NoopSweep(std::size_t trials) {
    std::string seeds;
    for (std::size_t i = 0; i < trials; ++i) seeds += concat(i == 0 ? "" : ", ", i);
    write_atomically(folder_ / "noop.toml", concat(R"([sweep]
name = "noop"
[dataset]
name = "synthetic_lesions"
[model]
name = "resnet18"
[defence]
name = "none"
[attacker]
training.seed = 0
[attacks.fgsm]
method = "fgsm"
epsilon = "4/255"
[grid]
"training.seed" = [)",
                                                   seeds, "]\n"));
  }

  std::filesystem::path out() const { return folder_ / "out"; }
  std::filesystem::path run_folder() const { return out() / "runs/noop"; }
  std::vector<Json> journal() const { return journal_of(out(), "noop"); }
  Json status() const {
    return Json::parse(read_text(run_folder() / "status.json"), nullptr, false);
  }

  /// @param behaviour  of the executor, see noop_executor.cpp
  std::string command(const std::string& arguments, const std::string& behaviour = "{}") const {
    return concat("env NOOP='", behaviour, "' ", (binaries() / "sweep_runner").string(), " run ",
                  (folder_ / "noop.toml").string(), " --out ", out().string(), " --executor ",
                  (binaries() / "../tests/noop_executor").string(), " ", arguments);
  }

  /// How often each artifact was reported as made.
  std::map<std::string, int> times_made() const {
    std::map<std::string, int> times;
    for (const auto& event : events(journal(), "done"))
      ++times[event.at("artifact").get<std::string>()];
    return times;
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace sweep::test_support
