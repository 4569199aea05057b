#pragma once

#include <string>
#include <vector>

#include "runner/report/metrics.hpp"

namespace sweep::report {

/// What the formats for people show of a cell. CSV and JSON hold everything.
struct View {
  Metric metric = Metric::accuracy;
  bool std = false;        ///< standard deviation over seeds
  bool ci95 = false;       ///< 95 % interval of the mean over seeds
  bool intervals = false;  ///< Wilson's 95 % interval over images
  bool compare = false;    ///< difference to the published value, and whether it is in the interval
};

/// The view of "--stat accuracy,mean,std": at most one metric; mean says what is shown anyway.
/// @throws InputError for unknown words
View parse_stat(const std::vector<std::string>& words);

/// Everything that --stat takes.
std::vector<std::string> stat_words();

}  // namespace sweep::report
