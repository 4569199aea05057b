#include "runner/plan/grammar.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "core/text.hpp"
#include "runner/plan/run_options.hpp"
#include "runner/plan/search.hpp"
#include "runner/slurm/options.hpp"

namespace sweep::plan {
namespace {

std::string type_text(const OptionInfo& option) {
  if (!option.choices.empty()) return "";
  switch (option.type) {
    case OptionType::number:
      return "number";
    case OptionType::integer:
      return "integer";
    case OptionType::boolean:
      return "true or false";
    case OptionType::text:
      return "text";
    case OptionType::numbers:
      return "list of numbers";
    case OptionType::texts:
      return "list of texts";
  }
  return "";
}

std::string limit_text(double limit) {
  const bool whole = limit == std::floor(limit) && std::abs(limit) < 1e15;
  return whole ? std::to_string(static_cast<std::int64_t>(limit)) : Json(limit).dump();
}

std::string takes_text(const OptionInfo& option) {
  std::string text = type_text(option);
  if (!option.choices.empty()) {
    std::vector<std::string> choices;
    for (const auto& choice : option.choices) choices.push_back(Json(choice).dump());
    text = join(choices, ", ");
  }
  const bool low = std::isfinite(option.min), high = std::isfinite(option.max);
  if (low && high)
    text += concat(" in [", limit_text(option.min), ", ", limit_text(option.max), "]");
  if (low && !high) text += concat(", at least ", limit_text(option.min));
  if (!low && high) text += concat(", at most ", limit_text(option.max));
  if (!option.unit.empty()) text += concat(", ", option.unit);
  return text;
}

std::vector<SectionInfo> make_sections() {
  const std::string axes = "list, {from, to, step} or {from, to, num, scale}";
  const std::string conditions = "table of conditions";
  return {
      {"sweep",
       "[sweep]",
       "what the sweep is",
       {{"name", "text", "", "names the run's folder and tables", true},
        {"description", "text", "\"\"", "one line for people"},
        {"seeds", "list of integers, or a range", "", "an axis training.seed over all trials"}}},
      {"extends",
       "extends",
       "a file that this one is written on top of; stands above all tables",
       {}},
      {"dataset", "[dataset]", "the images", {}},
      {"model", "[model]", "the classifier", {}},
      {"defence", "[defence]", "how it is trained to be robust", {}},
      {"preprocessor", "[preprocessor]", "what stands before it", {}},
      {"training", "[training]", "how it is trained", {}},
      {"attacker",
       "[attacker]",
       "settings on top of the base: the model whose adversarial examples all others are shown",
       {}},
      {"attackers", "[attackers.NAME]", "other attackers, for columns that name them", {}},
      {"attacks", "[attacks.NAME]", "an attack: its method and its options", {}},
      {"grid",
       "[grid]",
       "every combination of values is a trial",
       {{"KEY", axes, "", "a dotted key of a trial, such as \"training.seed\""}}},
      {"zip",
       "[[zip]]",
       "axes that change together, combined with the grid and other [[zip]]",
       {{"KEY", axes + ", as many values as the others", "", "a dotted key of a trial"}}},
      {"include",
       "[[include]]",
       "more trials: a grid of its own",
       {{"KEY", "a value, or what [grid] takes", "", "a dotted key of a trial"}}},
      {"exclude",
       "[[exclude]]",
       "drops the trials that meet all conditions",
       {{"KEY", "a value, a list of values, or {min, max, not}", "", "a dotted key of a trial"}}},
      {"search", "[search]", "draws trials, and stops trainings that fall behind",
       key_infos(search_schema())},
      {"search.space",
       "[search.space]",
       "what to draw from",
       {{"KEY", "list, {from, to, scale}, or what [grid] takes", "", "a dotted key of a trial"}}},
      {"priority",
       "[[priority]]",
       "which trials come first; changes no result",
       {{"where", conditions, "", "the trials that are meant", true},
        {"value", concat("integer in [", -kMaxPriority, ", ", kMaxPriority, "]"), "",
         "higher first; a task takes the highest of the trials that need it; trials without one "
         "have 0",
         true}}},
      {"table",
       "[table]",
       "the table that the sweep makes",
       {{"title", "text", "sweep.name", "above the table"},
        {"row_keys", "list of dotted keys", "[]",
         "keys of the trials that are columns of their own"},
        {"pixels", "\"float32\", \"uint8\"", "\"float32\"",
         "adversarial images are evaluated so, or rounded to 8 bit"},
        {"white_box", "true or false", "true",
         "false leaves out columns whose attacker is \"self\""},
        {"column", "list of tables", "clean images and every attack", "see [[table.column]]"},
        {"row", "list of tables", "one row for every trial", "see [[table.row]]"}}},
      {"table.column",
       "[[table.column]]",
       "a column: accuracy on clean or adversarial images",
       {{"label", "text", "", "its heading", true},
        {"attack", "name of an [attacks.NAME]", "clean images", "whose adversarial images"},
        {"attacker", "name of an [attackers.NAME], or \"self\"", "[attacker]",
         "whom the attack is made against; \"self\": each trial"},
        {"pixels", "\"float32\", \"uint8\"", "table.pixels", "as for the table"}}},
      {"table.row",
       "[[table.row]]",
       "a row: the mean over its trials",
       {{"label", "text", "", "its heading", true},
        {"where", conditions, "", "the trials of the row", true},
        {"group", "text", "\"\"", "heading of rows that belong together"},
        {"baseline", "true or false", "false", "the undefended row that others are compared with"},
        {"control", "true or false", "false", "the undefended row from another seed"},
        {"published", "table: column label = percent", "{}", "values to be printed beside"}}},
      {"run", "[run]", "how to run; changes no result", key_infos(run_schema())},
      {"slurm", "[slurm]", "the job that sweep_runner submit makes of it; changes no result",
       key_infos(slurm::slurm_schema())},
  };
}

}  // namespace

std::vector<KeyInfo> key_infos(const Schema& schema) {
  std::vector<KeyInfo> keys;
  for (const auto& option : schema) {
    const std::string relative = option.relative_key.empty()
                                     ? ""
                                     : concat("; may be given as ", option.relative_key,
                                              ", its part of ", option.relative_to);
    keys.push_back({option.key, takes_text(option),
                    option.default_value.is_null() ? "" : option.default_value.dump(),
                    option.doc + relative, option.default_value.is_null()});
  }
  return keys;
}

const std::vector<SectionInfo>& sections() {
  static const std::vector<SectionInfo> all = make_sections();
  return all;
}

std::vector<std::string> keys_of_section(const std::string& name) {
  const auto section = std::find_if(sections().begin(), sections().end(),
                                    [&](const SectionInfo& info) { return info.name == name; });
  if (section == sections().end()) throw std::out_of_range(concat("no section ", name));
  std::vector<std::string> keys;
  for (const auto& key : section->keys) keys.push_back(key.key);
  return keys;
}

const std::vector<std::string>& top_keys() {
  static const std::vector<std::string> keys = [] {
    std::vector<std::string> top;
    for (const auto& section : sections())
      if (section.name.find('.') == std::string::npos) top.push_back(section.name);
    return top;
  }();
  return keys;
}

}  // namespace sweep::plan
