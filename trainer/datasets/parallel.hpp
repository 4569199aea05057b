#pragma once

#include <cstdint>
#include <functional>

namespace sweep::trainer {

/// Calls `action(i)` for every i in [0, count) on `threads` threads. `progress(done, count)` as in
/// Dataset::prepare. The first exception of an action ends the loop and comes out.
/// @throws Error{internal} when progress has asked to stop.
void for_each_index(std::int64_t count, int threads,
                    const std::function<void(std::int64_t)>& action,
                    const std::function<bool(std::int64_t done, std::int64_t total)>& progress);

}  // namespace sweep::trainer
