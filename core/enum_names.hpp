#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace sweep {

/// The one table between the values of an enum and their names.
template <class Enum, std::size_t N>
struct EnumNames {
  std::array<std::pair<Enum, std::string_view>, N> entries;

  constexpr std::string_view name(Enum value) const {
    for (const auto& [entry, name] : entries)
      if (entry == value) return name;
    return "?";
  }

  constexpr std::optional<Enum> value(std::string_view wanted) const {
    for (const auto& [entry, name] : entries)
      if (name == wanted) return entry;
    return std::nullopt;
  }
};

}  // namespace sweep
