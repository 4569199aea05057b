#include "runner/upkeep/content.hpp"

#include <algorithm>
#include <cstring>

namespace sweep::upkeep {
namespace {

/// Of the course of a training, what the machine makes of it.
bool is_measured(const std::string& name) {
  return name == "history/seconds" || name == "history/images_per_second";
}

Json without_provenance(Json attributes) {
  attributes.erase("provenance");
  return attributes;
}

}  // namespace

bool equal_content(const storage::Content& a, const storage::Content& b) {
  if (without_provenance(a.attributes) != without_provenance(b.attributes)) return false;
  if (a.arrays.size() != b.arrays.size()) return false;
  return std::all_of(a.arrays.begin(), a.arrays.end(), [&](const auto& entry) {
    const auto& [name, array] = entry;
    const auto other = b.arrays.find(name);
    return other != b.arrays.end() && array.shape == other->second.shape &&
           array.type == other->second.type &&
           (is_measured(name) || array.bytes() == 0 ||  // then there may be no data to point at
            std::memcmp(array.data.get(), other->second.data.get(), array.bytes()) == 0);
  });
}

}  // namespace sweep::upkeep
