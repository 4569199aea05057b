#pragma once

#include <filesystem>
#include <string>

#include "trainer/datasets/pixels.hpp"

namespace sweep::trainer {

/// What is wrong with the file as far as its first and last bytes tell ("is no DICOM file", "is cut
/// off", ...), or an empty text.
std::string quick_dicom_problem(const std::filesystem::path& path);

/// One frame of a DICOM file (NEMA PS3.10), uncompressed or compressed as JPEG
/// (also lossless, 12 and 16 bit; neither JPEG 2000 nor JPEG-LS). Values pass
/// through the file's rescale slope and intercept or modality table, then through its first window
/// or, without one, its first VOI table. Where it has neither, up to 8 bits are taken as they are,
/// and of more bits the lowest value that is there becomes 0 and the highest 255. MONOCHROME1 is
/// inverted, so that bone is bright; grey becomes RGB; overlays are not drawn.
/// @throws Error{bad_data} naming the file when it is no DICOM file, is damaged or cut off, has no
///         pixels, several frames or another compression, or is larger than too_many_pixels allows
///         or 256 MiB; Error{storage} when it can't be read.
Pixels decode_dicom(const std::filesystem::path& path);

}  // namespace sweep::trainer
