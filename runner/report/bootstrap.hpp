#pragma once

#include <cstdint>
#include <map>

#include "runner/report/statistics.hpp"

namespace sweep::report {

/// The 95 % percentile interval of the paired bootstrap for the mean of one whole number per image,
/// such as (right in the one model) - (right in the other), which is -1, 0 or 1.
///
/// Nothing is drawn: images with the same number are exchangeable, so the sum over a resample is
/// that of n independent draws from the observed frequencies, and its distribution is their n-fold
/// convolution. This is the limit of infinitely many resamples (the "ideal bootstrap" of B. Efron
/// and R. Tibshirani, An Introduction to the Bootstrap, 1993, chapter 6): no seed, no noise, and
/// less work than 10,000 resamples. Where many seeds and many images together would make it slow,
/// its normal limit is taken instead.
///
/// @param frequencies  number -> how many images have it; at least one image
Interval bootstrap_mean(const std::map<std::int64_t, std::int64_t>& frequencies);

}  // namespace sweep::report
