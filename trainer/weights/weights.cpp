#include "trainer/weights/weights.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "trainer/module_state.hpp"
#include "trainer/weights/pth.hpp"
#include "trainer/weights/safetensors.hpp"

namespace sweep::trainer {
namespace {

constexpr std::string_view kZip = "PK\3\4";
// A pickle of torch's magic number, 0x1950a86a20f9469cfc6c.
constexpr std::string_view kLegacy = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";

NamedTensors read_by_content(const WeightFile& file) {
  std::array<char, kLegacy.size()> buffer{};
  const auto start = std::span(buffer).first(std::min<std::uint64_t>(file.size(), buffer.size()));
  file.read(0, std::as_writable_bytes(start));
  const std::string_view text(start.data(), start.size());
  if (text.starts_with(kZip)) return read_pth(file);
  if (text.starts_with(kLegacy))
    refuse_weights(
        file.path(), "it is in the format of torch.save before PyTorch 1.6",
        "write it anew in Python: torch.save(torch.load(FILE, weights_only=True), OTHER)");
  // Behind the length of its header a safetensors file starts with the header's brace.
  if (text.size() > 8 && text[8] == '{') return read_safetensors(file);
  refuse_weights(file.path(), "it is neither a safetensors file nor one of torch.save",
                 "give the path of weights in one of these formats");
}

/// Takes away what all names start with because of a wrapper around the model.
NamedTensors without_wrappers(NamedTensors tensors) {
  for (const std::string wrapper : {"_orig_mod.", "module.", "_orig_mod."}) {
    auto unwrapped = without_prefix(tensors, wrapper);
    if (unwrapped.size() == tensors.size()) tensors = std::move(unwrapped);
  }
  return tensors;
}

}  // namespace

NamedTensors read_weights(const std::filesystem::path& path) {
  return without_wrappers(read_by_content(WeightFile(path)));
}

}  // namespace sweep::trainer
