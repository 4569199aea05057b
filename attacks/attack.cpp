#include "attacks/attack.hpp"

#include <ATen/ATen.h>

#include "attacks/goal.hpp"

namespace sweep::attacks {

void Attack::perturb_stream(const WhiteBox& model, const ImageStream& stream,
                            const StepCallback& after_step) const {
  for (std::int64_t first = 0; first < stream.count;) {
    const auto [images, goal] = stream.take(stream.batch_size);
    const std::int64_t end = first + images.size(0);
    const auto after_batch_step = [&](double fraction) {
      after_step((static_cast<double>(first) + fraction * static_cast<double>(end - first)) /
                 static_cast<double>(stream.count));
    };
    stream.put(at::arange(first, end), perturb(model, images, goal, after_batch_step));
    first = end;
  }
}

}  // namespace sweep::attacks
