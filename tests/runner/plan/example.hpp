#pragma once

#include <string>

#include "core/document.hpp"
#include "runner/plan/graph.hpp"
#include "runner/plan/sweep.hpp"
#include "tests/support/message_of.hpp"

namespace sweep::plan {

inline constexpr char kExample[] = R"([sweep]
name = "example"
[dataset]
name = "synthetic_lesions"
[model]
name = "resnet18"
[defence]
name = "denoising"
lambda_n = 0
lambda_a = 0
[training]
epochs = 4
[attacker]
defence.name = "none"
[attacks.fgsm]
method = "fgsm"
epsilon = "4/255"
)";

inline Document example_document(const std::string& more = "",
                                 const std::vector<std::string>& overrides = {}) {
  Document document = parse_toml(kExample + more, "example.toml");
  for (const auto& assignment : overrides) apply_override(document, assignment);
  return document;
}

inline Sweep example(const std::string& more = "", const std::vector<std::string>& overrides = {}) {
  return resolve_sweep(example_document(more, overrides), built_in_catalogue());
}

/// What is said of the sweep of example(more, overrides), which is wrong.
inline std::string refusal(const std::string& more,
                           const std::vector<std::string>& overrides = {}) {
  return test_support::message_of([&] { example(more, overrides); });
}

/// What no plan needs files for: a dataset of 100 and 20 images.
inline trainer::DatasetSummary stub_inspect(const Json& dataset) {
  return {.class_names = {"a", "b", "c", "d"},
          .train_counts = {25, 25, 25, 25},
          .test_counts = {5, 5, 5, 5},
          .source_fingerprint = "fingerprint of " + dataset.at("name").get<std::string>(),
          .notes = {}};
}

inline Graph example_graph(const Sweep& sweep) {
  return build_graph(sweep, built_in_catalogue(), stub_inspect);
}

}  // namespace sweep::plan
