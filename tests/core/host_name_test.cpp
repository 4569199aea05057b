#include "core/host_name.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <string>

namespace sweep {
namespace {

TEST(HostName, IsTheOneThatTheKernelGives) {
  std::FILE* file = std::fopen("/proc/sys/kernel/hostname", "r");
  if (!file) GTEST_SKIP() << "no /proc/sys/kernel/hostname to compare with";
  std::array<char, 256> line{};
  const bool read = std::fgets(line.data(), line.size(), file) != nullptr;
  std::fclose(file);
  ASSERT_TRUE(read);
  const std::string text = line.data();
  EXPECT_EQ(host_name(), text.substr(0, text.find('\n')));
}

}  // namespace
}  // namespace sweep
