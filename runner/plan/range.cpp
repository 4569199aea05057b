#include "runner/plan/range.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <optional>

#include "core/error.hpp"
#include "core/options.hpp"
#include "core/text.hpp"

namespace sweep::plan {
namespace {

const std::vector<std::string> kKeys{"from", "num", "scale", "step", "to"};

/// Integers up to here are exact as doubles, and so is what is divided of two of them: the double
/// next to their quotient.
constexpr std::int64_t kExact = std::int64_t{1} << 53;

struct Fraction {
  std::int64_t above = 0, below = 1;
};

std::optional<std::int64_t> exact_product(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  const bool exact =
      !__builtin_mul_overflow(a, b, &product) && product <= kExact && product >= -kExact;
  return exact ? std::optional(product) : std::nullopt;
}

/// The decimal number that is written, of the shortest text that reads back as this one.
std::optional<Fraction> decimal(double value) {
  if (!std::isfinite(value)) return std::nullopt;
  char text[64];
  const auto end =
      std::to_chars(text, text + sizeof text, value, std::chars_format::scientific).ptr;
  std::string digits(text, end);
  const auto mark = digits.find('e');
  int exponent = std::atoi(digits.c_str() + mark + 1);
  digits.resize(mark);
  if (const auto point = digits.find('.'); point != std::string::npos) {
    exponent -= static_cast<int>(digits.size() - point - 1);
    digits.erase(point, 1);
  }
  Fraction fraction{std::strtoll(digits.c_str(), nullptr, 10), 1};
  for (; exponent != 0; exponent += exponent < 0 ? 1 : -1) {
    auto& part = exponent < 0 ? fraction.below : fraction.above;
    const auto longer = exact_product(part, 10);
    if (!longer) return std::nullopt;
    part = *longer;
  }
  return std::abs(fraction.above) > kExact ? std::nullopt : std::optional(fraction);
}

/// A number as a fraction of integers, also where it is written as one.
std::optional<Fraction> fraction_of(const Json& value) {
  if (value.is_number_integer()) {
    const auto integer = value.get<std::int64_t>();
    return integer > kExact || integer < -kExact ? std::nullopt : std::optional(Fraction{integer});
  }
  if (value.is_number_float()) return decimal(value.get<double>());
  const auto parts = split(value.get<std::string>(), '/');
  const auto above = decimal(std::stod(parts.at(0))), below = decimal(std::stod(parts.at(1)));
  if (!above || !below) return std::nullopt;
  const auto top = exact_product(above->above, below->below);
  const auto bottom = exact_product(above->below, below->above);
  if (!top || !bottom) return std::nullopt;
  return *bottom < 0 ? Fraction{-*top, -*bottom} : Fraction{*top, *bottom};
}

std::string bound_text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

/// Rounded, so that the last bits, in which mathematical libraries differ, do not matter.
double to_12_digits(double value) {
  char text[64];
  const auto end =
      std::to_chars(text, text + sizeof text, value, std::chars_format::scientific, 11);
  return std::strtod(std::string(text, end.ptr).c_str(), nullptr);
}

class Reader {
 public:
  Reader(const Document& document, const Json& range, std::string path)
      : document_(document), range_(range), path_(std::move(path)) {
    for (const auto& [key, value] : range.items())
      if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end())
        throw InputError(concat(place(key), " is unknown in a range", suggestion(key, kKeys)));
    from_ = number("from");
    to_ = number("to");
    integers_ = range.at("from").is_number_integer() && range.at("to").is_number_integer();
  }

  std::vector<Json> values() const {
    if (range_.contains("step") == range_.contains("num"))
      throw InputError(concat(place(""),
                              " needs either step or num (one follows from the other); "
                              "write {from = 0, to = 1, step = 0.1} or {from = 0, to = "
                              "1, num = 11}"));
    if (logarithmic()) return equal_ratios();
    return range_.contains("step") ? equal_steps() : equal_parts();
  }

  Interval interval() const {
    if (from_ >= to_)
      throw InputError(concat(place("to"), " = ", bound_text(range_.at("to")),
                              " is not above from (there is nothing to draw from between them); "
                              "swap them or give a list"));
    return {from_, to_, logarithmic(), integers_};
  }

 private:
  std::string place(const std::string& key) const {
    const std::string dotted = key.empty() ? path_ : concat(path_, ".", key);
    return concat(document_.location_of(dotted), ": ", dotted);
  }

  double number(const char* key) const {
    if (!range_.contains(key))
      throw InputError(concat(place(""), " is a range without ", key,
                              " (its values would have no end); write {from = 0, to = 1, step = "
                              "0.1}"));
    const auto value = number_of(range_.at(key));
    if (!value || !std::isfinite(*value))
      throw InputError(
          concat(place(key), " = ", range_.at(key).dump(),
                 " is no number (a range counts); give a number, or a fraction such as "
                 "\"4/255\""));
    return *value;
  }

  bool logarithmic() const {
    const Json scale = range_.value("scale", Json("linear"));
    if (scale != "linear" && scale != "log")
      throw InputError(concat(place("scale"), " = ", scale.dump(),
                              " is unknown (it says how values are spaced); give \"linear\" or "
                              "\"log\""));
    if (scale == "linear") return false;
    if (range_.contains("step"))
      throw InputError(concat(place("step"),
                              " and scale = \"log\" contradict each other (values "
                              "have equal steps or equal ratios); give num"));
    if (from_ <= 0 || to_ <= 0)
      throw InputError(concat(place("scale"),
                              " = \"log\" needs from and to above 0 (there are no "
                              "ratios to 0); raise them or leave scale out"));
    return true;
  }

