#include "runner/steps/metrics.hpp"

#include <ATen/ATen.h>

#include <array>
#include <vector>

#include "core/text.hpp"

namespace sweep::steps {
namespace {

void add_proportion(Json& metrics, const char* name, const at::Tensor& holds) {
  const std::int64_t n = holds.size(0);
  if (n == 0) return;
  const auto count = holds.sum().item<std::int64_t>();
  metrics[name] = {{"value", 100.0 * static_cast<double>(count) / static_cast<double>(n)},
                   {"count", count},
                   {"n", n}};
}

void add_distance(Json& metrics, const char* name, const at::Tensor& value, std::int64_t n) {
  metrics[name] = {{"value", value.item<double>()}, {"n", n}};
}

void add_l2(Json& metrics, const std::string& suffix, const at::Tensor& l2) {
  const std::int64_t n = l2.size(0);
  if (n == 0) return;
  const at::Tensor values = l2.to(at::kDouble);
  add_distance(metrics, ("mean_l2" + suffix).c_str(), values.mean(), n);
  add_distance(metrics, ("median_l2" + suffix).c_str(), values.quantile(0.5), n);
}

/// 0 to 255 as float64 in [0,1], of bytes and floats alike.
at::Tensor pixels(const at::Tensor& images) {
  // Bytes become what a model sees: float32.
  const bool bytes = images.scalar_type() == at::kByte;
  return (bytes ? images.to(at::kFloat).div(255) : images).to(at::kDouble);
}

struct Line {
  const char* name;
  const char* title;
};

constexpr std::array<Line, 9> kLines{{
    {"clean_accuracy", "accuracy on clean images"},
    {"accuracy", "accuracy"},
    {"success", "attack success, all images"},
    {"success_of_correct", "attack success, clean-correct"},
    {"mean_l2", "mean L2"},
    {"median_l2", "median L2"},
    {"mean_l2_of_successes", "mean L2 of successes"},
    {"median_l2_of_successes", "median L2 of successes"},
    {"max_linf", "largest Linf"},
}};

std::string padded(const std::string& text, std::size_t width) {
  return text + std::string(text.size() < width ? width - text.size() : 1, ' ');
}

std::string value_text(const Json& metric) {
  const auto value = metric.at("value").get<double>();
  if (metric.contains("count"))
    return concat(fixed(value, 2), " %  (", metric.at("count"), " of ", metric.at("n"), ")");
  return concat(fixed(value, 5), "  (n ", metric.at("n"), ")");
}

std::string confusion_text(const Json& confusion) {
  std::string text = "confusion (rows: label, columns: prediction)\n";
  for (const auto& row : confusion) {
    for (const auto& count : row) {
      const std::string number = count.dump();
      text += std::string(number.size() < 7 ? 7 - number.size() : 1, ' ') + number;
    }
    text += "\n";
  }
  return text;
}

}  // namespace

Json metrics_of(const Results& results) {
  Json metrics = Json::object();
  add_proportion(metrics, "accuracy", results.predictions.eq(results.labels));
  const bool has_clean = results.clean_predictions.defined();
  if (has_clean)
    add_proportion(metrics, "clean_accuracy", results.clean_predictions.eq(results.labels));
  if (results.success.defined()) {
    add_proportion(metrics, "success", results.success);
    if (has_clean)
      add_proportion(metrics, "success_of_correct",
                     results.success.index({results.clean_predictions.eq(results.labels)}));
  }
  if (results.l2.defined()) {
    add_l2(metrics, "", results.l2);
    if (results.success.defined())
      add_l2(metrics, "_of_successes", results.l2.index({results.success}));
    add_distance(metrics, "max_linf", results.linf.max(), results.linf.size(0));
  }
  return metrics;
}

Json confusion_of(const at::Tensor& labels, const at::Tensor& predictions,
                  std::int64_t num_classes) {
  const at::Tensor counts =
      at::bincount(labels * num_classes + predictions, {}, num_classes * num_classes)
          .view({num_classes, num_classes});
  Json rows = Json::array();
  for (std::int64_t label = 0; label < num_classes; ++label) {
    const auto* row = counts.const_data_ptr<std::int64_t>() + label * num_classes;
    rows.push_back(std::vector<std::int64_t>(row, row + num_classes));
  }
  return rows;
}

std::pair<at::Tensor, at::Tensor> distances(const at::Tensor& images, const at::Tensor& clean) {
  // In parts: the whole set in float64 may be larger than memory.
  constexpr std::int64_t kPart = 64;
  std::vector<at::Tensor> l2, linf;
  for (std::int64_t begin = 0; begin < images.size(0); begin += kPart) {
    const auto part = [&](const at::Tensor& all) {
      return pixels(all.slice(0, begin, begin + kPart)).flatten(1);
    };
    const at::Tensor difference = part(images) - part(clean);
    l2.push_back(difference.norm(2, 1).to(at::kFloat));
    linf.push_back(difference.abs().amax(1).to(at::kFloat));
  }
  return {at::cat(l2), at::cat(linf)};
}

std::string text_of(const Json& metrics) {
  std::string text;
  for (const auto& [name, title] : kLines)
    if (metrics.contains(name))
      text += concat(padded(title, 32), value_text(metrics.at(name)), "\n");
  if (metrics.contains("confusion")) text += confusion_text(metrics.at("confusion"));
  return text;
}

}  // namespace sweep::steps
