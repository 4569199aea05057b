#pragma once

#include "storage/array.hpp"

namespace sweep::upkeep {

/// Bit for bit, without when, where and how fast it was made.
bool equal_content(const storage::Content& a, const storage::Content& b);

}  // namespace sweep::upkeep
