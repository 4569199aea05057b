#pragma once

#include <cstdint>
#include <optional>

#include "runner/report/load.hpp"
#include "runner/report/table.hpp"
#include "tests/runner/report/small_store.hpp"

namespace sweep::report {

inline Table load_small(const SmallStore& files) {
  Artifacts artifacts(files.store());
  return load_table(load_plan(files.store(), "small"), artifacts);
}

/// An accuracy of `count` of `n` images, with one seed.
inline Cell cell_of(std::int64_t count, std::int64_t n, std::optional<double> published = {}) {
  const PerMetric<Measurement> trial{Measurement{100.0 * count / n, count, n}};
  Cell cell{.published = published};
  cell.metrics[0] = estimate(Metric::accuracy, {&trial, 1});
  return cell;
}

}  // namespace sweep::report
