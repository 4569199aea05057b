#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/json.hpp"

namespace sweep::report {

/// What runs/SWEEP/plan.json says of a table: which artifact fills which cell.
struct Plan {
  struct Column {
    std::string label;
    Json attack;           ///< {"method": ..., options}; null for clean images
    std::string attacker;  ///< empty: the sweep's attacker; "self": every model itself (white-box)
    std::string pixels;    ///< "float32", or "uint8": images rounded to 8 bit
    std::optional<std::string> adversarial_set;  ///< hash, where all rows share it
  };
  /// One model; the hashes are by column label.
  struct Trial {
    std::int64_t seed = 0;
    Json spec;  ///< {"dataset": ..., "model": ..., ...}, resolved
    std::map<std::string, std::string> evaluations, adversarial_sets;
  };
  struct Row {
    std::string label;
    std::string group;  ///< heading above the row; may be empty
    bool control = false;
    bool baseline = false;
    std::map<std::string, Json> keys;
    std::map<std::string, double> published;  ///< column label -> percent
    std::vector<Trial> trials;
  };

  std::string name;  ///< of the sweep
  std::string title;
  std::vector<std::string> row_keys;
  std::vector<Column> columns;
  std::vector<Row> rows;
  std::vector<std::string> datasets;  ///< hashes
  Json sweep;                         ///< {"name", "description", "file"}
  Json resolved;  ///< {"attacker", "attackers", "attacks", "columns"}: to run it again
};

inline constexpr char kSelf[] = "self";  ///< Plan::Column::attacker of white-box columns

/// @param name  of the sweep
/// @throws InputError naming the key that can't be used. Plans are taken from anywhere: nothing in
/// them is trusted.
Plan read_plan(const std::filesystem::path& path, const std::string& name);

/// "a.b.c" -> leaf for every value below that is not an object.
std::map<std::string, Json> leaves(const Json& object);

}  // namespace sweep::report
