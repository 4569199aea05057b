#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "storage/array.hpp"

namespace sweep::storage {

/// Where a process that reads in isolation puts what it reads: its parent gets the same memory.
class SharedMemory {
 public:
  /// `memory` is the descriptor of an anonymous file.
  explicit SharedMemory(int memory) : memory_(memory) {}

  /// Memory for an array. Until here the process may use a fixed amount of memory and time; from
  /// here on also what it takes to read so many bytes. @throws Error{out_of_memory}
  Array allocate(ElementType type, std::vector<std::int64_t> shape);

  /// Where an array of allocate() begins.
  std::size_t offset_of(const Array& array) const;

 private:
  int memory_;
  std::size_t used_ = 0;
  std::vector<std::pair<const void*, std::size_t>> offsets_;
};

/// What `read` returns, which runs in a process of its own: a file may be made to crash the library
/// that reads it, to keep it busy for ever or to make it take all memory, and nobody can know all
/// ways to do so. The arrays of the result must be those that it got from SharedMemory.
/// @param what  for messages: "the image set 'set.h5'"
/// @throws what `read` throws, by its type and text; InputError when the process died.
Content read_isolated(const std::string& what,
                      const std::function<Content(SharedMemory& memory)>& read);

}  // namespace sweep::storage
