#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/json.hpp"
#include "runner/report/comparison.hpp"
#include "runner/report/metrics.hpp"

namespace sweep::report {

/// One trial of a cell whose artifacts are there, at least in part.
struct TrialCell {
  std::int64_t seed = 0;
  PerMetric<Measurement> metrics;
};

/// One model in one column. All accuracies and rates are in percent.
struct Cell {
  PerMetric<Estimate> metrics;      ///< over the seeds that are there
  std::optional<double> published;  ///< the paper's accuracy
  std::vector<TrialCell> trials;
  Confusion confusion;  ///< summed over the seeds
  std::optional<Comparison> against_baseline, against_control;

  const std::optional<Estimate>& operator[](Metric metric) const {
    return metrics[static_cast<std::size_t>(metric)];
  }
  /// The accuracy; none: the cell is missing.
  std::optional<double> value() const;
  /// How many seeds went into it.
  std::size_t seeds() const;
};

/// What an attack did to its attacker, over all images of the adversarial set, also over those that
/// it failed to turn.
struct AttackEffect {
  double success = 0;  ///< images that reached the attack's goal on the attacked model, percent
  double l2 = 0;       ///< mean L2 distance to the clean image, pixels in [0,1]
  double linf = 0;     ///< mean Linf distance
};

/// The accuracy on clean images, or on those of one attack.
struct Column {
  std::string label;
  Json attack;                         ///< {"method": ..., options}; null for clean images
  std::string attacker = {};           ///< empty: the sweep's; "self": every model itself
  std::string pixels = "float32";      ///< or "uint8": rounded to 8 bit
  std::optional<AttackEffect> effect;  ///< of the set that all rows share; none when it is missing
  bool set_by_row = false;             ///< every row, or every seed, has a set of its own
};

/// True where every model was attacked itself.
bool is_white_box(const Column& column);

/// One model, trained with one or more seeds.
struct Row {
  std::string label;
  std::string group;                ///< heading above the row; may be empty
  bool control = false;             ///< shown for comparison, not in the paper
  bool baseline = false;            ///< the undefended model (NA)
  std::vector<Json> keys;           ///< the values of Table::row_keys, in their order
  std::vector<std::int64_t> seeds;  ///< all that the sweep asks for
  std::optional<std::int64_t>
      images;               ///< how many each evaluation had; none: no evaluation is there
  std::vector<Cell> cells;  ///< one for each column
};

/// The table of one sweep.
struct Table {
  std::string folder;  ///< that the sweep wrote to
  std::string name;    ///< of the sweep
  std::string title;
  std::vector<std::string> row_keys;  ///< dotted keys of the spec that tell the rows apart
  std::vector<Column> columns;
  std::vector<Row> rows;
  std::vector<DatasetCard> datasets;
  std::vector<std::string> problems;  ///< artifacts that are there and can't be used
};

/// True when the artifacts of the metric are there and it would be a division by zero: distances
/// over successes where no image was turned, the success over the clean-correct where none is
/// correct.
bool is_undefined(const Cell& cell, Metric metric);

/// Ours minus the published value, where both are there.
std::optional<double> difference(const Cell& cell);

/// Whether the published value lies in our Wilson interval, where both are there.
std::optional<bool> published_is_inside(const Cell& cell);

/// The smallest number of seeds behind any value of the row. Missing cells say themselves that they
/// are missing, and do not count.
std::size_t seed_count(const Row& row);

std::size_t cell_count(const Table& table);

/// The cells without a value, for people: "NA, cw".
std::vector<std::string> missing_cells(const Table& table);

/// The cells whose value lacks some seeds of their row: "NA, clean: mean over 1 of 2 seeds".
std::vector<std::string> partial_cells(const Table& table);

}  // namespace sweep::report
