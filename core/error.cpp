#include "core/error.hpp"

#include <cerrno>
#include <cstring>

#include "core/enum_names.hpp"
#include "core/text.hpp"

namespace sweep {
namespace {

constexpr EnumNames<FailureType, 11> kFailureNames{{{
    {FailureType::bad_input, "bad input"},
    {FailureType::bad_data, "bad data"},
    {FailureType::not_finite, "not finite"},
    {FailureType::out_of_memory, "out of memory"},
    {FailureType::device_lost, "device lost"},
    {FailureType::communication, "communication"},
    {FailureType::storage, "storage"},
    {FailureType::timeout, "timeout"},
    {FailureType::crash, "crash"},
    {FailureType::agent_lost, "agent lost"},
    {FailureType::internal, "internal"},
}}};

std::string advice(std::string_view operation, int error_number) {
  if (operation == "read") return "";  // another --out would not help
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return "; free space there or choose another folder with --out";
    case EACCES:
    case EPERM:
    case EROFS:
      return "; choose a folder that you may write to with --out";
    default:
      return "";
  }
}

}  // namespace

std::string_view to_string(FailureType type) {
  return kFailureNames.name(type);
}

FailureType failure_type_from(std::string_view name) {
  if (const auto type = kFailureNames.value(name)) return *type;
  throw Error(FailureType::internal, concat("unknown failure type '", name, "'"));
}

Error storage_error(std::string_view operation, std::string_view path, int error_number) {
  return Error(FailureType::storage,
               concat("cannot ", operation, " '", path, "' (", std::strerror(error_number), ")",
                      advice(operation, error_number)));
}

}  // namespace sweep
