#include "runner/report/wording.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "core/text.hpp"

namespace sweep::report {
namespace {

std::string shortest(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

/// Like value_text, but pixel steps as people write them: 4/255.
std::string option_text(const Json& value) {
  constexpr std::size_t kLong = 8;
  std::string text = value_text(value);
  if (!value.is_number_float() || text.size() < kLong) return text;
  const double steps = value.get<double>() * 255;
  const bool whole = std::abs(steps - std::round(steps)) < 1e-6 && std::round(steps) != 0;
  return whole ? shortest(std::round(steps)) + "/255" : text;
}

std::string images_note(const Table& table) {
  std::set<std::string> counts;
  for (const auto& row : table.rows)
    if (row.images) counts.insert(concat(*row.images));
  const std::vector<std::string> all(counts.begin(), counts.end());
  const std::string images = all.empty() ? "" : concat(" over ", join(all, " or "), " test images");
  return concat("Accuracy in percent", images, ", the mean over n seeds (the fewest of the row).");
}

/// "cw: cw, confidence 0, iterations 1000; success on the attacker 98.4 %, ..."
std::string attack_note(const Column& column) {
  std::vector<std::string> parts{column.attack.value("method", "attack")};
  // What nearly every attack has: said only where it is otherwise.
  const Json usual{{"label_source", "true"}, {"target", "none"}};
  for (const auto& [key, value] : column.attack.items())
    if (key != "method" && usual.value(key, Json()) != value)
      parts.push_back(concat(key, " ", option_text(value)));
  const std::string effect =
      column.effect
          ? concat("success on the attacker ", fixed(column.effect->success, 1), " %, mean L2 ",
                   fixed(column.effect->l2, 3), ", mean Linf ", fixed(column.effect->linf, 4))
          : "its adversarial set is missing";
  return concat(column.label, ": ", join(parts, ", "), "; ", effect, ".");
}

bool has_zero_confidence(const Column& column) {
  return column.attack.is_object() && column.attack.value("confidence", Json()) == 0;
}

void add_missing_notes(const Table& table, std::vector<std::string>& lines) {
  if (const auto missing = missing_cells(table).size(); missing > 0)
    lines.push_back(concat("Missing: ", missing, " of ", cell_count(table),
                           " cells; the same sweep_runner command goes on with them."));
  for (const auto& line : partial_cells(table)) lines.push_back(line + ".");
}

}  // namespace

std::string percent(const std::optional<double>& value, const std::string& otherwise) {
  if (!value) return otherwise;
  const std::string text = fixed(*value, 2);
  return text == "-0.00" ? "0.00" : text;
}

std::string value_text(const Json& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return shortest(value.get<double>());
  if (!value.is_array()) return value.dump();
  std::vector<std::string> parts;
  for (const auto& part : value) parts.push_back(value_text(part));
  return join(parts, ";");
}

std::string seeds_text(const Row& row) {
  return value_text(Json(row.seeds));
}

std::vector<std::string> notes(const Table& table) {
  std::vector<std::string> lines{images_note(table)};
  if (std::any_of(table.rows.begin(), table.rows.end(), [](const Row& row) { return row.control; }))
    lines.push_back(
        "Control row (*): an undefended model trained from another seed, not in the paper. The "
        "attacks transfer to it from their attacker: the honest reference for what a defence "
        "adds.");
  for (const auto& column : table.columns)
    if (!column.attack.is_null()) lines.push_back(attack_note(column));
  if (std::any_of(table.columns.begin(), table.columns.end(), has_zero_confidence))
    lines.push_back(
        "An attack with confidence 0 stops right behind the attacker's decision boundary: its "
        "examples hardly transfer, so read its column beside its L2 and its success on the "
        "attacker.");
  add_missing_notes(table, lines);
  return lines;
}

}  // namespace sweep::report
