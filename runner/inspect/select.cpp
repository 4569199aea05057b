#include "runner/inspect/select.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

#include "core/error.hpp"
#include "core/text.hpp"
#include "core/text_table.hpp"

namespace sweep::inspect {
namespace {

constexpr std::size_t kShortestPrefix = 4;
constexpr std::size_t kShown = 5;
constexpr char kNames[] =
    "a trial is named by its number, its label, its row's label or the first digits of its model's "
    "name: sweep_runner list";

using Found = std::vector<std::size_t>;

template <class Matches>
Found all_trials(const Plan& plan, Matches matches) {
  Found found;
  for (std::size_t i = 0; i < plan.trials.size(); ++i)
    if (matches(plan.trials[i])) found.push_back(i);
  return found;
}

std::string described(const Plan& plan, const Found& trials) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < std::min(trials.size(), kShown); ++i) {
    const Trial& trial = plan.trials[trials[i]];
    texts.push_back(concat(trial.id, " '", clipped(printable(trial.label), 80), "'"));
  }
  if (trials.size() > kShown) texts.push_back(concat("and ", trials.size() - kShown, " more"));
  return join(texts, ", ");
}

std::string lower(std::string text) {
  for (char& letter : text)
    letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return text;
}

/// " (did you mean ...?)", or nothing.
std::string near_matches(const Plan& plan, const std::string& name) {
  const std::string part = lower(name);
  const Found holding = all_trials(plan, [&](const Trial& trial) {
    return lower(trial.label).find(part) != std::string::npos ||
           lower(trial.row).find(part) != std::string::npos;
  });
  if (!part.empty() && !holding.empty())
    return concat(" (did you mean ", described(plan, holding), "?)");
  std::vector<std::string> labels;
  for (const auto& trial : plan.trials) labels.push_back(clipped(printable(trial.label), 80));
  const std::string nearest = suggestion(clipped(printable(name), 80), labels);
  if (nearest.starts_with(" (did you mean")) return nearest;
  return concat(" (it has ", plan.trials.size(), " trials)");
}

std::optional<std::int64_t> number_in(const std::string& name) {
  std::int64_t number = 0;
  const char* end = name.data() + name.size();
  const auto [parsed, error] = std::from_chars(name.data(), end, number);
  return error == std::errc() && parsed == end ? std::optional(number) : std::nullopt;
}

}  // namespace

std::size_t find_trial(const Plan& plan, const std::string& name) {
  const auto number = number_in(name);
  const auto has_prefix = [&](const Trial& trial) {
    const auto models = models_of(plan, trial);
    return std::any_of(models.begin(), models.end(), [&](std::size_t model) {
      return plan.tasks[model].output.hash.starts_with(name);
    });
  };
  Found found = all_trials(plan, [&](const Trial& t) { return number && t.id == *number; });
  if (found.empty()) found = all_trials(plan, [&](const Trial& t) { return t.label == name; });
  if (found.empty()) found = all_trials(plan, [&](const Trial& t) { return t.row == name; });
  if (found.empty() && name.size() >= kShortestPrefix) found = all_trials(plan, has_prefix);
  if (found.size() == 1) return found.front();
  const std::string shown = clipped(printable(name), 80);
  if (found.empty())
    throw InputError(
        concat("there is no trial '", shown, "'", near_matches(plan, name), "; ", kNames));
  throw InputError(concat("'", shown, "' means ", found.size(), " trials: ", described(plan, found),
                          "; name one by its number"));
}

}  // namespace sweep::inspect
