#include "runner/inspect/trial_list.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <set>

#include "core/error.hpp"
#include "core/text.hpp"
#include "runner/inspect/measured.hpp"

namespace sweep::inspect {
namespace {

constexpr std::size_t kLongestText = 80;
constexpr std::size_t kShortHash = 12;

std::int64_t attempts_of(const RunView& run, const TrialState& trial) {
  std::size_t most = 0;
  for (const auto task : trial.own) most = std::max(most, run.history().task(task).attempts.size());
  return static_cast<std::int64_t>(most);
}

/// The value of a dotted key; null where there is none.
const Json& value_in(const Json& spec, const std::string& key) {
  static const Json nothing;
  const Json* value = &spec;
  for (const auto& part : split(key, '.')) {
    const auto below = value->is_object() ? value->find(part) : value->end();
    if (below == value->end()) return nothing;
    value = &*below;
  }
  return *value;
}

/// One trial as values by key.
class Values {
 public:
  Values(const RunView& run, std::vector<std::string>& problems) : run_(run), problems_(problems) {}

  Json value(std::size_t index, const std::string& key) const {
    const Trial& trial = run_.plan().trials[index];
    const TrialState& state = run_.trials()[index];
    if (key == "id") return trial.id;
    if (key == "label") return trial.label;
    if (key == "row") return trial.row;
    if (key == "state") return to_string(state.state);
    if (key == "seconds") return std::round(10 * state.seconds) / 10;
    if (key == "attempts") return attempts_of(run_, state);
    if (key == "why") return state.why.empty() ? Json() : Json(state.why);
    if (key == "model") return model(trial);
    if (const auto evaluation = trial.evaluations.find(key); evaluation != trial.evaluations.end())
      return accuracy(evaluation->second);
    return value_in(*trial.spec, key);
  }

 private:
  Json model(const Trial& trial) const {
    const auto models = models_of(run_.plan(), trial);
    return models.empty()
               ? Json()
               : Json(run_.plan().tasks[models.front()].output.hash.substr(0, kShortHash));
  }

  Json accuracy(std::size_t task) const {
    if (run_.tasks()[task].state != State::done) return {};
    try {
      const auto percent = accuracy_of(run_.folder().store, run_.plan().tasks[task].output);
      return percent ? Json(std::round(100 * *percent) / 100) : Json();
    } catch (const Error& error) {
      problems_.emplace_back(error.what());
      return {};
    }
  }

  const RunView& run_;
  std::vector<std::string>& problems_;
};

const std::vector<std::string>& fixed_keys() {
  static const std::vector<std::string> keys{"id",      "label",    "row",   "state",
                                             "seconds", "attempts", "model", "why"};
  return keys;
}

/// @throws InputError for a key that no trial has
class KnownKeys {
 public:
  explicit KnownKeys(const Plan& plan) : plan_(plan) {}

  void check(const std::string& key, const std::string& option) {
    const bool in_a_spec =
        std::any_of(plan_.trials.begin(), plan_.trials.end(),
                    [&](const Trial& trial) { return !value_in(*trial.spec, key).is_null(); });
    if (in_a_spec) return;
    if (keys_.empty()) fill();
    if (keys_.contains(key)) return;
    throw InputError(concat(option, ": no trial has the key '", key, "'",
                            suggestion(key, std::vector(keys_.begin(), keys_.end()))));
  }

 private:
  void fill() {
    keys_.insert(fixed_keys().begin(), fixed_keys().end());
    keys_.insert(plan_.columns.begin(), plan_.columns.end());
    for (const auto& trial : plan_.trials)
      for (const auto& [key, value] : leaves(*trial.spec)) keys_.insert(key);
  }

