#include "runner/report/latex_text.hpp"

#include <array>
#include <cctype>
#include <cstdint>
#include <iomanip>
#include <sstream>
#include <string_view>

#include "core/text.hpp"
#include "core/text_table.hpp"
#include "runner/report/wording.hpp"

namespace sweep::report {
namespace {

struct Replacement {
  std::string_view text, latex;
};

constexpr std::array<Replacement, 14> kSpecial{{
    {"\\", "\\textbackslash{}"},
    {"~", "\\~{}"},
    {"^", "\\^{}"},
    {"<", "$<$"},
    {">", "$>$"},
    {"|", "$|$"},
    {"\"", "''"},
    {"&", "\\&"},
    {"%", "\\%"},
    {"$", "{\\upshape\\char36}"},  // \$ would need a font that is made at run time
    {"#", "\\#"},
    {"_", "\\_"},
    {"{", "\\{"},
    {"}", "\\}"},
}};

constexpr std::array<Replacement, 19> kSymbols{{
    {"α", "$\\alpha$"},   {"β", "$\\beta$"},  {"γ", "$\\gamma$"},  {"δ", "$\\delta$"},
    {"ε", "$\\epsilon$"}, {"κ", "$\\kappa$"}, {"λ", "$\\lambda$"}, {"μ", "$\\mu$"},
    {"σ", "$\\sigma$"},   {"τ", "$\\tau$"},   {"∞", "$\\infty$"},  {"±", "$\\pm$"},
    {"×", "$\\times$"},   {"≤", "$\\leq$"},   {"≥", "$\\geq$"},    {"→", "$\\rightarrow$"},
    {"–", "--"},          {"—", "---"},       {"…", "\\dots{}"},
}};

template <std::size_t N>
std::string_view find(const std::array<Replacement, N>& table, std::string_view letter) {
  for (const auto& [text, latex] : table)
    if (text == letter) return latex;
  return {};
}

std::size_t letter_bytes(unsigned char first) {
  return first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

/// "[U+4E2D]"
std::string code_point_text(std::string_view letter) {
  std::uint32_t code = static_cast<unsigned char>(letter[0]) & (0xFFU >> (letter.size() + 1));
  for (const char byte : letter.substr(1))
    code = code << 6U | (static_cast<unsigned char>(byte) & 0x3FU);
  std::ostringstream text;
  text << "[U+" << std::uppercase << std::hex << std::setw(4) << std::setfill('0') << code << "]";
  return text.str();
}

/// Letters with accents of Western Europe: U+00C0 to U+00FF without those that the fonts lack.
bool is_in_fonts(std::string_view letter) {
  constexpr std::string_view kMissing = "ÐÞðþ×÷";
  return letter.size() == 2 && static_cast<unsigned char>(letter[0]) == 0xC3 &&
         kMissing.find(letter) == std::string_view::npos;
}

std::string latex_letter(std::string_view letter) {
  if (const auto latex = find(kSpecial, letter); !latex.empty()) return std::string(latex);
  if (const auto latex = find(kSymbols, letter); !latex.empty()) return std::string(latex);
  if (letter.size() == 1 || is_in_fonts(letter)) return std::string(letter);
  return code_point_text(letter);
}

/// A letter with a letter or digit below it.
bool is_symbol(const std::string& word) {
  return word.size() == 3 && word[1] == '_' &&
         std::isalpha(static_cast<unsigned char>(word[0])) != 0 &&
         std::isalnum(static_cast<unsigned char>(word[2])) != 0;
}

std::string latex_word(const std::string& word) {
  if (is_symbol(word)) return concat("$", word, "$");
  std::string latex;
  for (std::size_t i = 0; i < word.size();) {
    const std::string letter = word.substr(i, letter_bytes(static_cast<unsigned char>(word[i])));
    latex += latex_letter(letter);
    i += letter.size();
  }
  return latex;
}

}  // namespace

std::string latex_text(const std::string& text) {
  auto words = split(printable(text), ' ');
  for (auto& word : words) word = latex_word(word);
  return join(words, " ");
}

}  // namespace sweep::report
