#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/json.hpp"
#include "storage/store.hpp"

namespace sweep::inspect {

/// A task of plan.json: the making of one artifact.
struct Task {
  storage::ArtifactId output;
  std::string label;
  std::vector<std::size_t> inputs;  ///< smaller than its own index
  double cost = 0;
  std::int64_t devices = 1;
  bool temporary = false;  ///< removed once what is made of it is there
};

/// A trial of plan.json: one row's model with one seed.
struct Trial {
  std::int64_t id = 0;  ///< counts all trials of the sweep
  std::string label, row;
  const Json* spec = nullptr;                      ///< in the plan's document
  std::map<std::string, std::size_t> evaluations;  ///< column -> task
};

/// What plan.json says of the work of a run. Moved, never copied: trials point into the document.
struct Plan {
  Plan() = default;
  Plan(Plan&&) = default;
  Plan& operator=(Plan&&) = default;

  std::string title;
  std::string file;                  ///< the sweep file, as it was named
  std::vector<std::string> columns;  ///< labels, in the order of the table
  std::vector<Task> tasks;
  std::vector<Trial> trials;                             ///< by id
  std::unordered_map<std::string, std::size_t> by_hash;  ///< hash of its artifact -> task
  Json document;
};

/// @throws InputError naming the key that can't be used: nothing in the file is trusted.
Plan read_plan(const std::filesystem::path& path);

/// The tasks that a trial needs, its own evaluations included, in the order of the plan.
std::vector<std::size_t> needed_tasks(const Plan& plan, const Trial& trial);

/// The models that a trial evaluates: one, by the way plans are made.
std::vector<std::size_t> models_of(const Plan& plan, const Trial& trial);

}  // namespace sweep::inspect
