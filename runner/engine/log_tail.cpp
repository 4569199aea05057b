#include "runner/engine/log_tail.hpp"

#include <fstream>

#include "core/text.hpp"

namespace sweep::engine {

std::vector<std::string> log_tail(const std::string& path, std::size_t lines) {
  constexpr std::streamoff kMostBytes = 16384;
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return {};
  const std::streamoff size = file.tellg();
  file.seekg(std::max<std::streamoff>(0, size - kMostBytes));
  std::string text(static_cast<std::size_t>(std::min(size, kMostBytes)), '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  for (char& c : text)
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7f) c = ' ';
  auto found = split(text, '\n');
  if (!found.empty() && found.back().empty()) found.pop_back();
  if (found.size() > lines)
    found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(lines));
  return found;
}

}  // namespace sweep::engine
