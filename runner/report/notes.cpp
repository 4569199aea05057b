#include "runner/report/notes.hpp"

#include <algorithm>
#include <cctype>
#include <set>

#include "core/text.hpp"
#include "core/text_table.hpp"
#include "runner/report/grid.hpp"
#include "runner/report/wording.hpp"

namespace sweep::report {
namespace {

using Lines = std::vector<std::string>;

/// "Accuracy in percent over 4 test images, the mean over n seeds (the fewest of the row)."
std::string metric_note(const Table& table, const View& view) {
  std::set<std::string> counts;
  for (const auto& row : table.rows)
    if (row.images) counts.insert(concat(*row.images));
  const Lines all(counts.begin(), counts.end());
  const std::string images = all.empty() ? "" : concat(" over ", join(all, " or "), " test images");
  const MetricInfo& metric = info(view.metric);
  std::string title = metric.title;
  title.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(title.front())));
  const std::string unit = metric.proportion ? "in percent" : "of pixels in [0,1]";
  const std::string sum = view.metric == Metric::max_linf ? "the largest of" : "the mean over";
  const bool whole = view.metric == Metric::accuracy;
  return concat(title, whole ? " " : ", ", unit, whole ? images : "", ", ", sum,
                " n seeds (the fewest of the row).");
}

void add_interval_notes(const View& view, Lines& lines) {
  if (view.std) lines.emplace_back("After \u00b1: the standard deviation over the seeds (n - 1).");
  if (view.ci95)
    lines.emplace_back(
        "[a, b]: 95 % interval of the mean over seeds, Student's t; it is about other seeds, not "
        "about other images.");
  const bool wilson = view.intervals && info(view.metric).proportion;
  if (wilson || view.compare)
    lines.push_back(concat(view.ci95 && wilson ? "Last " : "",
                           "[a, b]: Wilson's 95 % interval for the images of one seed; it is about "
                           "other images, not about other seeds."));
  if (view.compare)
    lines.emplace_back(
        "Inside: whether the published value lies in our interval. The published value has an "
        "uncertainty of its own, which is not known.");
}

/// "attacked: the sweep's attacker", by column.
std::string attacker_text(const Column& column) {
  if (is_white_box(column)) return "white-box: every model is attacked itself";
  return column.attacker.empty() ? "" : concat("attacker ", column.attacker);
}

std::string effect_text(const Column& column) {
  if (column.set_by_row) return "its success and distances differ by row";
  if (!column.effect) return "its adversarial set is missing";
  return concat("success on the attacker ", fixed(column.effect->success, 1), " %, mean L2 ",
                fixed(column.effect->l2, 3), ", mean Linf ", fixed(column.effect->linf, 4));
}

/// "cw: cw, confidence 0, iterations 1000; success on the attacker 98.4 %, ..."
std::string attack_note(const Column& column) {
  const Json method = column.attack.value("method", Json("attack"));
  Lines parts{value_text(method)};
  // What nearly every attack has: said only where it is otherwise.
  const Json usual{{"label_source", "true"}, {"target", "none"}};
  for (const auto& [key, value] : column.attack.items())
    if (key != "method" && usual.value(key, Json()) != value)
      parts.push_back(concat(key, " ", option_text(value)));
  const std::string attacker = attacker_text(column);
  return concat(column.label, ": ", join(parts, ", "), attacker.empty() ? "" : "; ", attacker, "; ",
                effect_text(column), ".");
}

Lines labels_where(const Table& table, bool (*is_wanted)(const Column&)) {
  Lines labels;
  for (const auto& column : table.columns)
    if (!column.attack.is_null() && is_wanted(column)) labels.push_back(column.label);
  return labels;
}

void add_attacker_note(const Table& table, Lines& lines) {
  const Lines white = labels_where(table, is_white_box);
  const Lines transfer = labels_where(table, [](const Column& c) { return !is_white_box(c); });
  std::string text;
  if (!transfer.empty())
    text = concat("One attacker's examples for all rows: ", join(transfer, ", "), ".");
  if (!white.empty())
    text += concat(text.empty() ? "" : " ",
                   "White-box, every row attacked itself: ", join(white, ", "), ".");
  if (!text.empty()) lines.push_back(text);
}

void add_pixels_note(const Table& table, Lines& lines) {
  const Lines rounded = labels_where(table, [](const Column& c) { return c.pixels == "uint8"; });
  const Lines exact = labels_where(table, [](const Column& c) { return c.pixels != "uint8"; });
  if (rounded.empty() && exact.empty()) return;
  std::string text = "Adversarial images are evaluated ";
  if (rounded.empty()) {
    text += "as float32.";
  } else if (exact.empty()) {
    text += "rounded to 8 bit.";
  } else {
    text += concat("rounded to 8 bit in ", join(rounded, ", "), "; as float32 in ",
                   join(exact, ", "), ".");
  }
  lines.push_back(text);
}

bool has_zero_confidence(const Column& column) {
  return column.attack.is_object() && column.attack.value("confidence", Json()) == 0;
}

void add_dataset_notes(const Table& table, Lines& lines) {
  constexpr std::size_t kShown = 3;
  for (const auto& dataset : table.datasets) {
    if (dataset.skipped.empty()) continue;
    const std::size_t shown = std::min(kShown, dataset.skipped.size());
    const Lines first(dataset.skipped.begin(),
                      dataset.skipped.begin() + static_cast<std::ptrdiff_t>(shown));
    lines.push_back(concat("The dataset", dataset.name.empty() ? "" : " ", dataset.name,
                           " was made without ", dataset.skipped.size(),
                           dataset.skipped.size() == 1 ? " image: " : " images: ",
                           join(first, ", "), shown < dataset.skipped.size() ? ", ..." : "", "."));
  }
}

void add_missing_notes(const Table& table, Lines& lines) {
  if (const auto missing = missing_cells(table).size(); missing > 0)
    lines.push_back(concat("Missing: ", missing, " of ", cell_count(table),
                           " cells; the same sweep_runner command goes on with them."));
  for (const auto& line : partial_cells(table)) lines.push_back(line + ".");
}

}  // namespace

std::vector<std::string> notes(const Table& table, const View& view) {
  Lines lines{metric_note(table, view)};
  if (view.compare && comparison_grid(table).size() == 1)
    lines.emplace_back("No cell of this table has a published value to compare with.");
  add_interval_notes(view, lines);
  if (std::any_of(table.rows.begin(), table.rows.end(), [](const Row& row) { return row.control; }))
    lines.emplace_back(
        "Control row (*): an undefended model trained from another seed, not in the paper. The "
        "attacks transfer to it from their attacker: the honest reference for what a defence "
        "adds.");
  add_attacker_note(table, lines);
  for (const auto& column : table.columns)
    if (!column.attack.is_null()) lines.push_back(attack_note(column));
  add_pixels_note(table, lines);
  if (std::any_of(table.columns.begin(), table.columns.end(), has_zero_confidence))
    lines.emplace_back(
        "An attack with confidence 0 stops right behind the attacker's decision boundary: its "
        "examples hardly transfer, so read its column beside its L2 and its success on the "
        "attacker.");
  add_dataset_notes(table, lines);
  add_missing_notes(table, lines);
  for (auto& line : lines) line = printable(std::move(line));
  return lines;
}

}  // namespace sweep::report
