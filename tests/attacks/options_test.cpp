#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "attacks/attack.hpp"

namespace sweep::attacks {
namespace {

Json resolved(const std::string& name, const Json& given) {
  const auto nowhere = [](const std::string&) { return std::string("test.toml:1:1"); };
  return resolve(AttackRegistry::instance().at(name).schema, given, "attack", nowhere);
}

TEST(AttackOptions, AreCompletedWithDefaults) {
  EXPECT_EQ(resolved("fgsm", {{"epsilon", "4/255"}}), (Json{{"epsilon", 4.0 / 255}}));
  EXPECT_EQ(resolved("ifgsm", {{"epsilon", "8/255"}, {"alpha", "1/255"}}),
            (Json{{"epsilon", 8.0 / 255}, {"alpha", 1.0 / 255}, {"steps", 10}}));
  EXPECT_EQ(resolved("cw", Json::object()), (Json{{"binary_search_steps", 5},
                                                  {"iterations", 1000},
                                                  {"learning_rate", 0.01},
                                                  {"initial_const", 0.01},
                                                  {"confidence", 0.0},
                                                  {"abort_early", true}}));
}

TEST(AttackOptions, WhatHasNoObviousValueMustBeSaid) {
  EXPECT_THROW(resolved("fgsm", Json::object()), InputError);
  EXPECT_THROW(resolved("ifgsm", {{"alpha", 0.01}}), InputError);
  try {
    resolved("ifgsm", {{"epsilon", 0.01}});
    ADD_FAILURE() << "an ifgsm without alpha was accepted";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("alpha"));
  }
}

TEST(AttackOptions, AStepMayBeAPartOfEpsilon) {
  const Json resolved_step = resolved("ifgsm", {{"epsilon", 0.04}, {"alpha_rel", 0.25}});
  EXPECT_EQ(resolved_step, (Json{{"epsilon", 0.04}, {"alpha", 0.01}, {"steps", 10}}));
  EXPECT_THROW(resolved("pgd", {{"epsilon", 0.04}, {"alpha_rel", 0.25}, {"alpha", 0.01}}),
               InputError);
  EXPECT_THROW(resolved("mifgsm", {{"epsilon", 0.04}, {"alpha_rel", -1}}), InputError);
}

TEST(AttackOptions, AreChecked) {
  EXPECT_THROW(resolved("fgsm", {{"epsilon", -0.1}}), InputError);
  EXPECT_THROW(resolved("fgsm", {{"epsilon", 4}}), InputError);  // 4/255 was meant
  EXPECT_THROW(resolved("fgsm", {{"epsilon", 0.1}, {"steps", 2}}), InputError);
  EXPECT_THROW(resolved("ifgsm", {{"epsilon", 0.1}, {"alpha", 0.1}, {"steps", 0}}), InputError);
  EXPECT_THROW(resolved("cw", {{"confidence", -1}}), InputError);
  EXPECT_THROW(resolved("cw", {{"learning_rate", 0}}), InputError);
  EXPECT_THROW(resolved("cw", {{"iterations", 0}}), InputError);
}

}  // namespace
}  // namespace sweep::attacks
