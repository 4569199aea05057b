#include "trainer/describe.hpp"

#include <gtest/gtest.h>

#include "core/options.hpp"

namespace sweep::trainer {
namespace {

TEST(DescribePlugins, HasAllKindsWithSchemas) {
  const auto catalogue = describe_plugins();
  EXPECT_TRUE(catalogue.at("models").contains("resnet18"));
  EXPECT_TRUE(catalogue.at("defences").contains("none"));
  EXPECT_TRUE(catalogue.at("datasets").is_object());
  EXPECT_TRUE(catalogue.at("attacks").is_object());
  for (const auto& kind : {"models", "defences", "datasets", "attacks"})
    for (const auto& [name, entry] : catalogue.at(kind).items()) {
      EXPECT_FALSE(entry.at("summary").get<std::string>().empty()) << name;
      EXPECT_NO_THROW(schema_from_json(entry.at("schema"))) << name;
    }
}

TEST(DescribePlugins, HasTheDefaultsOfThePaper) {
  const auto catalogue = describe_plugins();
  const auto default_of = [](const Json& schema, const std::string& key) {
    for (const auto& option : schema_from_json(schema))
      if (option.key == key) return option.default_value;
    return Json("no such option");
  };
  const auto& training = catalogue.at("training");
  EXPECT_EQ(default_of(training, "epochs"), 80);
  EXPECT_EQ(default_of(training, "milestones"), Json({0.5, 0.75}));
  const auto& denoising = catalogue.at("defences").at("denoising").at("schema");
  EXPECT_EQ(default_of(denoising, "sigma"), 8.0 / 255);
  EXPECT_EQ(default_of(denoising, "lambda_n"), 0.0);
}

}  // namespace
}  // namespace sweep::trainer
