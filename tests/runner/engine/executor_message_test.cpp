#include "runner/engine/executor_message.hpp"

#include <gtest/gtest.h>

namespace sweep::engine {
namespace {

Json read(const std::string& line) {
  const auto message = parse_executor_message(line);
  EXPECT_TRUE(message.has_value()) << line;
  return message.value_or(Json());
}

TEST(ExecutorMessage, IsTakenWithTheKeysOfItsType) {
  EXPECT_EQ(read(R"({"type": "done", "to": "coordinator", "id": 7})"), Json({{"type", "done"}}));
  EXPECT_EQ(read(R"({"type": "failed", "failure": "not finite", "message": "m", "seconds": []})"),
            Json({{"type", "failed"}, {"failure", "not finite"}, {"message", "m"}}));
  EXPECT_EQ(
      read(R"({"type": "epoch", "epoch": 2, "step": 9, "metrics": {"loss": null, "a": 1.5}})"),
      Json({{"type", "epoch"},
            {"epoch", 2},
            {"step", 9},
            {"metrics", {{"loss", nullptr}, {"a", 1.5}}}}));
}

TEST(ExecutorMessage, WhatIsNotANumberIsLeftOutOfProgress) {
  EXPECT_EQ(read(R"({"type": "progress", "fraction": 0.5, "text": "t", "epoch": 3, "loss": null})"),
            Json({{"type", "progress"}, {"fraction", 0.5}, {"text", "t"}, {"epoch", 3.0}}));
}

TEST(ExecutorMessage, WhatIsNoneIsRefused) {
  for (const char* line :
       {"", "no JSON", "[]", "{}", R"({"type": 5})", R"({"type": "exit", "code": 0})",
        R"({"type": "failed"})", R"({"type": "failed", "failure": "odd", "message": "m"})",
        R"({"type": "failed", "failure": "crash", "message": 1})",
        R"({"type": "progress", "text": "t"})",
        R"({"type": "progress", "fraction": 1e999, "text": "t"})",
        R"({"type": "progress", "fraction": 0, "text": "t", "loss": "low"})",
        R"({"type": "epoch", "epoch": 1.5, "step": 1, "metrics": {}})",
        R"({"type": "epoch", "epoch": 1, "step": 1, "metrics": [1]})",
        R"({"type": "epoch", "epoch": 1, "step": 1, "metrics": {"loss": {}}})"})
    EXPECT_FALSE(parse_executor_message(line)) << line;
  EXPECT_FALSE(parse_executor_message(std::string(1'000'000, '[')));
}

}  // namespace
}  // namespace sweep::engine
