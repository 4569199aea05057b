#pragma once

#include <cstddef>
#include <limits>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/document.hpp"
#include "runner/plan/sweep.hpp"

namespace sweep::plan {

/// What a trial's value of one key has to be. A trial that does not have the key never meets it.
struct Condition {
  std::string key;             ///< dotted, such as "defence.lambda_n"
  std::vector<Json> values;    ///< one of these; empty: any
  std::vector<Json> unwanted;  ///< none of these
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  std::string location;  ///< "table1.toml:12:3", "--only training.seed=1"
};
using Conditions = std::vector<Condition>;

/// A value, a list of values, or {min=, max=, not=} for every key of the table at `path`. Where the
/// trial's own value is a list, a list stands for it as well. @throws InputError
Conditions read_conditions(const Document& document, const Json& table, const std::string& path);

/// The same for one key. @param name  what the value was given as, for messages
Condition read_condition(const std::string& key, const Json& wanted, const std::string& location,
                         const std::string& name);

bool meets(const Trial& trial, const Condition& condition);

/// Finds trials by their values without looking at each of them.
class TrialIndex {
 public:
  /// @param trials  must outlive the index
  explicit TrialIndex(const std::vector<Trial>& trials);

  /// Every dotted key that a trial has, sorted.
  const std::vector<std::string>& keys() const { return keys_; }

  /// @throws InputError for a key that no trial has
  void check_key(const std::string& location, const std::string& key) const;

  /// Indices of the trials that meet all conditions, ascending.
  /// @throws InputError for a key that no trial has
  std::vector<std::size_t> matching(const Conditions& conditions);

 private:
  using Postings = std::unordered_map<std::string, std::vector<std::size_t>>;

  const Postings& postings(const std::string& key);
  /// Of all trials that have one of the condition's values.
  std::vector<const std::vector<std::size_t>*> lists_of(const Condition& condition);

  const std::vector<Trial>& trials_;
  std::vector<std::string> keys_;
  std::map<std::string, Postings> postings_;  ///< per key: value as text -> trials, ascending
};

}  // namespace sweep::plan
