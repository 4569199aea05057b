#pragma once

#include <gtest/gtest.h>

#include <string>

#include "core/error.hpp"

namespace sweep::test_support {

/// The text of the Error that `action` throws; a failure of the test when it throws none.
template <class Action>
std::string message_of(Action action, FailureType type = FailureType::bad_input) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(to_string(error.type()), to_string(type)) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error was thrown";
  return "";
}

}  // namespace sweep::test_support
