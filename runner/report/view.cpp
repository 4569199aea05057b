#include "runner/report/view.hpp"

#include <optional>

#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::report {
namespace {

std::optional<Metric> metric_named(const std::string& name) {
  for (std::size_t i = 0; i < kMetrics; ++i)
    if (metric_infos()[i].name == name) return static_cast<Metric>(i);
  return std::nullopt;
}

}  // namespace

std::vector<std::string> stat_words() {
  std::vector<std::string> words;
  for (const auto& metric : metric_infos()) words.push_back(metric.name);
  words.insert(words.end(), {"mean", "std", "ci95"});
  return words;
}

View parse_stat(const std::vector<std::string>& words) {
  View view;
  std::string chosen;
  for (const auto& word : words) {
    if (word == "std") {
      view.std = true;
    } else if (word == "ci95") {
      view.ci95 = true;
    } else if (const auto metric = metric_named(word)) {
      if (!chosen.empty() && chosen != word)
        throw InputError(concat("--stat has the metrics '", chosen, "' and '", word,
                                "' (a table shows one); choose one, or take csv or json, which "
                                "hold all"));
      chosen = word;
      view.metric = *metric;
    } else if (word != "mean") {
      throw InputError(
          concat("unknown word '", word, "' in --stat", suggestion(word, stat_words())));
    }
  }
  return view;
}

}  // namespace sweep::report
