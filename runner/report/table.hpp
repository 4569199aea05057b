#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/json.hpp"

namespace sweep::report {

/// One accuracy. All accuracies are in percent.
struct Cell {
  std::optional<double> value;  ///< mean over the seeds whose evaluation is there; none: missing
  std::optional<double> published;  ///< the paper's
  std::size_t seeds = 0;            ///< how many seeds went into the mean
};

/// What an attack did to its attacker, over all images of the adversarial set, also over those that
/// it failed to turn.
struct AttackEffect {
  double success = 0;  ///< images that the attacker's own model gets wrong, percent
  double l2 = 0;       ///< mean L2 distance to the clean image, pixels in [0,1]
  double linf = 0;     ///< mean Linf distance
};

/// The accuracy on clean images, or on those of one attack.
struct Column {
  std::string label;
  Json attack;                         ///< {"method": ..., options}; null for clean images
  std::optional<AttackEffect> effect;  ///< none for clean images, and where the set is missing
};

/// One model, trained with one or more seeds.
struct Row {
  std::string label;
  bool control = false;             ///< shown for comparison, not in the paper
  std::vector<Json> keys;           ///< the values of Table::row_keys, in their order
  std::vector<std::int64_t> seeds;  ///< all that the sweep asks for
  std::optional<std::int64_t>
      images;               ///< how many each evaluation had; none: no evaluation is there
  std::vector<Cell> cells;  ///< one for each column
};

/// The table of one sweep.
struct Table {
  std::string name;  ///< of the sweep
  std::string title;
  std::vector<std::string> row_keys;  ///< dotted keys of the spec that tell the rows apart
  std::vector<Column> columns;
  std::vector<Row> rows;
  std::vector<std::string> problems;  ///< artifacts that are there and can't be used
};

/// Ours minus the published value, where both are there.
std::optional<double> difference(const Cell& cell);

/// The smallest number of seeds behind any value of the row. Missing cells say themselves that they
/// are missing, and do not count.
std::size_t seed_count(const Row& row);

std::size_t cell_count(const Table& table);

/// The cells without a value, for people: "NA, cw".
std::vector<std::string> missing_cells(const Table& table);

/// The cells whose value lacks some seeds of their row: "NA, clean: mean over 1 of 2 seeds".
std::vector<std::string> partial_cells(const Table& table);

}  // namespace sweep::report
