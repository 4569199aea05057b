#pragma once

#include <string>

#include "core/registry.hpp"
#include "runner/report/table.hpp"

namespace sweep::report {

/// Makes the whole text of a table.
using Format = std::string (*)(const Table& table);

/// The output formats by name, which is also the extension of their files. Each is one file in
/// formats/ that registers itself with its last line.
using FormatRegistry = Registry<Format>;

}  // namespace sweep::report
