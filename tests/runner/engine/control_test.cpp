#include "runner/engine/control.hpp"

#include <gtest/gtest.h>

#include "core/atomic_file.hpp"
#include "tests/support/temporary_folder.hpp"

namespace sweep::engine {
namespace {

TEST(ControlRequest, IsReadWithItsTasksAndPriority) {
  const auto request = parse_request(
      R"({"command": "set-priority", "tasks": ["a", "b"], "priority": -5, "id": "x"})");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->command, "set-priority");
  EXPECT_EQ(request->tasks, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(request->priority, -5);
  EXPECT_EQ(request->text.at("id"), "x");
}

TEST(ControlRequest, WhatIsNoneIsRefused) {
  const std::string deep(1'000'000, '[');
  for (const std::string& text :
       {std::string(), std::string("[]"), std::string(R"({"command": "rm"})"),
        std::string(R"({"command": 5})"), std::string(R"({"command": "cancel", "tasks": "a"})"),
        std::string(R"({"command": "cancel", "tasks": [1]})"),
        std::string(R"({"command": "set-priority", "priority": 1.5})"),
        std::string(R"({"command": "set-priority", "priority": 1000001})"),
        std::string(R"({"command": "set-priority", "priority": -9223372036854775808})"),
        std::string(R"({"command": "set-priority", "priority": 18446744073709551615})"),
        R"({"command": "cancel", "tasks": )" + deep + std::string(deep.size(), ']') + "}"})
    EXPECT_FALSE(parse_request(text)) << text.substr(0, 80);
}

TEST(ControlRequest, NothingIsTakenOutOfAFolderBehindALink) {
  const sweep::test_support::TemporaryFolder folder;
  create_folders(folder / "elsewhere");
  write_atomically(folder / "elsewhere/settings.json", R"({"command": "drain"})");
  std::filesystem::create_directory_symlink(folder / "elsewhere", folder / "control");
  EXPECT_TRUE(take_requests(folder / "control").empty());
  EXPECT_TRUE(std::filesystem::exists(folder / "elsewhere/settings.json"));
  EXPECT_EQ(take_requests(folder / "elsewhere").size(), 1u);
}

}  // namespace
}  // namespace sweep::engine
