#include "runner/engine/collectives.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "core/atomic_file.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace sweep::engine {
namespace {

using cluster::Element;
using cluster::Reduction;

Element element_from(const std::string& name) {
  for (const auto& [element, its_name] :
       {std::pair(Element::float32, "float32"), std::pair(Element::float64, "float64"),
        std::pair(Element::bfloat16, "bfloat16")})
    if (name == its_name) return element;
  throw Error(FailureType::communication, concat("numbers of the type '", name,
                                                 "' can't be added up by agents; this is a bug"));
}

}  // namespace

void Collectives::Unmap::operator()(std::byte* memory) const {
  ::munmap(memory, bytes);
}

Collectives::Collectives(const Json& group, cluster::MessageBus& bus, pid_t executor)
    : number_(group.at("number")),
      reduction_(number_, group.at("ranks"), bus.rank(),
                 [&bus](int rank, std::string message) { bus.send(rank, std::move(message)); }),
      executor_(executor) {}

std::span<std::byte> Collectives::memory(int descriptor, std::size_t bytes) {
  Memory& known = memories_[descriptor];
  if (!known || known.get_deleter().bytes < bytes) {
    const std::string path = concat("/proc/", executor_, "/fd/", descriptor);
    const FileDescriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    struct stat status {};
    void* address = MAP_FAILED;
    const bool opened = file.get() >= 0 && ::fstat(file.get(), &status) == 0;
    const bool fits = opened && static_cast<std::size_t>(status.st_size) >= bytes;
    if (fits) address = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    if (address == MAP_FAILED)
      throw Error(FailureType::communication,
                  concat("cannot use the executor's shared memory (",
                         opened && !fits ? "it is smaller than it says" : std::strerror(errno),
                         "; gradients pass through it)"));
    known = Memory(static_cast<std::byte*>(address), Unmap{bytes});
  }
  return {known.get(), bytes};
}

void Collectives::start(const Json& request) {
  const Element element = element_from(request.at("element"));
  const auto count = request.at("count").get<std::int64_t>();
  constexpr std::int64_t kMost = std::int64_t{1} << 40;  // far beyond any network
  if (count < 0 || count > kMost)
    throw Error(FailureType::communication,
                concat("the executor wants ", count,
                       " numbers added up (more than any network has); this is a bug"));
  const std::size_t bytes = static_cast<std::size_t>(count) * cluster::size_of(element);
  reduction_.start(request.at("sequence"),
                   bytes == 0 ? std::span<std::byte>() : memory(request.at("memory"), bytes),
                   element, request.at("reduction") == "first" ? Reduction::first : Reduction::sum);
}

void Collectives::receive(const cluster::Message& message) {
  reduction_.receive(message.from, message.text);
}

std::vector<Json> Collectives::take_answers() {
  std::vector<Json> answers;
  for (const auto sequence : reduction_.take_done())
    answers.push_back({{"type", "reduced"}, {"sequence", sequence}});
  return answers;
}

}  // namespace sweep::engine
