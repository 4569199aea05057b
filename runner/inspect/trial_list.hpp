#pragma once

#include <string>
#include <vector>

#include "core/json.hpp"
#include "core/text_table.hpp"
#include "runner/inspect/run_view.hpp"

namespace sweep::inspect {

/// Which trials a list shows, and what of them.
struct ListRequest {
  std::vector<std::string> states;   ///< any of them; empty: all
  std::vector<std::string> where;    ///< "KEY=VALUE", all of them
  std::vector<std::string> columns;  ///< keys; empty: id, label, state, seconds
  std::string sort;                  ///< a key, "-key" for the largest first; empty: by id
  bool metrics = false;              ///< also the accuracy of every column of the table
};

/// Keys of a list: id, label, row, state, seconds, attempts, model, why; every key of the spec
/// ("training.epochs"); every column of the table (its accuracy in percent).
struct TrialList {
  std::vector<std::string> keys;
  std::vector<std::vector<Json>> rows;  ///< a value for each key; null where there is none
  std::vector<std::string> problems;    ///< artifacts that could not be read
};

/// @throws InputError for a key, a state or a filter that makes no sense
TrialList list_trials(const RunView& run, const ListRequest& request);

/// For a terminal (long texts are cut) or as CSV (they are not).
TextTable table_of(const TrialList& list, bool cut);
Json json_of(const TrialList& list);

/// "a.b.c" -> value for every value below that is not an object.
std::map<std::string, Json> leaves(const Json& object);

/// Text as it is, numbers in their shortest form, null as "".
std::string value_text(const Json& value);

}  // namespace sweep::inspect
