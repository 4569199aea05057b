#include "runner/commands/command.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::commands {

std::map<std::string, Entry>& all() {
  static std::map<std::string, Entry> entries;
  return entries;
}

bool add(const std::string& name, Entry entry) {
  if (!all().emplace(name, std::move(entry)).second)
    throw Error(FailureType::internal, concat("the verb '", name,
                                              "' is registered twice (one would hide the other); "
                                              "rename one"));
  return true;
}

}  // namespace sweep::commands
