#pragma once

#include <map>
#include <string>

#include "core/json.hpp"
#include "core/options.hpp"

namespace sweep::plan {

/// The weight files that models start from (model.weights). Where one lies is no part of an
/// artifact's name; the SHA-256 of its content is.
class WeightFiles {
 public:
  /// A model's options as its artifact's spec has them: with "weights_sha256" in place of the path,
  /// and with neither where training starts from random parameters.
  /// Every file is read once. @throws Error{storage}
  Json spec(const Json& model);

  /// {"weights": path}, or nothing in it.
  static Json locations(const Json& model);

 private:
  std::map<std::string, std::string> hashes_;
};

/// @throws InputError at the place of model.weights when its file can't be read
void check_weights(const Json& model, const LocationOf& location_of);

}  // namespace sweep::plan
