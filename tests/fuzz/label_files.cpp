// Label files of datasets. What stands before the first NUL is the file of labels, behind it comes
// that of groups, or of targets and then of persons: CSV itself has no NULs.

#include <vector>

#include "core/text.hpp"
#include "tests/fuzz/target.hpp"
#include "trainer/datasets/isic_labels.hpp"
#include "trainer/datasets/rsna_labels.hpp"

using namespace sweep;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> parts = split(std::string(fuzz::as_text(data, size)), '\0');
  parts.resize(3);
  const fuzz::InputFile first(parts[0]), second(parts[1]), third(parts[2]);
  fuzz::may_refuse([&] {
    trainer::read_isic_labels(first.path(), second.path(), {"MEL", "NV", "BCC", "BKL"});
  });
  fuzz::may_refuse([&] { trainer::read_rsna_labels(first.path(), second.path(), third.path()); });
  return 0;
}
