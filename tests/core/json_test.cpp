#include "core/json.hpp"

#include <gtest/gtest.h>

namespace sweep {
namespace {

TEST(Json, OfNothingIsNull) {
  EXPECT_TRUE(optional_json(std::optional<double>()).is_null());
  EXPECT_EQ(optional_json(std::optional(2.5)), Json(2.5));
  EXPECT_EQ(optional_json(std::optional<std::string>("")), Json(""));
}

}  // namespace
}  // namespace sweep
