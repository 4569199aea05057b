#pragma once

#include <cstdint>
#include <functional>

namespace sweep::trainer::cpu {

/// Calls f(begin, end) for parts of [0, count) on LibTorch's threads.
void share(std::int64_t count, const std::function<void(std::int64_t, std::int64_t)>& f);

}  // namespace sweep::trainer::cpu
