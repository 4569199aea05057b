#include "runner/plan/request.hpp"

#include <algorithm>
#include <charconv>

#include "core/error.hpp"
#include "core/text.hpp"
#include "runner/plan/conditions.hpp"
#include "runner/plan/extends.hpp"
#include "runner/plan/range.hpp"

namespace sweep::plan {
namespace {

/// KEY=VALUES of an option of the command line.
struct Assignment {
  std::string key;
  Json values;        ///< a list, or a table such as {from=0, to=4, step=1}
  std::string place;  ///< "--axis training.seed=0,1"
};

/// Values between commas; what is not a TOML value is taken as text.
Json values_of(const std::string& text, const std::string& place) {
  if (text.starts_with("{")) {
    if (const auto table = toml_value(text)) return *table;
    throw InputError(concat(place, " is no table; write it as in TOML: {min = 0.1, max = 1}"));
  }
  if (const auto list = toml_value("[" + text + "]"); list && !list->empty()) return *list;
  Json values = Json::array();
  for (const auto& part : split(text, ',')) {
    if (part.empty())
      throw InputError(concat(place, " has a value that is empty; write KEY=VALUE,VALUE"));
    const auto value = toml_value(part);
    values.push_back(value ? *value : Json(part));
  }
  return values;
}

Assignment parse(const std::string& option, const std::string& text) {
  const std::string place = concat(option, " ", text);
  const auto cut = text.find('=');
  if (cut == 0 || cut == std::string::npos)
    throw InputError(concat(place,
                            " is no assignment (a dotted key has to stand before an equals sign); "
                            "write ",
                            option, " training.seed=0,1"));
  return {text.substr(0, cut), values_of(text.substr(cut + 1), place), place};
}

/// Takes the key out of a table, whether it is written as "a.b" or as a table in a table.
void erase_key(Json& table, const std::string& key) {
  table.erase(key);
  for (auto cut = key.find('.'); cut != std::string::npos; cut = key.find('.', cut + 1)) {
    const auto nested = table.find(key.substr(0, cut));
    if (nested != table.end() && nested->is_object() && !is_range(*nested))
      erase_key(*nested, key.substr(cut + 1));
  }
}

/// In place of an axis of the grid with the same key.
void apply_axis(Document& document, const std::string& text) {
  const Assignment axis = parse("--axis", text);
  Json& grid = document.root["grid"];
  if (grid.is_null()) grid = Json::object();
  if (!grid.is_object())
    throw InputError(concat(axis.place,
                            ": grid is a value in the file (it must be a table); write "
                            "[grid]"));
  const std::string path = concat("grid.", axis.key);
  erase_key(grid, axis.key);
  std::erase_if(document.locations,
                [&](const auto& entry) { return entry.first.starts_with(path + "["); });
  grid[axis.key] = axis.values;
  document.locations[path] = axis.place;
}

std::int64_t seed_of(const std::string& text, const std::string& place) {
  std::int64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (text.empty() || error != std::errc() || end != text.data() + text.size())
    throw InputError(
        concat(place, ": '", text, "' is no seed; write --seeds 0-4 or --seeds 0,2,5"));
  return seed;
}

void apply_seeds(Document& document, const std::string& text) {
  const std::string place = concat("--seeds ", text);
  Json seeds = Json::array();
  for (const auto& part : split(text, ',')) {
    const auto dash = part.find('-', 1);
    const std::int64_t first = seed_of(part.substr(0, dash), place);
    const std::int64_t last =
        dash == std::string::npos ? first : seed_of(part.substr(dash + 1), place);
    if (last < first)
      throw InputError(
          concat(place, ": ", part, " has no seeds (it counts upwards); write ", last, "-", first));
    if (static_cast<std::uint64_t>(last) - static_cast<std::uint64_t>(first) >= kMaxTrials)
      throw InputError(concat(place, " has more than ", kMaxTrials,
                              " seeds (no plan holds so many trials); write fewer"));
    for (std::int64_t seed = first; seed <= last; ++seed) seeds.push_back(seed);
  }
  Json& heading = document.root["sweep"];
  if (heading.is_null()) heading = Json::object();
  if (!heading.is_object()) return;  // refused with the rest of the file
  heading["seeds"] = seeds;
  std::erase_if(document.locations,
                [](const auto& entry) { return entry.first.starts_with("sweep.seeds"); });
  document.locations["sweep.seeds"] = place;
}

/// Which trials meet the condition; those that an option asks for in vain are likely a mistake.
std::vector<std::size_t> matching_option(TrialIndex& index, const std::string& option,
                                         const std::string& text) {
  const Assignment wanted = parse(option, text);
  const Json value =
      wanted.values.is_array() && wanted.values.size() == 1 ? wanted.values[0] : wanted.values;
  auto found = index.matching({read_condition(wanted.key, value, wanted.place, wanted.key)});
  if (found.empty())
    throw InputError(concat(wanted.place, ": no trial has such a value (the option would ",
                            option == "--only" ? "leave nothing" : "do nothing",
                            "); correct or leave it out"));
  return found;
}

/// Keeps the trials for which `kept` holds, and what refers to them: no rows without trials, no
/// column of the table for a key that none of them has.
void keep(Sweep& sweep, const std::vector<bool>& kept) {
  std::vector<std::size_t> place(kept.size());
  std::vector<Trial> trials;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (!kept[i]) continue;
    place[i] = trials.size();
    trials.push_back(std::move(sweep.trials[i]));
  }
  sweep.trials = std::move(trials);
  const auto keys = known_keys(sweep.trials);
  std::erase_if(sweep.table.row_keys, [&](const std::string& key) {
    return !std::binary_search(keys.begin(), keys.end(), key);
  });
  const auto renumber = [&](std::vector<std::size_t>& list) {
    std::erase_if(list, [&](std::size_t i) { return !kept[i]; });
    for (auto& i : list) i = place[i];
    return list.empty();
  };
  std::erase_if(sweep.table.rows, [&](Row& row) { return renumber(row.trials); });
  std::erase_if(sweep.priorities, [&](Priority& priority) { return renumber(priority.trials); });
}

void select(Sweep& sweep, const Request& request) {
  const std::size_t total = sweep.trials.size();
  TrialIndex index(sweep.trials);
  std::vector<bool> kept(total, true);
  for (const auto& text : request.only) {
    std::vector<bool> matched(total);
    for (const auto i : matching_option(index, "--only", text)) matched[i] = true;
    for (std::size_t i = 0; i < total; ++i) kept[i] = kept[i] && matched[i];
  }
  for (const auto& text : request.exclude)
    for (const auto i : matching_option(index, "--exclude", text)) kept[i] = false;
  const auto left = static_cast<std::size_t>(std::count(kept.begin(), kept.end(), true));
  if (left == 0)
    throw InputError(
        "--only and --exclude together leave no trial (there would be nothing to "
        "run); leave one of them out");
  if (left < total)
    sweep.notes.push_back(concat("--only, --exclude: ", left, " of ", total, " trials"));
  const auto most = static_cast<std::size_t>(request.max_trials);
  if (most > 0 && left > most) {
    std::size_t seen = 0;
    for (std::size_t i = 0; i < total; ++i)
      if (kept[i] && ++seen > most) kept[i] = false;
    sweep.notes.push_back(concat("--max-trials: the first ", most, " of ", left, " trials"));
  }
  if (!sweep.notes.empty()) keep(sweep, kept);
}

}  // namespace

Document read_document(const Request& request) {
  Document document = read_extended(request.file);
  for (const auto& assignment : request.overrides) apply_override(document, assignment);
  for (const auto& axis : request.axes) apply_axis(document, axis);
  if (!request.seeds.empty()) apply_seeds(document, request.seeds);
  return document;
}

Sweep read_sweep(const Request& request, const Catalogue& catalogue) {
  if (request.max_trials < 0)
    throw InputError(concat("--max-trials ", request.max_trials,
                            " is no number of trials; give 1 or more, or leave it out"));
  Sweep sweep = resolve_sweep(read_document(request), catalogue);
  select(sweep, request);
  return sweep;
}

}  // namespace sweep::plan
