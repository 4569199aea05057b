#include "runner/plan/weights.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"

namespace sweep::plan {
namespace {

constexpr char kKey[] = "weights";

std::string path_of(const Json& model) {
  return model.value(kKey, "");
}

/// Why a file can't be read, or nothing.
std::string problem_of(const std::filesystem::path& path) {
  std::error_code error;
  const auto type = std::filesystem::status(path, error).type();
  if (error) return error.message();
  if (type != std::filesystem::file_type::regular) return "it is no regular file";
  return ::access(path.c_str(), R_OK) == 0 ? "" : std::strerror(errno);
}

}  // namespace

Json WeightFiles::spec(const Json& model) {
  Json spec = model;
  spec.erase(kKey);
  const std::string path = path_of(model);
  if (path.empty()) return spec;
  auto known = hashes_.find(path);
  if (known == hashes_.end()) known = hashes_.emplace(path, sha256_of_file(path)).first;
  spec["weights_sha256"] = known->second;
  return spec;
}

Json WeightFiles::locations(const Json& model) {
  const std::string path = path_of(model);
  return path.empty() ? Json::object() : Json{{kKey, path}};
}

void check_weights(const Json& model, const LocationOf& location_of) {
  const std::string path = path_of(model);
  const std::string problem = path.empty() ? "" : problem_of(path);
  if (!problem.empty())
    throw InputError(concat(location_of("model.weights"), ": model.weights = \"", path,
                            "\" can't be read (", problem,
                            "); give the path of a safetensors or .pth file, or leave it out to "
                            "train from random parameters"));
}

}  // namespace sweep::plan
