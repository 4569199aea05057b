#include "core/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/message_of.hpp"

namespace sweep {
namespace {

using test_support::message_of;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Example {
  double epsilon = 0.5;
  std::int64_t steps = 10;
  bool early = true;
  std::string loss = "ce";
  std::vector<double> scales = {1.0, 2.0};
  std::string folder;
};

OptionTable<Example> table() {
  return {{"epsilon", &Example::epsilon, {.min = 0, .max = 1, .unit = "of 1", .doc = "radius"}},
          {"steps", &Example::steps, {.min = 1, .doc = "iterations"}},
          {"early", &Example::early, {.doc = "stop early"}},
          {"loss", &Example::loss, {.choices = {"ce", "margin"}, .doc = "loss"}},
          {"scales", &Example::scales, {.min = 0, .doc = "scales"}},
          {"folder",
           &Example::folder,
           {.doc = "where the images lie", .location = true, .required = true}}};
}

Json resolved(Json given) {
  if (!given.contains("folder")) given["folder"] = "images";
  return resolve(describe(table()), given, "attack",
                 [](const std::string& key) { return "at " + key; });
}

std::string refusal(const Json& given) {
  return message_of([&] { resolved(given); });
}

TEST(Options, AreCompletedWithDefaults) {
  EXPECT_EQ(resolved(Json::object()), (Json{{"epsilon", 0.5},
                                            {"steps", 10},
                                            {"early", true},
                                            {"loss", "ce"},
                                            {"scales", {1.0, 2.0}},
                                            {"folder", "images"}}));
}

TEST(Options, LocationsMayBeLeftOut) {
  const auto all = resolved({{"folder", "here"}, {"steps", 3}});
  EXPECT_EQ(locations_of(describe(table()), all), (Json{{"folder", "here"}}));
  const auto options = read_options(table(), without_locations(describe(table()), all));
  EXPECT_EQ(options.folder, "");
  EXPECT_EQ(options.steps, 3);
}

TEST(Options, FillTheStruct) {
  const auto options = read_options(
      table(), resolved({{"epsilon", 1}, {"steps", 3}, {"early", false}, {"scales", {4}}}));
  EXPECT_EQ(options.epsilon, 1.0);
  EXPECT_EQ(options.steps, 3);
  EXPECT_FALSE(options.early);
  EXPECT_EQ(options.loss, "ce");
  EXPECT_EQ(options.scales, std::vector<double>{4});
  EXPECT_EQ(options.folder, "images");
}

// The text is hashed: it is the artifact's name.
TEST(Options, NumbersThatAreEqualHaveTheSameText) {
  const auto text = [](const Json& epsilon) { return resolved({{"epsilon", epsilon}}).dump(); };
  EXPECT_EQ(text(1), text(1.0));
  EXPECT_EQ(text(0), text(-0.0));
  EXPECT_EQ(text("1/4"), text(0.25));
  EXPECT_EQ(resolved({{"scales", {1, 2}}}).dump(), resolved({{"scales", {1.0, "4/2"}}}).dump());
}

TEST(Options, NumbersMayBeFractions) {
  EXPECT_EQ(resolved({{"epsilon", "4/255"}})["epsilon"], 4.0 / 255);
  EXPECT_EQ(resolved({{"epsilon", "0.5/2"}})["epsilon"], 0.25);
}

TEST(Options, WhatIsNoFractionIsNoNumber) {
  for (const char* text : {"4", "4/", "/255", "4/0", "4/255/2", "4/255x", "a/b", ""})
    EXPECT_THAT(refusal({{"epsilon", text}}), HasSubstr("wrong type")) << text;
}

TEST(Options, OutsideTheirRangeAreRefused) {
  EXPECT_EQ(resolved({{"epsilon", 0}})["epsilon"], 0.0);
  EXPECT_EQ(resolved({{"epsilon", 1}})["epsilon"], 1.0);
  EXPECT_EQ(refusal({{"epsilon", 1.5}}),
            "at attack.epsilon: attack.epsilon = 1.5 is out of range (radius); give a value in "
            "[0, 1] of 1");
  EXPECT_THAT(refusal({{"steps", 0}}), HasSubstr("give a value in [1, inf]"));
  EXPECT_THAT(refusal({{"scales", {1, -1}}}), HasSubstr("out of range"));
}

TEST(Options, ThatAreNotFiniteAreRefused) {
  EXPECT_THAT(refusal({{"epsilon", std::nan("")}}), HasSubstr("out of range"));
  EXPECT_THAT(refusal({{"scales", {INFINITY}}}), HasSubstr("out of range"));
}

TEST(Options, OfTheWrongTypeAreRefused) {
  EXPECT_THAT(refusal({{"epsilon", true}}), HasSubstr("it takes: number in of 1"));
  EXPECT_THAT(refusal({{"steps", 1.5}}), HasSubstr("it takes: integer"));
  EXPECT_THAT(refusal({{"steps", "3"}}), HasSubstr("it takes: integer"));
  EXPECT_THAT(refusal({{"early", 1}}), HasSubstr("it takes: true or false"));
  EXPECT_THAT(refusal({{"loss", 1}}), HasSubstr("it takes: text"));
  EXPECT_THAT(refusal({{"scales", 1}}), HasSubstr("it takes: list of numbers"));
  EXPECT_THAT(refusal({{"scales", {1, "x"}}}), HasSubstr("it takes: list of numbers"));
  EXPECT_THAT(refusal({{"folder", nullptr}}), HasSubstr("it takes: text"));
}

TEST(Options, UnknownKeysAreRefusedWithPlaceAndNearestName) {
  EXPECT_THAT(refusal({{"epsilom", 1}}),
              AllOf(StartsWith("at attack.epsilom: "), HasSubstr("unknown key attack.epsilom"),
                    HasSubstr("did you mean 'epsilon'?")));
}

TEST(Options, UnknownChoicesAreRefusedWithTheNearest) {
  EXPECT_THAT(refusal({{"loss", "margim"}}),
              AllOf(StartsWith("at attack.loss: "), HasSubstr("did you mean 'margin'?")));
}

TEST(Options, WithoutADefaultMustBeSaid) {
  const auto resolve_nothing = [] {
    resolve(describe(table()), Json::object(), "attack",
            [](const std::string& key) { return key; });
  };
  EXPECT_THAT(message_of(resolve_nothing),
              HasSubstr("attack.folder is missing (where the images lie)"));
}

TEST(Options, HaveToBeATable) {
  const auto resolve_number = [] {
    resolve(describe(table()), 3, "attack", [](const std::string& key) { return key; });
  };
  EXPECT_THAT(message_of(resolve_number), HasSubstr("attack = 3 is a value"));
}

TEST(Options, ThatSayWhereTheInputLiesAreLeftOutOfNames) {
  const Json one = resolved({{"folder", "here"}}), other = resolved({{"folder", "there"}});
  EXPECT_NE(one, other);
  EXPECT_EQ(without_locations(describe(table()), one), without_locations(describe(table()), other));
  EXPECT_EQ(without_locations(describe(table()), one).size(), 5u);
}

TEST(Schema, SurvivesJson) {
  const Json json = to_json(describe(table()));
  const Schema schema = schema_from_json(Json::parse(json.dump()));
  EXPECT_EQ(to_json(schema), json);
  ASSERT_EQ(schema.size(), 6u);
  EXPECT_EQ(schema[0].max, 1.0);
  EXPECT_EQ(schema[1].type, OptionType::integer);
  EXPECT_EQ(schema[1].max, INFINITY);
  EXPECT_EQ(schema[3].choices, (std::vector<std::string>{"ce", "margin"}));
  EXPECT_TRUE(schema[5].default_value.is_null());
  EXPECT_TRUE(schema[5].location);
}

}  // namespace
}  // namespace sweep