  std::int64_t count() const {
    const Json& num = range_.at("num");
    if (!num.is_number_integer() || num.get<std::int64_t>() < 2 ||
        num.get<std::int64_t>() > static_cast<std::int64_t>(kMaxTrials))
      throw InputError(concat(place("num"), " = ", num.dump(),
                              " is no number of values (both ends "
                              "are among them); give an integer in "
                              "[2, ",
                              kMaxTrials, "]"));
    return num.get<std::int64_t>();
  }

  [[noreturn]] void refuse_digits() const {
    throw InputError(concat(place(""),
                            " has more digits than a range can count exactly (values "
                            "would not be what they look like); write a list"));
  }

  Fraction fraction(const char* key) const {
    const auto value = fraction_of(range_.at(key));
    if (!value) refuse_digits();
    return *value;
  }

  /// from, to and the step, if there is one, as integers divided by `below`.
  struct Counted {
    std::int64_t from, to, step, below;
  };
  Counted over_one_denominator() const {
    const Fraction from = fraction("from"), to = fraction("to");
    const Fraction step = range_.contains("step") ? fraction("step") : Fraction{};
    std::int64_t below = 1;
    for (const auto& part : {from, to, step}) {
      const auto longer = exact_product(below / std::gcd(below, part.below), part.below);
      if (!longer) refuse_digits();
      below = *longer;
    }
    const auto above = [&](const Fraction& part) {
      const auto product = exact_product(part.above, below / part.below);
      if (!product) refuse_digits();
      return *product;
    };
    return {above(from), above(to), above(step), below};
  }

  /// (from + i * step) / below for i in [0, count).
  std::vector<Json> counted(std::int64_t from, std::int64_t step, std::int64_t below,
                            std::int64_t count, bool integers) const {
    std::vector<Json> values;
    for (std::int64_t i = 0; i < count; ++i) {
      std::int64_t above = 0;
      if (__builtin_mul_overflow(i, step, &above) || __builtin_add_overflow(from, above, &above) ||
          above > kExact || above < -kExact)
        refuse_digits();
      if (integers) {
        values.emplace_back(above / below);
      } else {
        values.emplace_back(static_cast<double>(above) / static_cast<double>(below) + 0.0);
      }
    }
    return values;
  }

  std::vector<Json> equal_steps() const {
    number("step");  // it is one
    const auto [from, to, step, below] = over_one_denominator();
    const std::int64_t way = to - from;
    if (step == 0 || (way != 0 && (way < 0) != (step < 0)))
      throw InputError(concat(place("step"), " = ", bound_text(range_.at("step")),
                              " does not lead from ", bound_text(range_.at("from")), " to ",
                              bound_text(range_.at("to")),
                              " (there would be no end); correct its "
                              "sign"));
    const std::int64_t steps = way / step;
    if (steps >= static_cast<std::int64_t>(kMaxTrials))
      throw InputError(concat(place(""), " has more than ", kMaxTrials,
                              " values (no plan holds so many trials); raise step"));
    if (way % step != 0)
      throw InputError(concat(place("to"), " = ", bound_text(range_.at("to")),
                              " is not reached in steps of ", bound_text(range_.at("step")),
                              " (the last value would be ",
                              counted(from, step, below, steps + 1, false).back().dump(),
                              "); give that as to, or another step"));
    return counted(from, step, below, steps + 1,
                   integers_ && range_.at("step").is_number_integer());
  }

  std::vector<Json> equal_parts() const {
    const std::int64_t parts = count() - 1;
    const auto [from, to, step, below] = over_one_denominator();
    const auto start = exact_product(from, parts), whole = exact_product(below, parts);
    if (!start || !whole) refuse_digits();
    refuse_equal_ends();
    return counted(*start, to - from, *whole, parts + 1, integers_ && (to - from) % parts == 0);
  }

  std::vector<Json> equal_ratios() const {
    const std::int64_t parts = count() - 1;
    refuse_equal_ends();
    std::vector<double> values;
    for (std::int64_t i = 0; i <= parts; ++i)
      values.push_back(
          i == 0 ? from_
          : i == parts
              ? to_
              : to_12_digits(from_ * std::pow(to_ / from_, static_cast<double>(i) /
                                                               static_cast<double>(parts))));
    const bool whole = integers_ && std::all_of(values.begin(), values.end(), [](double value) {
                         return value == std::floor(value);
                       });
    std::vector<Json> result;
    for (const double value : values)
      result.push_back(whole ? Json(static_cast<std::int64_t>(value)) : Json(value));
    return result;
  }

  void refuse_equal_ends() const {
    if (from_ == to_)
      throw InputError(concat(place("to"), " = ", bound_text(range_.at("to")),
                              " is the same as from (all values would be equal); give the value "
                              "itself"));
  }

  const Document& document_;
  const Json& range_;
  std::string path_;
  double from_ = 0, to_ = 0;
  bool integers_ = false;
};

}  // namespace

bool is_range(const Json& value) {
  return value.is_object() && std::any_of(kKeys.begin(), kKeys.end(), [&](const auto& key) {
           return value.contains(key) && !value.at(key).is_object();
         });
}

std::vector<Json> range_values(const Document& document, const Json& range,
                               const std::string& path) {
  return Reader(document, range, path).values();
}

Interval read_interval(const Document& document, const Json& range, const std::string& path) {
  return Reader(document, range, path).interval();
}

Json Interval::at(double u) const {
  // Integers share the interval [from, to + 1) equally.
  const double end = integers ? to + 1 : to;
  const double value = logarithmic ? from * std::pow(end / from, u) : from + u * (end - from);
  if (integers)
    return static_cast<std::int64_t>(std::clamp(std::floor(to_12_digits(value)), from, to));
  return std::clamp(to_12_digits(value), from, to);
}

}  // namespace sweep::plan
