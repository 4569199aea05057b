#pragma once

#include <string>
#include <vector>

#include "core/options.hpp"
#include "core/registry.hpp"
#include "core/text.hpp"
#include "runner/steps/steps.hpp"

namespace sweep::steps {

/// The options of `schema` with the values of `settings`, whose keys are the schema's. Messages
/// name what the user wrote: "--eps 4/255: attack.epsilon = ...".
/// @param prefix   of the keys in messages: "attack"
/// @param chooser  what has chosen the table: "--attack ifgsm"
/// @throws InputError
Json resolve_settings(const Schema& schema, const std::vector<Setting>& settings,
                      const std::string& prefix, const std::string& chooser);

/// What the option has chosen of a registry. @throws InputError naming the option
template <class Factory>
const typename Registry<Factory>::Entry& chosen(const Registry<Factory>& registry,
                                                const std::string& option,
                                                const std::string& name) {
  try {
    return registry.at(name);
  } catch (const InputError& error) {
    throw InputError(concat(option, " ", name, ": ", error.what()));
  }
}

}  // namespace sweep::steps
