#include "runner/plan/search.hpp"

#include <algorithm>
#include <limits>
#include <unordered_set>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "runner/plan/range.hpp"

namespace sweep::plan {
namespace {

constexpr char kSpace[] = "search.space";

const OptionTable<SearchOptions>& search_table() {
  static const OptionTable<SearchOptions> table{
      {"method",
       &SearchOptions::method,
       {.choices = {"none", "random"},
        .doc = "random: draws combinations of values from [search.space]"}},
      {"trials",
       &SearchOptions::trials,
       {.min = 0,
        .max = static_cast<double>(kMaxTrials),
        .doc = "combinations to draw; each is tried with all of the grid"}},
      {"seed", &SearchOptions::seed, {.doc = "of the draws"}},
      {"early_stopping",
       &SearchOptions::rule,
       {.choices = {"none", "asha", "median"},
        .doc = "ends trainings that fall behind others: asha (Li et al. 2020) at epochs that grow "
               "by reduction, median (Golovin et al. 2017) after every epoch"}},
      {"metric",
       &SearchOptions::metric,
       {.choices = scheduling::stopping_metrics(),
        .doc = "of an epoch of training, that trainings are compared by; accuracy is the better "
               "the higher, losses the lower"}},
      {"min_epochs",
       &SearchOptions::min_epochs,
       {.min = 1, .max = 1e6, .unit = "epochs", .doc = "no training is stopped before"}},
      {"reduction",
       &SearchOptions::reduction,
       {.min = 2,
        .max = 1000,
        .doc = "asha: one in so many goes on at each of the epochs min_epochs, min_epochs * "
               "reduction, min_epochs * reduction^2, ..."}},
      {"grace",
       &SearchOptions::grace,
       {.min = 1,
        .max = 1e6,
        .doc = "median: trainings that have to be complete before one is stopped"}},
      {"force",
       &SearchOptions::force,
       {.doc = "search also in a file that compares with published values"}},
  };
  return table;
}

Json search_section(const Document& document) {
  const Json section = document.root.value("search", Json::object());
  if (!section.is_object())
    throw InputError(concat(document.location_of("search"),
                            ": search is a value (it must be a table); write [search]"));
  return section;
}

/// A dimension of the space: what is drawn for one key.
struct Dimension {
  std::string key, location;
  std::vector<Json> choices;  ///< or, where there are none,
  Interval interval;

  double count() const {
    if (!choices.empty()) return static_cast<double>(choices.size());
    return interval.integers ? interval.to - interval.from + 1
                             : std::numeric_limits<double>::infinity();
  }

  /// @param share  in [0, 1)
  Json at(double share) const {
    if (choices.empty()) return interval.at(share);
    return choices[static_cast<std::size_t>(share * static_cast<double>(choices.size()))];
  }
};

Dimension read_dimension(const Document& document, const std::string& key, const Json& value) {
  const std::string path = concat(kSpace, ".", key);
  Dimension dimension{.key = key, .location = document.location_of(path)};
  check_setting_key(key, dimension.location);
  const bool counted = is_range(value) && (value.contains("step") || value.contains("num"));
  if (counted) {
    dimension.choices = range_values(document, value, path);
  } else if (is_range(value)) {
    dimension.interval = read_interval(document, value, path);
  } else if (value.is_array() && !value.empty()) {
    dimension.choices.assign(value.begin(), value.end());
  } else {
    throw InputError(concat(dimension.location, ": ", path, " = ", value.dump(),
                            " is nothing to draw from; give a list, or a range such as {from = "
                            "1e-4, to = 0.1, scale = \"log\"}"));
  }
  return dimension;
}

std::vector<Dimension> read_space(const Document& document, const Json& section) {
  const Json space = section.value("space", Json::object());
  if (!space.is_object() || space.empty())
    throw InputError(concat(document.location_of(kSpace), ": ", kSpace,
                            " is missing or empty (there is nothing to draw from); write "
                            "[search.space] with a range or a list for each key"));
  std::vector<Dimension> dimensions;
  for (const auto& [key, value] : flatten(space, is_range))
    dimensions.push_back(read_dimension(document, key, value));
  return dimensions;
}

/// In [0, 1), with 53 random bits. Not of the standard library, whose distributions differ.
double share(std::int64_t seed, const std::string& key, std::int64_t draw) {
  return static_cast<double>(derive_seed(seed, "search " + key, draw) >> 11) * 0x1p-53;
}

}  // namespace

const Schema& search_schema() {
  static const Schema schema = describe(search_table());
  return schema;
}

SearchOptions resolve_search(const Document& document) {
  Json section = search_section(document);
  const bool has_space = section.erase("space") > 0;
  const auto location_of = [&](const std::string& key) { return document.location_of(key); };
  const auto options =
      read_options(search_table(), resolve(search_schema(), section, "search", location_of));
  const auto refuse = [&](const std::string& key, const std::string& what) {
    throw InputError(concat(location_of(key), ": ", key, what));
  };
  if (options.method == "none") {
    if (has_space)
      refuse(kSpace,
             " is there but search.method is \"none\" (nothing would be drawn); write "
             "method = \"random\" or delete the space");
    for (const char* key : {"trials", "seed"})
      if (section.contains(key))
        refuse(concat("search.", key),
               " is there but search.method is \"none\" (nothing would be "
               "drawn); write method = \"random\" or delete it");
  } else if (options.trials == 0) {
    refuse("search.trials", " is missing (it is the budget); say how many combinations to draw");
  }
  return options;
}

std::optional<Axis> draw_axis(const Document& document) {
  const SearchOptions options = resolve_search(document);
  if (options.method == "none") return std::nullopt;
  const auto space = read_space(document, search_section(document));
  Axis axis;
  double combinations = 1;
  for (const auto& dimension : space) {
    axis.keys.push_back(dimension.key);
    combinations *= dimension.count();
  }
  const auto refuse = [&](const auto& count) {
    throw InputError(concat(
        document.location_of("search.trials"), ": search.trials = ", options.trials,
        " is more than search.space has combinations (", count, "); lower it or widen the space"));
  };
  if (combinations < static_cast<double>(options.trials)) refuse(combinations);
  const auto wanted = static_cast<std::size_t>(options.trials);
  // Enough to find the last of a space that has just as many combinations as are wanted.
  const std::int64_t limit = 100 * options.trials + 1000;
  std::unordered_set<std::string> seen;
  for (std::int64_t draw = 0; draw < limit && axis.values.size() < wanted; ++draw) {
    Settings settings;
    std::string text;
    for (const auto& dimension : space) {
      settings.push_back({dimension.key, dimension.at(share(options.seed, dimension.key, draw)),
                          dimension.location});
      text += settings.back().value.dump() + "\n";
    }
    if (seen.insert(std::move(text)).second) axis.values.push_back(std::move(settings));
  }
  // A list may have the same value twice.
  if (axis.values.size() < wanted) refuse(axis.values.size());
  return axis;
}

}  // namespace sweep::plan