  const Plan& plan_;
  std::set<std::string> keys_;
};

/// "1e-1" is 0.1: numbers compare as numbers.
bool is_equal(const Json& value, const std::string& text) {
  if (value.is_number()) {
    double number = 0;
    const char* end = text.data() + text.size();
    const auto [parsed, error] = std::from_chars(text.data(), end, number);
    return error == std::errc() && parsed == end && value.get<double>() == number;
  }
  return value_text(value) == text;
}

/// Numbers before texts, nothing at the end.
bool is_less(const Json& a, const Json& b) {
  const auto rank = [](const Json& value) {
    return value.is_number() ? 0 : value.is_null() ? 2 : 1;
  };
  if (rank(a) != rank(b)) return rank(a) < rank(b);
  if (a.is_number()) return a.get<double>() < b.get<double>();
  return value_text(a) < value_text(b);
}

struct Filter {
  std::string key, value;
};

std::vector<Filter> read_filters(const ListRequest& request, KnownKeys& known) {
  std::vector<Filter> filters;
  for (const auto& text : request.where) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      throw InputError(concat("--where ", text,
                              ": it is not KEY=VALUE (trials are chosen by what a key says); write "
                              "--where defence.name=denoising"));
    filters.push_back({text.substr(0, equals), text.substr(equals + 1)});
    known.check(filters.back().key, "--where");
  }
  return filters;
}

void sort_rows(std::vector<std::size_t>& trials, const std::string& key, const Values& values) {
  const bool falling = key.starts_with('-');
  std::vector<std::pair<Json, std::size_t>> keyed;
  for (const auto trial : trials)
    keyed.emplace_back(values.value(trial, falling ? key.substr(1) : key), trial);
  std::stable_sort(keyed.begin(), keyed.end(), [falling](const auto& a, const auto& b) {
    if (a.first.is_null() || b.first.is_null()) return is_less(a.first, b.first);
    return falling ? is_less(b.first, a.first) : is_less(a.first, b.first);
  });
  for (std::size_t i = 0; i < trials.size(); ++i) trials[i] = keyed[i].second;
}

}  // namespace

std::map<std::string, Json> leaves(const Json& object) {
  std::map<std::string, Json> found;
  const std::function<void(const Json&, const std::string&)> add = [&](const Json& value,
                                                                       const std::string& key) {
    if (!value.is_object()) {
      found[key] = value;
      return;
    }
    for (const auto& [name, below] : value.items())
      add(below, key.empty() ? name : key + '.' + name);
  };
  add(object, "");
  return found;
}

std::string value_text(const Json& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_number_float()) return value.dump();
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value.get<double>()).ptr};
}

TrialList list_trials(const RunView& run, const ListRequest& request) {
  TrialList list{.keys = request.columns};
  if (list.keys.empty()) list.keys = {"id", "label", "state", "seconds"};
  const auto& columns = run.plan().columns;
  if (request.metrics)
    for (const auto& column : columns)
      if (std::find(list.keys.begin(), list.keys.end(), column) == list.keys.end())
        list.keys.push_back(column);
  KnownKeys known(run.plan());
  for (const auto& key : request.columns) known.check(key, "--columns");
  if (!request.sort.empty())
    known.check(request.sort.substr(request.sort.starts_with('-') ? 1 : 0), "--sort");
  const auto filters = read_filters(request, known);
  std::set<State> states;
  for (const auto& state : request.states) states.insert(state_from(state));

  const Values values(run, list.problems);
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < run.trials().size(); ++i) {
    const bool in_state = states.empty() || states.contains(run.trials()[i].state);
    if (in_state && std::all_of(filters.begin(), filters.end(), [&](const Filter& filter) {
          return is_equal(values.value(i, filter.key), filter.value);
        }))
      chosen.push_back(i);
  }
  if (!request.sort.empty()) sort_rows(chosen, request.sort, values);
  for (const auto trial : chosen) {
    auto& row = list.rows.emplace_back();
    for (const auto& key : list.keys) row.push_back(values.value(trial, key));
  }
  std::sort(list.problems.begin(), list.problems.end());
  list.problems.erase(std::unique(list.problems.begin(), list.problems.end()), list.problems.end());
  return list;
}

TextTable table_of(const TrialList& list, bool cut) {
  TextTable table;
  for (const auto& key : list.keys) table.columns.push_back({key, true});
  for (const auto& row : list.rows) {
    auto& line = table.rows.emplace_back();
    for (std::size_t c = 0; c < row.size(); ++c) {
      if (!row[c].is_number() && !row[c].is_null()) table.columns[c].numbers = false;
      const std::string text = value_text(row[c]);
      line.push_back(cut ? clipped(text, kLongestText) : text);
    }
  }
  return table;
}

Json json_of(const TrialList& list) {
  Json json = Json::array();
  for (const auto& row : list.rows) {
    Json& entry = json.emplace_back(Json::object());
    for (std::size_t c = 0; c < row.size(); ++c) entry[list.keys[c]] = row[c];
  }
  return json;
}

}  // namespace sweep::inspect
