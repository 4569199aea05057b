#include "runner/report/measure.hpp"

#include <functional>
#include <numeric>

#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::report {
namespace {

template <class T>
std::span<const T> filled(const storage::Content& content, const std::string& name) {
  const auto values = content.array(name).values<T>();
  if (values.empty()) throw Error(FailureType::bad_data, concat("its array '", name, "' is empty"));
  return values;
}

template <class T>
double mean(std::span<const T> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

Evaluation measure_evaluation(const storage::Content& content) {
  const auto labels = filled<std::int64_t>(content, "labels");
  const auto predictions = filled<std::int64_t>(content, "predictions");
  if (labels.size() != predictions.size())
    throw Error(FailureType::bad_data, concat("it has ", labels.size(), " labels for ",
                                              predictions.size(), " predictions"));
  const auto correct = std::inner_product(labels.begin(), labels.end(), predictions.begin(),
                                          std::int64_t{0}, std::plus<>(), std::equal_to<>());
  const auto images = static_cast<std::int64_t>(labels.size());
  return {100.0 * static_cast<double>(correct) / static_cast<double>(images), images};
}

AttackEffect measure_attack(const storage::Content& content) {
  return {100.0 * mean(filled<std::uint8_t>(content, "success")),
          mean(filled<float>(content, "l2")), mean(filled<float>(content, "linf"))};
}

}  // namespace sweep::report
