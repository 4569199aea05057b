#include "runner/plan/request.hpp"

namespace sweep::plan {

Document read_request(const Request& request) {
  Document document = read_toml(request.file);
  for (const auto& assignment : request.overrides) apply_override(document, assignment);
  return document;
}

}  // namespace sweep::plan
