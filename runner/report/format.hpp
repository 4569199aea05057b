#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/registry.hpp"
#include "runner/report/table.hpp"
#include "runner/report/view.hpp"

namespace sweep::report {

/// A way to write tables down.
struct Format {
  /// The whole text of a file with these tables.
  std::string (*render)(std::span<const Table> tables, const View& view);
  std::vector<std::string> extensions;  ///< of its files, without the dot
  bool many = true;                     ///< a file may hold several tables
};

/// The output formats by name. Each is one file in formats/ that registers itself with its last
/// line.
using FormatRegistry = Registry<Format>;

}  // namespace sweep::report
