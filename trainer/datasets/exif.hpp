#pragma once

#include <string>

#include "trainer/datasets/pixels.hpp"

namespace sweep::trainer {

/// The orientation that a JPEG file's EXIF data asks for, 1 to 8 as in the standard (CIPA DC-008,
/// tag 0x0112); 1, upright, where there is none or it is no such number.
int exif_orientation(const std::string& jpeg);

/// The pixels as they are meant to be seen. `orientation`: 1 to 8. From 5 on, height and width
/// change places.
Pixels turn_upright(Pixels pixels, int orientation);

}  // namespace sweep::trainer
