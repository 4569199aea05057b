#include "cluster/group_reduction.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::cluster {
namespace {

enum class Phase : std::uint8_t { contribution, result };

/// Precedes the values of a message.
struct Header {
  char magic[7] = {'r', 'e', 'd', 'u', 'c', 'e', '1'};  // no JSON text begins like this
  Phase phase = Phase::contribution;
  std::uint64_t group = 0, sequence = 0;
};
static_assert(sizeof(Header) == 24);

Header header_of(std::string_view message) {
  Header header;
  std::memcpy(&header, message.data(), sizeof header);
  return header;
}

std::string framed(const Header& header, std::span<const std::byte> values) {
  std::string message(sizeof header + values.size(), '\0');
  std::memcpy(message.data(), &header, sizeof header);
  if (!values.empty()) std::memcpy(message.data() + sizeof header, values.data(), values.size());
  return message;
}

float to_float(std::uint16_t bfloat16) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bfloat16) << 16);
}

/// To the nearest, ties to even.
std::uint16_t to_bfloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (value != value) return 0x7fc0;
  return static_cast<std::uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

template <class T>
T load(const char* data, std::size_t index) {
  T value;
  std::memcpy(&value, data + index * sizeof(T), sizeof(T));
  return value;
}

/// @param Stored  as it travels; @param Wide  as it is added; the functions convert.
template <class Stored, class Wide, class Widen, class Narrow>
void add_all(const std::vector<const char*>& terms, std::span<std::byte> sum, Widen widen,
             Narrow narrow) {
  for (std::size_t i = 0; i < sum.size() / sizeof(Stored); ++i) {
    Wide total = widen(load<Stored>(terms.front(), i));
    for (std::size_t term = 1; term < terms.size(); ++term)
      total += widen(load<Stored>(terms[term], i));
    const Stored stored = narrow(total);
    std::memcpy(sum.data() + i * sizeof(Stored), &stored, sizeof(Stored));
  }
}

}  // namespace

std::size_t size_of(Element element) {
  return element == Element::float64 ? 8 : element == Element::float32 ? 4 : 2;
}

bool is_of_a_group(std::string_view message) {
  return message.size() >= sizeof(Header) &&
         std::memcmp(message.data(), Header{}.magic, sizeof Header{}.magic) == 0;
}

std::uint64_t group_of(std::string_view message) {
  return header_of(message).group;
}

GroupReduction::GroupReduction(std::uint64_t number, std::vector<int> ranks, int own, Send send)
    : number_(number), ranks_(std::move(ranks)), own_(index_of(own)), send_(std::move(send)) {}

std::size_t GroupReduction::index_of(int rank) const {
  const auto found = std::find(ranks_.begin(), ranks_.end(), rank);
  if (found == ranks_.end())
    throw Error(FailureType::communication,
                concat("rank ", rank, " is not of the group ", number_,
                       " (what it says would change results); this is a bug"));
  return static_cast<std::size_t>(found - ranks_.begin());
}

GroupReduction::Work& GroupReduction::work(std::uint64_t sequence) {
  Work& work = works_[sequence];
  work.contributions.resize(ranks_.size());
  return work;
}

GroupReduction::Part GroupReduction::part(const Work& work, std::size_t index) const {
  const std::size_t size = size_of(work.element), count = work.values.size() / size;
  const std::size_t begin = count * index / ranks_.size();
  const std::size_t end = count * (index + 1) / ranks_.size();
  return {begin * size, (end - begin) * size};
}

void GroupReduction::start(std::uint64_t sequence, std::span<std::byte> values, Element element,
                           Reduction how) {
  Work& begun = work(sequence);
  begun.values = values;
  begun.element = element;
  begun.how = how;
  begun.started = true;
  send_contributions(sequence, begun);
  advance(sequence);
}

void GroupReduction::send_contributions(std::uint64_t sequence, const Work& work) const {
  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    if (i == own_) continue;
    const auto [begin, bytes] = part(work, i);
    // Of a "first" only the first one's values count; the others just say that they are there.
    const bool counts = work.how == Reduction::sum || own_ == 0;
    send_(ranks_[i], framed({.phase = Phase::contribution, .group = number_, .sequence = sequence},
                            work.values.subspan(begin, counts ? bytes : 0)));
  }
}

void GroupReduction::receive(int from, std::string_view message) {
  const Header header = header_of(message);
  const std::size_t index = index_of(from);
  const std::string_view values = message.substr(sizeof(Header));
  Work& theirs = work(header.sequence);
  if (header.phase == Phase::contribution) {
    theirs.contributions[index] = values;
    ++theirs.contributed;
  } else {
    const auto [begin, bytes] = part(theirs, index);
    if (!theirs.started || values.size() != bytes)
      throw Error(FailureType::communication,
                  concat("rank ", from, " sent ", values.size(), " bytes instead of ", bytes,
                         " (the ranks of a group must work on the same values)"));
    if (bytes > 0) std::memcpy(theirs.values.data() + begin, values.data(), bytes);
    ++theirs.results;
  }
  advance(header.sequence);
}

void GroupReduction::advance(std::uint64_t sequence) {
  Work& ours = works_.at(sequence);
  const std::size_t others = ranks_.size() - 1;
  if (!ours.started || ours.contributed < others) return;
  if (!ours.added) {
    add_up(ours);
    ours.added = true;
    const auto [begin, bytes] = part(ours, own_);
    for (std::size_t i = 0; i < ranks_.size(); ++i)
      if (i != own_)
        send_(ranks_[i], framed({.phase = Phase::result, .group = number_, .sequence = sequence},
                                ours.values.subspan(begin, bytes)));
  }
  if (ours.results < others) return;
  done_.push_back(sequence);
  works_.erase(sequence);
}

void GroupReduction::add_up(Work& work) const {
  const auto [begin, bytes] = part(work, own_);
  const auto sum = work.values.subspan(begin, bytes);
  std::vector<const char*> terms;
  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    const bool counts = work.how == Reduction::sum || i == 0;
    if (i != own_ && work.contributions[i].size() != (counts ? bytes : 0))
      throw Error(FailureType::communication,
                  concat("rank ", ranks_[i], " contributed ", work.contributions[i].size(),
                         " bytes instead of ", bytes,
                         " (the ranks of a group must work on the same values)"));
    terms.push_back(i == own_ ? reinterpret_cast<const char*>(sum.data())
                              : work.contributions[i].data());
  }
  if (work.how == Reduction::first) {
    if (own_ != 0 && bytes > 0) std::memcpy(sum.data(), terms.front(), bytes);
    return;
  }
  const auto same = [](auto value) { return value; };
  switch (work.element) {
    case Element::float32:
      return add_all<float, double>(terms, sum, same,
                                    [](double value) { return static_cast<float>(value); });
    case Element::float64:
      return add_all<double, double>(terms, sum, same, same);
    case Element::bfloat16:
      return add_all<std::uint16_t, float>(terms, sum, to_float, to_bfloat16);
  }
}

std::vector<std::uint64_t> GroupReduction::take_done() {
  return std::exchange(done_, {});
}

bool GroupReduction::pending() const {
  return std::any_of(works_.begin(), works_.end(),
                     [](const auto& entry) { return entry.second.started; });
}

}  // namespace sweep::cluster
