// A sweep file: TOML, its grammar, and the expansion to trials, with the options of every plugin.

#include "core/document.hpp"
#include "runner/plan/catalogue.hpp"
#include "runner/plan/sweep.hpp"
#include "tests/fuzz/target.hpp"

using namespace sweep;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(fuzz::as_text(data, size));
  fuzz::may_refuse([&] {
    const Document document = parse_toml(text, "input.toml");
    plan::resolve_sweep(document, plan::built_in_catalogue());
  });
  return 0;
}
