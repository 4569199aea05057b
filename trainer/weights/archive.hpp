#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "trainer/weights/file.hpp"

struct zip;

namespace sweep::trainer {

/// The entries of a zip file as torch.save writes it: as they are, without compression. That makes
/// no entry larger than the file.
class Archive {
 public:
  /// @throws InputError when it is no zip file, is damaged, or has two entries of one name
  explicit Archive(const WeightFile& file);

  std::vector<std::string> names() const;
  bool contains(const std::string& name) const { return entries_.contains(name); }

  /// Bytes of an entry, at most those of the file. @throws InputError when there is no such entry
  /// or it is compressed or encrypted
  std::uint64_t size(const std::string& name) const;

  /// Fills `bytes`, which must be as many as the entry has. @throws InputError also for a wrong
  /// checksum
  void read(const std::string& name, std::span<std::byte> bytes) const;

 private:
  struct Entry {
    std::uint64_t index = 0, size = 0;
    bool plain = false;  ///< neither compressed nor encrypted
  };
  const Entry& entry(const std::string& name) const;

  const WeightFile& file_;
  std::unique_ptr<zip, void (*)(zip*)> zip_;
  std::map<std::string, Entry> entries_;
};

}  // namespace sweep::trainer
