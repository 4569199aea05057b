#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/document.hpp"
#include "core/json.hpp"
#include "runner/plan/catalogue.hpp"
#include "runner/plan/run_options.hpp"
#include "runner/scheduling/early_stopping.hpp"

namespace sweep::plan {

/// One model to train and to evaluate, every key resolved. The components are objects with the
/// plugin's "name" beside its options.
struct Trial {
  Json dataset, model, defence, preprocessor, training;

  /// {"dataset": ..., "model": ..., "defence": ..., "preprocessor": ..., "training": ...}
  Json to_json() const;
  /// The value of a dotted key such as "training.seed", or null where the trial has no such key.
  const Json* find(std::string_view key) const;
  bool operator==(const Trial&) const = default;
};

/// The parts of a trial, by the name that keys of sweep files begin with.
struct Component {
  const char* name;
  Json Trial::*member;
};
inline constexpr Component kComponents[] = {{"dataset", &Trial::dataset},
                                            {"model", &Trial::model},
                                            {"defence", &Trial::defence},
                                            {"preprocessor", &Trial::preprocessor},
                                            {"training", &Trial::training}};

/// Column::attacker of a white-box column.
inline constexpr char kSelf[] = "self";

/// A column of the table: accuracy on clean images, or on those of an attack.
struct Column {
  std::string label;
  std::string attack;    ///< key in Sweep::attacks; empty for clean images
  std::string attacker;  ///< key in Sweep::attackers; empty: Sweep::attacker; kSelf: every trial is
                         ///< attacked itself
  std::string pixels = "float32";  ///< adversarial images are evaluated so, or rounded to "uint8"

  bool is_clean() const { return attack.empty(); }
  bool is_white_box() const { return attacker == kSelf; }
};

/// A row of the table: the mean over its trials.
struct Row {
  std::string label;
  std::string group;                        ///< heading of rows that belong together; may be empty
  bool control = false;                     ///< shown for comparison, not in the paper
  bool baseline = false;                    ///< the undefended row that others are compared with
  std::vector<std::size_t> trials;          ///< indices into Sweep::trials
  Json where = Json::object();              ///< the conditions that only these trials meet
  std::map<std::string, double> published;  ///< column label -> accuracy, percent
};

struct Table {
  std::string title;
  std::vector<std::string> row_keys;  ///< dotted keys of the trials that are columns of their own
  std::vector<Column> columns;
  std::vector<Row> rows;
};

/// A table of [[priority]].
struct Priority {
  Json where;  ///< conditions
  int value = 0;
  std::vector<std::size_t> trials;  ///< that meet them
};

/// A sweep file, resolved.
struct Sweep {
  std::string name, description;
  std::vector<Trial> trials;
  Trial attacker;  ///< its dataset is replaced by that of the trial it attacks
  std::map<std::string, Trial> attackers;  ///< others, that columns name; the same holds
  std::map<std::string, Json> attacks;     ///< key -> {"method": ..., options}
  Table table;
  std::vector<Priority> priorities;
  scheduling::EarlyStoppingOptions early_stopping;
  RunOptions run;
  std::vector<std::string> notes;  ///< what the user should be told before the run
};

/// The option of a preprocessor that names the attacks it is trained on.
inline constexpr char kTrainingAttacks[] = "training_attacks";

/// Keys of the attacks whose examples of the training images the trial's preprocessor learns from.
std::vector<std::string> training_attacks(const Trial& trial, const Catalogue& catalogue);

/// The same of all trials and attackers.
std::set<std::string> training_attacks(const Sweep& sweep, const Catalogue& catalogue);

/// Expands and checks everything. @throws InputError with file:line:column, dotted key, nearest
/// name.
Sweep resolve_sweep(const Document& document, const Catalogue& catalogue);

/// "a.b.c" -> leaf for every value that is not an object, or is one that counts as a leaf.
std::map<std::string, Json> flatten(
    const Json& object,
    const std::function<bool(const Json&)>& is_leaf = [](const Json&) { return false; });

/// Every dotted key that a trial has, sorted.
std::vector<std::string> known_keys(const std::vector<Trial>& trials);

/// Per trial: the highest value of the [[priority]] tables whose conditions it meets, or 0.
std::vector<int> trial_priorities(const Sweep& sweep);

/// Dotted keys whose values differ between trials that have them.
std::set<std::string> varying_keys(const std::vector<Trial>& trials);

}  // namespace sweep::plan
