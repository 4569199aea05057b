#include "core/host_name.hpp"

#include <unistd.h>

namespace sweep {

std::string host_name() {
  char name[256] = "";
  return ::gethostname(name, sizeof name - 1) == 0 && name[0] ? name : "host";
}

}  // namespace sweep
