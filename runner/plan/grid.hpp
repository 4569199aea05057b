#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/document.hpp"
#include "runner/plan/trials.hpp"

namespace sweep::plan {

/// Settings that are tried one after the other: the values of one key, or of several that change
/// together.
struct Axis {
  std::vector<std::string> keys;
  std::vector<Settings> values;
};

/// The tables of a list such as [[include]], with their paths ("include[0]"). None where the file
/// has no such list. @throws InputError for what is no list of tables
std::vector<std::pair<const Json*, std::string>> tables_of(const Document& document,
                                                           const std::string& name);

/// One axis for every key of the table at `path`: its list, its range, or its one value.
/// @throws InputError for an empty table, list or range, and keys that are no part of a trial
std::vector<Axis> axes_of(const Document& document, const Json& table, const std::string& path);

/// Every combination of the axes of [grid], [[zip]] and [search], then those of each [[include]],
/// all of them with every one of sweep.seeds. The last axis varies fastest. A file without any of
/// these is one trial. @throws InputError for axes without values, axes that are given twice and
/// more than kMaxTrials trials
std::vector<Settings> expand(const Document& document);

}  // namespace sweep::plan
