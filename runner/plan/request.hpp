#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/document.hpp"
#include "runner/plan/sweep.hpp"

namespace sweep::plan {

/// A sweep as the command line asks for it: a file, and what is changed of it.
struct Request {
  std::filesystem::path file;
  std::vector<std::string> overrides;  ///< "key=value" of every --set
  std::vector<std::string> axes;       ///< "key=values" of every --axis
  std::string seeds;                   ///< of --seeds: "0-4", "0,2,5"; empty: as in the file
  std::vector<std::string> only;       ///< "key=values" of every --only: trials meet all of them
  std::vector<std::string> exclude;    ///< "key=values" of every --exclude: trials meet none
  std::int64_t max_trials = 0;         ///< the first so many of what is left; 0: all
};

/// The file, whatever it extends, and what the request changes of its keys. Which trials it leaves
/// out is no part of that: see read_sweep. @throws InputError
Document read_document(const Request& request);

/// The sweep that the request asks for. Rows of the table whose trials are all left out are left
/// out as well; Sweep::notes says how many trials there were. @throws InputError
Sweep read_sweep(const Request& request, const Catalogue& catalogue = built_in_catalogue());

}  // namespace sweep::plan
