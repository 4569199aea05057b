#include "runner/report/untrusted_json.hpp"

namespace sweep::report {

Json parse_untrusted(std::string_view text) {
  constexpr int kDeepest = 64;
  bool too_deep = false;
  const auto keep = [&](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > kDeepest;
    return !too_deep;
  };
  Json json = Json::parse(text, keep, false);
  return too_deep || json.is_discarded() ? Json() : json;
}

}  // namespace sweep::report
