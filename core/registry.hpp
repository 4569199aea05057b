#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/options.hpp"
#include "core/text.hpp"

namespace sweep {

/// The named variants of one kind ("attack", "model", ...). Every variant adds itself from the last
/// line of its own file, so a duplicate name ends the program at its start.
///
/// `Factory` is the type of a function that makes a variant from its resolved options.
template <class Factory>
class Registry {
 public:
  struct Entry {
    std::string summary;  ///< one line for `sweep_runner list`
    Schema schema;        ///< every option of the variant
    Factory make;
  };

  static Registry& instance() {
    static Registry registry;
    return registry;
  }

  bool add(const std::string& name, Entry entry) {
    if (!entries_.emplace(name, std::move(entry)).second)
      throw Error(
          FailureType::internal,
          concat("'", name, "' is registered twice (one would hide the other); rename one"));
    return true;
  }

  const Entry& at(const std::string& name) const {
    const auto found = entries_.find(name);
    if (found != entries_.end()) return found->second;
    std::vector<std::string> names;
    for (const auto& [known, entry] : entries_) names.push_back(known);
    throw InputError(concat("nothing is registered as '", name, "'", suggestion(name, names)));
  }

  const std::map<std::string, Entry>& entries() const { return entries_; }

 private:
  std::map<std::string, Entry> entries_;
};

}  // namespace sweep
