// The plan of every file in sweeps/, down to the names of its artifacts: a change of these makes
// users' finished work useless, and must be meant. SWEEP_UPDATE_GOLDENS=1 writes them anew.

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>

#include "core/atomic_file.hpp"
#include "core/text.hpp"
#include "tests/runner/plan/example.hpp"

namespace sweep::plan {
namespace {

namespace fs = std::filesystem;

const fs::path kSources = SWEEP_SOURCES;

std::vector<fs::path> sweep_files() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(kSources / "sweeps"))
    if (entry.path().extension() == ".toml") files.push_back(entry.path());
  return files;
}

/// "quick_table1" of sweeps/quick/table1.toml.
std::string name_of(const fs::path& file) {
  std::string name = fs::relative(file, kSources / "sweeps").replace_extension().string();
  std::replace(name.begin(), name.end(), '/', '_');
  return name;
}

std::string plan_text(const fs::path& file) {
  const Sweep sweep = resolve_sweep(read_toml(file), built_in_catalogue());
  const Graph graph = example_graph(sweep);
  std::map<storage::ArtifactId, std::size_t> place;
  std::string text =
      concat(sweep.name, ": ", sweep.trials.size(), " trials, ", graph.tasks.size(), " tasks\n");
  for (const auto& task : graph.tasks) {
    std::vector<std::string> inputs;
    for (const auto& input : task.inputs) inputs.push_back(std::to_string(place.at(input)));
    place.emplace(task.output, place.size());
    text +=
        concat(place.at(task.output), " ", task.label, " | ", storage::to_string(task.output.kind),
               " ", task.output.hash.substr(0, 16), " | from ", join(inputs, " "), " | cost ",
               task.cost, task.temporary ? " | temporary\n" : "\n");
  }
  for (const auto& row : sweep.table.rows) {
    text += concat("row ", row.label, row.control ? " (control)" : "", " |");
    for (const auto& column : sweep.table.columns)
      for (const auto trial : row.trials)
        text += concat(" ", column.label, "=", place.at(graph.evaluations[trial].at(column.label)));
    text += "\n";
  }
  return text;
}

class Golden : public ::testing::TestWithParam<fs::path> {};

TEST_P(Golden, IsThePlan) {
  const fs::path golden = kSources / "tests/golden/plan" / (name_of(GetParam()) + ".txt");
  const std::string text = plan_text(GetParam());
  if (::getenv("SWEEP_UPDATE_GOLDENS") != nullptr) write_atomically(golden, text);
  ASSERT_TRUE(fs::exists(golden)) << "write it with SWEEP_UPDATE_GOLDENS=1";
  EXPECT_EQ(text, read_text(golden));
}

INSTANTIATE_TEST_SUITE_P(Sweeps, Golden, ::testing::ValuesIn(sweep_files()),
                         [](const auto& file) { return name_of(file.param); });

}  // namespace
}  // namespace sweep::plan
