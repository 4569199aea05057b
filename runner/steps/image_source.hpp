#pragma once

#include <string>

#include "runner/steps/steps.hpp"
#include "storage/array.hpp"

namespace sweep::steps {

struct LabelledImages {
  storage::Array images;  ///< [N,3,H,W]: uint8, or float32 in [0,1]
  storage::Array labels;  ///< [N] int64, in [0, num_classes)
};

/// @param num_classes  0: as many as the labels name
/// @throws InputError for whatever is wrong with the set
LabelledImages load_images(const ImageSource& source, std::int64_t num_classes, int threads);

/// @throws InputError unless all labels [N] are in [0, num_classes). `what` names the set.
void check_labels(const storage::Array& labels, std::int64_t num_classes, const std::string& what);

/// Number of classes that the labels name: one more than the largest. @throws InputError
std::int64_t classes_in(const storage::Array& labels, const std::string& what);

}  // namespace sweep::steps
