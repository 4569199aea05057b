#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runner/inspect/run_folder.hpp"
#include "storage/store.hpp"

namespace sweep::upkeep {

/// A cell of two tables, by the labels of its row and column. Accuracies are in percent.
struct CellDifference {
  std::string row, column;
  std::optional<double> a, b;  ///< nothing: missing there

  bool differs() const { return a != b; }
};

/// What tells two runs apart.
struct Difference {
  std::vector<std::string> changes;         ///< "trials.NA.training.epochs: 4 -> 8"
  std::vector<CellDifference> cells;        ///< of rows and columns that both have
  std::vector<std::string> only_a, only_b;  ///< rows and columns: "row L_n 1"
  std::size_t common = 0;                   ///< artifacts that both have by name
  /// Those of them whose content is another one: what made it gives other results elsewhere.
  std::vector<storage::ArtifactId> unequal;
  std::vector<std::string> problems;  ///< what can't be used, and so was not compared

  bool any() const;
};

/// @throws InputError for a plan that can't be used
Difference compare(const inspect::RunFolder& a, const inspect::RunFolder& b);

}  // namespace sweep::upkeep
