#include "runner/plan/listing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/message_of.hpp"

namespace sweep::plan {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(List, ShowsNamesKeysDefaultsRangesAndMeanings) {
  EXPECT_THAT(
      list(built_in_catalogue(), "attacks"),
      AllOf(HasSubstr("pgd  I-FGSM from random starts"), HasSubstr("epsilon  (required)"),
            HasSubstr("alpha or alpha_rel  (required)"), HasSubstr("restarts = 1"),
            HasSubstr("[0 to 1, pixel value in [0,1]]"), HasSubstr("label_source = \"true\"")));
  EXPECT_THAT(list(built_in_catalogue(), "defences"),
              AllOf(HasSubstr("denoising"), HasSubstr("lambda_n = 0"), HasSubstr("at least 0")));
}

TEST(List, HasEveryKind) {
  for (const auto& kind : listed_kinds())
    EXPECT_FALSE(list(built_in_catalogue(), kind).empty()) << kind;
  EXPECT_THAT(test_support::message_of([] { list(built_in_catalogue(), "attack"); }),
              HasSubstr("did you mean 'attacks'"));
}

}  // namespace
}  // namespace sweep::plan
