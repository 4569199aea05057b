#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "trainer/datasets/label_rows.hpp"

namespace sweep::trainer {

/// The classes of the challenge, in the paper's order: "Normal", "No Lung Opacity / Not Normal",
/// "Lung Opacity".
const std::vector<std::string>& rsna_classes();

/// The label files of the RSNA 2018 pneumonia challenge. `classes` has the columns "patientId" and
/// "class", `targets` the columns "patientId" and "Target", which is 1 for "Lung Opacity" and 0 for
/// the others; a patient with several boxes has several rows, which must agree. `persons`, which
/// may be empty, has "patientId" and one other column: one person can have several images.
/// @throws InputError naming file and line of a column that is missing, a class that is not known,
///         rows that contradict each other, a name that would lead out of the image folder.
ImageLabels read_rsna_labels(const std::filesystem::path& classes,
                             const std::filesystem::path& targets,
                             const std::filesystem::path& persons);

}  // namespace sweep::trainer
