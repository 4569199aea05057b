#include "runner/report/comparison.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include "runner/report/bootstrap.hpp"

namespace sweep::report {
namespace {

bool is_right(const Evaluation& evaluation, std::size_t image) {
  return evaluation.labels[image] == evaluation.predictions[image];
}

bool same_images(const std::vector<Answers>& all, const Evaluation& first) {
  return std::all_of(all.begin(), all.end(), [&](const Answers& answers) {
    return answers.evaluation->labels == first.labels;
  });
}

McNemar test(const Evaluation& ours, const Evaluation& reference) {
  std::int64_t only_ours = 0, only_reference = 0;
  for (std::size_t i = 0; i < ours.labels.size(); ++i) {
    const bool we = is_right(ours, i), they = is_right(reference, i);
    only_ours += we && !they ? 1 : 0;
    only_reference += they && !we ? 1 : 0;
  }
  return mcnemar(only_ours, only_reference);
}

std::int64_t seeds_that_are_right(const std::vector<Answers>& all, std::size_t image) {
  return std::count_if(all.begin(), all.end(), [&](const Answers& answers) {
    return is_right(*answers.evaluation, image);
  });
}

std::vector<SeedPair> seed_pairs(const std::vector<Answers>& ours,
                                 const std::vector<Answers>& reference) {
  if (reference.size() != 1 && reference.size() != ours.size()) return {};
  std::vector<SeedPair> pairs;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const Answers& other = reference[reference.size() == 1 ? 0 : i];
    pairs.push_back({ours[i].seed, other.seed, test(*ours[i].evaluation, *other.evaluation)});
  }
  return pairs;
}

}  // namespace

std::optional<Comparison> compare(const std::vector<Answers>& ours,
                                  const std::vector<Answers>& reference, const std::string& label) {
  if (ours.empty() || reference.empty()) return std::nullopt;
  const Evaluation& first = *ours.front().evaluation;
  if (!same_images(ours, first) || !same_images(reference, first)) return std::nullopt;
  // Per image, the share of our seeds that are right minus that of the reference, in whole parts.
  const auto our_seeds = static_cast<std::int64_t>(ours.size());
  const auto their_seeds = static_cast<std::int64_t>(reference.size());
  const std::int64_t parts = std::lcm(our_seeds, their_seeds);
  std::map<std::int64_t, std::int64_t> frequencies;
  std::int64_t sum = 0;
  const std::size_t images = first.labels.size();
  for (std::size_t i = 0; i < images; ++i) {
    const std::int64_t difference = seeds_that_are_right(ours, i) * (parts / our_seeds) -
                                    seeds_that_are_right(reference, i) * (parts / their_seeds);
    ++frequencies[difference];
    sum += difference;
  }
  const Interval interval = bootstrap_mean(frequencies);
  const double percent = 100.0 / static_cast<double>(parts);
  return Comparison{label,
                    percent * static_cast<double>(sum) / static_cast<double>(images),
                    {percent * interval.low, percent * interval.high},
                    static_cast<std::int64_t>(images),
                    seed_pairs(ours, reference)};
}

}  // namespace sweep::report
