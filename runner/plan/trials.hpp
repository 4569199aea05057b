#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "core/document.hpp"
#include "runner/plan/catalogue.hpp"
#include "runner/plan/sweep.hpp"

namespace sweep::plan {

/// A value that a grid, an include or the attacker sets on top of the base.
struct Setting {
  std::string key;  ///< dotted, e.g. "defence.lambda_n"
  Json value;
  std::string location;
};
using Settings = std::vector<Setting>;

/// @throws InputError for a key that is no part of a trial
void check_setting_key(const std::string& key, const std::string& location);

/// The settings of a table whose values are not lists: "attacker", "attackers.NAME".
Settings settings_of(const Document& document, const std::string& section);

/// Makes trials of the base of a file with settings on top, checked and completed. A setting that
/// changes the name of a component drops the base's options that the new plugin does not have;
/// those that both have (a model's normalize, an attack's epsilon) stay. Options of one plugin
/// alone may stand in a table of its own, such as [preprocessor.hgd]: they count where that plugin
/// is chosen.
class TrialResolver {
 public:
  /// Both must outlive the resolver.
  TrialResolver(const Document& document, const Catalogue& catalogue)
      : document_(document), catalogue_(catalogue) {}

  /// @throws InputError
  Trial resolve(const Settings& settings);

 private:
  Json component(const std::string& name, const Plugins& plugins, const Settings& settings);

  const Document& document_;
  const Catalogue& catalogue_;
  /// What settings made of components before: most trials share most of theirs.
  std::unordered_map<std::string, Json> known_;
};

/// An attack of the file: {"method": ..., every option}. @throws InputError
Json resolve_attack(const Document& document, const std::string& key, const Catalogue& catalogue);

}  // namespace sweep::plan
