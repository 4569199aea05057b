#pragma once

#include <string>

namespace sweep::report {

/// The text as pdflatex prints it in a paragraph, with its standard fonts and no package. "L_n"
/// becomes the symbol that it is meant to be; a letter that the fonts lack becomes "[U+4E2D]".
/// @param text  UTF-8
std::string latex_text(const std::string& text);

}  // namespace sweep::report
