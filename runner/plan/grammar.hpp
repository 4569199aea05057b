#pragma once

#include <string>
#include <vector>

#include "core/options.hpp"

namespace sweep::plan {

/// A key of a sweep file, for people.
struct KeyInfo {
  std::string key;
  std::string takes;      ///< type, range, unit, choices
  std::string otherwise;  ///< its value where the file does not say it; empty: none
  std::string doc;
  bool required = false;
};

std::vector<KeyInfo> key_infos(const Schema& schema);

/// A table of a sweep file. What its keys are is said here, or by the plugins (then none are
/// listed).
struct SectionInfo {
  std::string name;     ///< "table.row"
  std::string heading;  ///< "[[table.row]]"
  std::string doc;
  std::vector<KeyInfo> keys;
};

/// All of them, in the order in which they are explained.
const std::vector<SectionInfo>& sections();

/// The keys of one. @throws std::out_of_range
std::vector<std::string> keys_of_section(const std::string& name);

/// What may stand at the top of a file.
const std::vector<std::string>& top_keys();

/// Integers that [[priority]] may give.
inline constexpr int kMaxPriority = 1'000'000;

}  // namespace sweep::plan
