#pragma once

#include <string>
#include <vector>

#include "storage/array.hpp"
#include "trainer/datasets/pixels.hpp"

namespace sweep::data {

/// Some images of every class of a dataset artifact: a row for each class of each split, with its
/// name above it. The images of a row lie evenly over all of the class. Tiles have at most 128
/// pixels a side. @throws Error{bad_data} when the artifact is no dataset.
trainer::Pixels contact_sheet(const storage::Content& dataset,
                              const std::vector<std::string>& class_names);

}  // namespace sweep::data
