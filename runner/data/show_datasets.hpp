#pragma once

#include <filesystem>
#include <iosfwd>

#include "runner/engine/run.hpp"

namespace sweep::data {

struct DataRequest {
  engine::RunRequest run;
  std::filesystem::path sheet;  ///< empty: DIR/datasets/HASH.png
  bool json = false;
};

/// Prepares the datasets of a sweep, the same artifacts that its run would make, writes a contact
/// sheet of each and prints its card. In JSON: one object a line for each dataset, the card with
/// "artifact" (its name) and "sheet" (the file). Returns the process's exit status.
/// @throws InputError
int show_datasets(const DataRequest& request, std::ostream& out);

}  // namespace sweep::data
