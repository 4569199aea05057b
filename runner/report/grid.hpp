#pragma once

#include <string>
#include <vector>

#include "runner/report/table.hpp"

namespace sweep::report {

/// A line of a table for people: a row, or the heading of the group that begins; it is empty
/// before rows without a group that follow one.
struct Line {
  const Row* row = nullptr;
  std::string heading;
};

std::vector<Line> lines_of(const Table& table);

/// The comparison with the published values: one line for each cell that has one, under these
/// headings: row, column, ours, 95 % interval, paper, difference, inside.
using Grid = std::vector<std::vector<std::string>>;
Grid comparison_grid(const Table& table);

}  // namespace sweep::report
