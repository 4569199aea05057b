#include "core/precision.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep {

const std::vector<std::string>& precision_names() {
  static const std::vector<std::string> names{"float32", "tf32", "bf16"};
  return names;
}

Precision precision_from(const std::string& name) {
  const auto found = std::ranges::find(precision_names(), name);
  if (found == precision_names().end())
    throw InputError(concat("there is no precision \"", name, "\"; choose one of ",
                            join(precision_names(), ", ")));
  return static_cast<Precision>(found - precision_names().begin());
}

}  // namespace sweep
