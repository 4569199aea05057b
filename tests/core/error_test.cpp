#include "core/error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace sweep {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(FailureType, HasANameThatLeadsBackToIt) {
  for (int i = 0; i <= static_cast<int>(FailureType::internal); ++i) {
    const auto type = static_cast<FailureType>(i);
    EXPECT_EQ(failure_type_from(to_string(type)), type);
  }
  EXPECT_THROW(failure_type_from("bad luck"), Error);
}

TEST(StorageError, SaysWhatToDoWhereItKnows) {
  EXPECT_EQ(storage_error("write", "a.h5", EIO).type(), FailureType::storage);
  EXPECT_STREQ(storage_error("write", "a.h5", EIO).what(),
               "cannot write 'a.h5' (Input/output error)");
  EXPECT_THAT(storage_error("write", "a.h5", ENOSPC).what(), HasSubstr("; free space there"));
  EXPECT_THAT(storage_error("create", "a.h5", EACCES).what(), HasSubstr("with --out"));
  EXPECT_THAT(storage_error("read", "a.h5", EACCES).what(), Not(HasSubstr("--out")));
}

}  // namespace
}  // namespace sweep
