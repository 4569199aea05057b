#pragma once

#include <span>
#include <string>

namespace sweep::slurm {

/// One word of a shell, whatever is in it.
std::string shell_word(const std::string& text);

/// A command line of these words.
std::string shell_words(std::span<const std::string> words);

}  // namespace sweep::slurm
