#include "runner/plan/grid.hpp"

#include <algorithm>
#include <map>

#include "core/error.hpp"
#include "core/text.hpp"
#include "runner/plan/range.hpp"
#include "runner/plan/search.hpp"

namespace sweep::plan {
namespace {

constexpr char kSeed[] = "training.seed";

/// The values of the axis `key`, written at `path`.
Axis axis_of(const Document& document, const std::string& key, const Json& value,
             const std::string& path) {
  const std::string location = document.location_of(path);
  check_setting_key(key, location);
  Axis axis{{key}, {}};
  if (is_range(value)) {
    for (auto& element : range_values(document, value, path))
      axis.values.push_back({{key, std::move(element), location}});
  } else if (!value.is_array()) {
    axis.values.push_back({{key, value, location}});
  } else {
    for (std::size_t i = 0; i < value.size(); ++i)
      axis.values.push_back({{key, value[i], document.location_of(concat(path, "[", i, "]"))}});
  }
  if (axis.values.empty())
    throw InputError(concat(location, ": ", path,
                            " is an empty list (the grid would have no trials); give it values"));
  return axis;
}

/// A table of [[zip]]: its axes as one.
Axis zipped(const Document& document, const Json& table, const std::string& path) {
  Axis result;
  for (auto& axis : axes_of(document, table, path)) {
    if (result.keys.empty()) {
      result = std::move(axis);
      continue;
    }
    if (axis.values.size() != result.values.size())
      throw InputError(concat(axis.values.front().front().location, ": ", path, ".",
                              axis.keys.front(), " has ", axis.values.size(), " values and ", path,
                              ".", result.keys.front(), " has ", result.values.size(),
                              " (paired axes change together); give both as many"));
    result.keys.push_back(axis.keys.front());
    for (std::size_t i = 0; i < axis.values.size(); ++i)
      result.values[i].push_back(std::move(axis.values[i].front()));
  }
  return result;
}

void check_axes(const std::vector<Axis>& axes) {
  std::map<std::string, std::string> seen;
  for (const auto& axis : axes)
    for (const auto& setting : axis.values.front()) {
      const auto [other, is_new] = seen.emplace(setting.key, setting.location);
      if (is_new) continue;
      throw InputError(concat(setting.location, ": ", setting.key, " is an axis at ", other->second,
                              " as well (one value would hide the other); delete one"));
    }
}

/// The number of combinations together with `others`, at most kMaxTrials.
std::size_t count_of(const std::vector<Axis>& axes, std::size_t others) {
  std::size_t count = 1;
  for (const auto& axis : axes) {
    count *= axis.values.size();
    if (count + others > kMaxTrials)
      throw InputError(concat(axis.values.front().front().location, ": the sweep has more than ",
                              kMaxTrials, " trials (no plan holds so many); shorten an axis"));
  }
  return count;
}

/// Appends the Cartesian product.
void append_product(std::vector<Axis> axes, const std::vector<Axis>& seeds,
                    std::vector<Settings>& all) {
  axes.insert(axes.end(), seeds.begin(), seeds.end());
  check_axes(axes);
  const std::size_t count = count_of(axes, all.size());
  for (std::size_t n = 0; n < count; ++n) {
    std::vector<const Settings*> chosen(axes.size());
    for (std::size_t a = axes.size(), rest = n; a-- > 0; rest /= axes[a].values.size())
      chosen[a] = &axes[a].values[rest % axes[a].values.size()];
    Settings& settings = all.emplace_back();
    for (const auto* values : chosen)
      settings.insert(settings.end(), values->begin(), values->end());
  }
}

/// None, or that of sweep.seeds.
std::vector<Axis> seeds_of(const Document& document) {
  const Json heading = document.root.value("sweep", Json::object());
  if (!heading.is_object() || !heading.contains("seeds")) return {};
  const std::string path = "sweep.seeds";
  const Json& seeds = heading.at("seeds");
  if (!seeds.is_array() && !is_range(seeds))
    throw InputError(concat(document.location_of(path), ": ", path, " = ", seeds.dump(),
                            " is no list (it is an axis of all trials); write [0, 1, 2] or {from = "
                            "0, to = 2, step = 1}"));
  return {axis_of(document, kSeed, seeds, path)};
}

}  // namespace

std::vector<std::pair<const Json*, std::string>> tables_of(const Document& document,
                                                           const std::string& name) {
  std::vector<std::pair<const Json*, std::string>> tables;
  if (!document.root.contains(name)) return tables;
  const Json& list = document.root.at(name);
  if (!list.is_array())
    throw InputError(concat(document.location_of(name), ": ", name,
                            " must be a list of tables; write [[", name, "]]"));
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string path = concat(name, "[", i, "]");
    if (!list[i].is_object())
      throw InputError(concat(document.location_of(path), ": ", path,
                              " must be a table of keys; write [[", name, "]]"));
    tables.emplace_back(&list[i], path);
  }
  return tables;
}

std::vector<Axis> axes_of(const Document& document, const Json& table, const std::string& path) {
  if (!table.is_object())
    throw InputError(concat(document.location_of(path), ": ", path, " must be a table of keys"));
  std::vector<Axis> axes;
  for (const auto& [key, value] : flatten(table, is_range))
    axes.push_back(axis_of(document, key, value, concat(path, ".", key)));
  if (axes.empty())
    throw InputError(
        concat(document.location_of(path), ": ", path,
               " is empty (it would make no trials); give it keys with lists of values, "
               "such as \"training.seed\" = [0, 1], or leave it out"));
  return axes;
}

std::vector<Settings> expand(const Document& document) {
  const auto seeds = seeds_of(document);
  std::vector<Axis> axes;
  if (document.root.contains("grid")) axes = axes_of(document, document.root.at("grid"), "grid");
  for (const auto& [table, path] : tables_of(document, "zip"))
    axes.push_back(zipped(document, *table, path));
  if (auto drawn = draw_axis(document)) axes.push_back(*std::move(drawn));
  const auto includes = tables_of(document, "include");

  std::vector<Settings> all;
  if (!axes.empty() || includes.empty()) append_product(std::move(axes), seeds, all);
  for (const auto& [table, path] : includes)
    append_product(axes_of(document, *table, path), seeds, all);
  return all;
}

}  // namespace sweep::plan
