#include "runner/plan/reference.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/atomic_file.hpp"
#include "runner/plan/grammar.hpp"

namespace sweep::plan {
namespace {

using ::testing::HasSubstr;

TEST(Reference, IsCommittedAsTheCodeSaysIt) {
  const auto path = std::filesystem::path(SWEEP_SOURCES) / "docs/reference.md";
  // No EXPECT_EQ: it would print both, thousands of lines.
  EXPECT_TRUE(read_text(path) == reference(built_in_catalogue()))
      << "docs/reference.md is not what the code says; write it anew with\n"
         "  sweep_runner describe reference > docs/reference.md";
}

TEST(Reference, HasEverySectionAndEveryPlugin) {
  const auto& catalogue = built_in_catalogue();
  const std::string text = reference(catalogue);
  for (const auto& section : sections()) EXPECT_THAT(text, HasSubstr("\n## " + section.heading));
  for (const auto* plugins : {&catalogue.datasets, &catalogue.models, &catalogue.defences,
                              &catalogue.preprocessors, &catalogue.attacks})
    for (const auto& [name, plugin] : *plugins) EXPECT_THAT(text, HasSubstr(" = \"" + name + "\""));
  EXPECT_THAT(text, HasSubstr("| `batch_size` | integer in [2, 65536], images | `64` |"));
  EXPECT_THAT(text, HasSubstr("| `shard_size` | integer in [1, 1048576], images | `256` |"));
}

}  // namespace
}  // namespace sweep::plan
