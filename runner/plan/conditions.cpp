#include "runner/plan/conditions.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::plan {
namespace {

const std::vector<std::string> kRangeKeys{"max", "min", "not"};

/// {min=, max=, not=}, or one with a mistake in it.
bool is_bounds(const Json& value) {
  return value.is_object() && std::any_of(kRangeKeys.begin(), kRangeKeys.end(),
                                          [&](const auto& key) { return value.contains(key); });
}

/// 1 and 1.0 are equal, and so are "4/255" and what it stands for.
bool same_value(const Json& resolved, const Json& written) {
  const auto number = number_of(written);
  return resolved.is_number() && number ? resolved.get<double>() == *number : resolved == written;
}

/// Equal for values that are the same.
std::string text_of(const Json& value) {
  if (value.is_number()) return Json(value.get<double>()).dump();
  if (!value.is_array()) return value.dump();
  std::string text = "[";
  for (const auto& element : value) text += text_of(element) + ",";
  return text + "]";
}

/// What a written value stands for: itself and, if it is a list, each of its elements.
std::vector<Json> alternatives(const Json& written) {
  std::vector<Json> values{written};
  if (written.is_array()) values.insert(values.end(), written.begin(), written.end());
  return values;
}

bool is_among(const Json& resolved, const std::vector<Json>& values) {
  return std::any_of(values.begin(), values.end(),
                     [&](const Json& value) { return same_value(resolved, value); });
}

double limit(const Json& range, const char* key, double otherwise, const std::string& place) {
  if (!range.contains(key)) return otherwise;
  const auto number = number_of(range.at(key));
  if (!number || std::isnan(*number))
    throw InputError(concat(place, ".", key, " = ", range.at(key).dump(),
                            " is no number (values are compared with it); give a number, or a "
                            "fraction such as \"4/255\""));
  return *number;
}

}  // namespace

Condition read_condition(const std::string& key, const Json& wanted, const std::string& location,
                         const std::string& name) {
  const std::string place = concat(location, ": ", name);
  Condition condition{.key = key, .location = location};
  if (!is_bounds(wanted)) {
    if (wanted.is_array() && wanted.empty())
      throw InputError(concat(place,
                              " is an empty list (no trial has a value of it); give it "
                              "values"));
    condition.values = alternatives(wanted);
    return condition;
  }
  for (const auto& [part, value] : wanted.items())
    if (std::find(kRangeKeys.begin(), kRangeKeys.end(), part) == kRangeKeys.end())
      throw InputError(
          concat(place, ".", part, " is unknown in a condition", suggestion(part, kRangeKeys)));
  if (wanted.contains("not")) condition.unwanted = alternatives(wanted.at("not"));
  condition.min = limit(wanted, "min", condition.min, place);
  condition.max = limit(wanted, "max", condition.max, place);
  if (condition.min > condition.max)
    throw InputError(concat(place,
                            " has a min above its max (nothing lies between them); swap "
                            "them"));
  return condition;
}

Conditions read_conditions(const Document& document, const Json& table, const std::string& path) {
  Conditions conditions;
  for (const auto& [key, wanted] : flatten(table, is_bounds)) {
    const std::string dotted = concat(path, ".", key);
    conditions.push_back(read_condition(key, wanted, document.location_of(dotted), dotted));
  }
  return conditions;
}

bool meets(const Trial& trial, const Condition& condition) {
  const Json* value = trial.find(condition.key);
  if (value == nullptr) return false;
  if (!condition.values.empty() && !is_among(*value, condition.values)) return false;
  if (is_among(*value, condition.unwanted)) return false;
  if (!std::isfinite(condition.min) && !std::isfinite(condition.max)) return true;
  return value->is_number() && value->get<double>() >= condition.min &&
         value->get<double>() <= condition.max;
}

TrialIndex::TrialIndex(const std::vector<Trial>& trials)
    : trials_(trials), keys_(known_keys(trials)) {}

void TrialIndex::check_key(const std::string& location, const std::string& key) const {
  if (!std::binary_search(keys_.begin(), keys_.end(), key))
    throw InputError(
        concat(location, ": unknown key ", key, " (no trial has it)", suggestion(key, keys_)));
}

const TrialIndex::Postings& TrialIndex::postings(const std::string& key) {
  const auto [entry, is_new] = postings_.try_emplace(key);
  if (is_new)
    for (std::size_t i = 0; i < trials_.size(); ++i)
      if (const Json* value = trials_[i].find(key)) entry->second[text_of(*value)].push_back(i);
  return entry->second;
}

std::vector<const std::vector<std::size_t>*> TrialIndex::lists_of(const Condition& condition) {
  const Postings& all = postings(condition.key);
  std::set<const std::vector<std::size_t>*> lists;
  const auto add = [&](const std::string& text) {
    if (const auto list = all.find(text); list != all.end()) lists.insert(&list->second);
  };
  for (const auto& value : condition.values) {
    add(text_of(value));
    if (const auto number = number_of(value)) add(text_of(*number));
  }
  return {lists.begin(), lists.end()};
}

std::vector<std::size_t> TrialIndex::matching(const Conditions& conditions) {
  // The condition that the fewest trials meet says whom to ask about the others.
  std::optional<std::vector<const std::vector<std::size_t>*>> fewest;
  std::size_t count = trials_.size();
  for (const auto& condition : conditions) {
    check_key(condition.location, condition.key);
    if (condition.values.empty()) continue;
    auto lists = lists_of(condition);
    std::size_t size = 0;
    for (const auto* list : lists) size += list->size();
    if (fewest && size >= count) continue;
    fewest = std::move(lists);
    count = size;
  }
  std::vector<std::size_t> found;
  const auto consider = [&](std::size_t i) {
    if (std::all_of(conditions.begin(), conditions.end(),
                    [&](const Condition& condition) { return meets(trials_[i], condition); }))
      found.push_back(i);
  };
  if (fewest) {
    for (const auto* list : *fewest) std::for_each(list->begin(), list->end(), consider);
    std::sort(found.begin(), found.end());
  } else {
    for (std::size_t i = 0; i < trials_.size(); ++i) consider(i);
  }
  return found;
}

}  // namespace sweep::plan
