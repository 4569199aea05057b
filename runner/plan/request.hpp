#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/document.hpp"

namespace sweep::plan {

/// A sweep as the command line asks for it: a file, and what is changed of it.
struct Request {
  std::filesystem::path file;
  std::vector<std::string> overrides;  ///< "key=value" of every --set
};

/// The file with everything that the request changes. @throws InputError
Document read_request(const Request& request);

}  // namespace sweep::plan
