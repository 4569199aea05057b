#include "storage/hdf5/user_file.hpp"

#include <hdf5.h>
#include <unistd.h>

#include <algorithm>
#include <numeric>

#include "core/error.hpp"
#include "core/text.hpp"
#include "storage/hdf5/handle.hpp"

namespace sweep::storage::hdf5 {
namespace {

using Values = WantedArray::Values;

/// Deflate makes at most 1032 bytes of one; a filter around it may add a few.
constexpr std::uint64_t kLargestCompression = 1100;
constexpr hsize_t kSmallChunk = hsize_t{1} << 24;  // elements that a chunk may have in any case

struct FileOfUser {
  const std::filesystem::path& path;
  File file;
  std::uint64_t bytes;

  [[noreturn]] void refuse(const std::string& fault, const std::string& remedy) const {
    throw InputError(concat("'", path.string(), "' ", fault, "; ", remedy));
  }
};

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::vector<std::string> sizes;
  for (const auto size : shape) sizes.push_back(concat(size));
  return concat("[", join(sizes, ","), "]");
}

FileOfUser open_file(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    throw InputError(concat("'", path.string(), "' is ",
                            std::filesystem::exists(path, error) ? "no file" : "not there",
                            " (images are read from it); give the path of an HDF5 file"));
  const PropertyList access(checked(H5Pcreate(H5P_FILE_ACCESS), "H5Pcreate"));
  // Locks fail on some network file systems, and nothing is written.
  checked(H5Pset_file_locking(access.get(), false, true), "H5Pset_file_locking");
  const hid_t id = H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get());
  if (id < 0)
    throw InputError(concat("'", path.string(),
                            "' can't be opened as HDF5 (it is damaged, cut off, or of another "
                            "format); give an HDF5 file"));
  return {path, File(id), std::filesystem::file_size(path)};
}

/// "images_u8, labels", the first few links of the root.
std::string names_in(const FileOfUser& opened) {
  constexpr std::size_t kShown = 12;
  std::vector<std::string> names;
  const H5L_iterate_t visit = [](hid_t, const char* name, const H5L_info_t*, void* list) -> herr_t {
    auto& found = *static_cast<std::vector<std::string>*>(list);
    found.push_back(std::string(name).substr(0, 60));
    return found.size() > kShown ? 1 : 0;
  };
  H5Literate(opened.file.get(), H5_INDEX_NAME, H5_ITER_INC, nullptr, visit, &names);
  if (names.size() > kShown) names.back() = "...";
  return names.empty() ? "nothing" : join(names, ", ");
}

/// Whether the dataset is there. Every step of the path has to stay in this file.
bool is_there(const FileOfUser& opened, const std::string& key) {
  std::string path;
  for (const auto& part : split(key, '/')) {
    if (part.empty()) continue;
    path += path.empty() ? part : "/" + part;
    if (H5Lexists(opened.file.get(), path.c_str(), H5P_DEFAULT) <= 0) return false;
    H5L_info_t link{};
    checked(H5Lget_info(opened.file.get(), path.c_str(), &link, H5P_DEFAULT), "H5Lget_info");
    if (link.type != H5L_TYPE_HARD)
      opened.refuse(
          concat("has a link that leads elsewhere at '", path, "' (what it names may be any file)"),
          "store the array itself there");
  }
  return !path.empty();
}

struct Layout {
  ElementType type;
  std::vector<std::int64_t> shape;
  std::uint64_t stored_bytes;  ///< of all elements in the file's type, before compression
};

std::vector<std::int64_t> wanted_shape(const FileOfUser& opened, const Dataset& dataset,
                                       const WantedArray& wanted) {
  const Dataspace space(checked(H5Dget_space(dataset.get()), "H5Dget_space"));
  std::vector<hsize_t> sizes(H5S_MAX_RANK);
  const bool is_array = H5Sget_simple_extent_type(space.get()) == H5S_SIMPLE;
  const int rank = is_array ? H5Sget_simple_extent_ndims(space.get()) : 0;
  const auto largest = wanted.largest_shape;
  if (rank != static_cast<int>(largest.size()))
    opened.refuse(concat("has '", wanted.key, "' with ", rank, " dimensions"),
                  concat("it must have ", largest.size()));
  checked(H5Sget_simple_extent_dims(space.get(), sizes.data(), nullptr),
          "H5Sget_simple_extent_dims");
  std::vector<std::int64_t> shape;
  for (std::size_t i = 0; i < largest.size(); ++i) {
    if (sizes[i] == 0 || sizes[i] > static_cast<hsize_t>(largest[i]))
      opened.refuse(concat("has '", wanted.key, "' of the size ", sizes[i], " in dimension ", i),
                    concat("it must be from 1 to ", largest[i]));
    shape.push_back(static_cast<std::int64_t>(sizes[i]));
  }
  return shape;
}

ElementType wanted_element_type(const FileOfUser& opened, hid_t type, const WantedArray& wanted) {
  const auto kind = H5Tget_class(type);
  const std::size_t bytes = H5Tget_size(type);
  if (wanted.values == Values::integers) {
    if (kind == H5T_INTEGER && bytes <= 8) return ElementType::int64;
    opened.refuse(concat("has '", wanted.key, "' of a type that is no integer"),
                  "store class numbers as integers");
  }
  if (kind == H5T_FLOAT && bytes <= 8) return ElementType::float32;
  if (kind == H5T_INTEGER && bytes == 1 && H5Tget_sign(type) == H5T_SGN_NONE)
    return ElementType::uint8;
  opened.refuse(concat("has '", wanted.key, "' of a type that is neither uint8 nor float"),
                "store pixels as uint8 from 0 to 255 or as float32 from 0 to 1");
}

/// Elements of `shape`, whose sizes have an upper limit: no overflow.
std::uint64_t count_of(const std::vector<std::int64_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::uint64_t{1},
                         [](std::uint64_t count, std::int64_t size) {
                           return count * static_cast<std::uint64_t>(size);
                         });
}

/// The factor by which the filters of a dataset may compress.
std::uint64_t largest_compression(const FileOfUser& opened, hid_t creation,
                                  const WantedArray& wanted) {
  const int filters = checked(H5Pget_nfilters(creation), "H5Pget_nfilters");
  int deflates = 0;
  for (int i = 0; i < filters; ++i) {
    unsigned flags = 0, configuration = 0;
    std::size_t values = 0;
    const auto filter = H5Pget_filter2(creation, static_cast<unsigned>(i), &flags, &values, nullptr,
                                       0, nullptr, &configuration);
    if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE &&
        filter != H5Z_FILTER_FLETCHER32)
      opened.refuse(concat("has '", wanted.key, "' with the filter ", filter,
                           " (filters other than HDF5's own need libraries)"),
                    "compress it with deflate (gzip), with or without shuffle");
    if (filter == H5Z_FILTER_DEFLATE) ++deflates;
  }
  if (deflates > 1)
    opened.refuse(concat("has '", wanted.key, "' deflated ", deflates, " times"),
                  "compress it once");
  return deflates > 0 ? kLargestCompression : 1;
}

[[noreturn]] void refuse_unwritten(const FileOfUser& opened, const WantedArray& wanted) {
  opened.refuse(concat("has '", wanted.key, "' of which parts were never written"),
                "write all of it");
}

void check_chunks(const FileOfUser& opened, const Dataset& dataset, hid_t creation,
                  const Layout& layout, const WantedArray& wanted) {
  std::vector<hsize_t> chunk(layout.shape.size());
  checked(H5Pget_chunk(creation, static_cast<int>(chunk.size()), chunk.data()), "H5Pget_chunk");
  const hsize_t most = std::max<hsize_t>(count_of(layout.shape), kSmallChunk);
  hsize_t chunks = 1, elements = 1;
  for (std::size_t i = 0; i < chunk.size(); ++i) {
    const auto size = static_cast<hsize_t>(layout.shape[i]);
    chunk[i] = std::max<hsize_t>(chunk[i], 1);
    chunks *= (size + chunk[i] - 1) / chunk[i];
    if (chunk[i] > most / elements)  // division, because the product could overflow
      opened.refuse(concat("has '", wanted.key, "' in chunks that are larger than itself"),
                    "choose smaller chunks");
    elements *= chunk[i];
  }
  const Dataspace space(checked(H5Dget_space(dataset.get()), "H5Dget_space"));
  hsize_t written = 0;
  checked(H5Dget_num_chunks(dataset.get(), space.get(), &written), "H5Dget_num_chunks");
  if (written != chunks) refuse_unwritten(opened, wanted);
}

/// Before any memory is taken.
void check_storage(const FileOfUser& opened, const Dataset& dataset, const Layout& layout,
                   const WantedArray& wanted) {
  const PropertyList creation(checked(H5Dget_create_plist(dataset.get()), "H5Dget_create_plist"));
  const auto kind = H5Pget_layout(creation.get());
  if (kind != H5D_CONTIGUOUS && kind != H5D_CHUNKED && kind != H5D_COMPACT)
    opened.refuse(concat("has '", wanted.key, "' as a virtual dataset (its parts are other files)"),
                  "store the array itself");
  if (H5Pget_external_count(creation.get()) != 0)
    opened.refuse(concat("has '", wanted.key, "' in other files (its storage is external)"),
                  "store the array itself");
  const std::uint64_t explained =
      opened.bytes * largest_compression(opened, creation.get(), wanted);
  const auto memory = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                      static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const std::uint64_t taken = count_of(layout.shape) * element_bytes(layout.type);
  if (layout.stored_bytes > explained)
    opened.refuse(concat("has '", wanted.key, "' of the shape ", shape_text(layout.shape),
                         ", which is more than its ", opened.bytes, " bytes can hold"),
                  "make the file again");
  if (taken > memory)
    opened.refuse(concat("has '", wanted.key, "' of the shape ", shape_text(layout.shape), " (",
                         taken >> 30, " GiB, and this machine has ", memory >> 30, ")"),
                  "cut it into smaller files");
  if (kind == H5D_CHUNKED) check_chunks(opened, dataset, creation.get(), layout, wanted);
  if (kind == H5D_CONTIGUOUS && H5Dget_storage_size(dataset.get()) < layout.stored_bytes)
    refuse_unwritten(opened, wanted);
}

hid_t memory_type(ElementType type) {
  if (type == ElementType::uint8) return H5T_NATIVE_UINT8;
  return type == ElementType::int64 ? H5T_NATIVE_INT64 : H5T_NATIVE_FLOAT;
}

Array read_array(const FileOfUser& opened, const WantedArray& wanted, const Allocate& allocate) {
  const hid_t id = H5Dopen2(opened.file.get(), wanted.key.c_str(), H5P_DEFAULT);
  if (id < 0) opened.refuse(concat("has no array at '", wanted.key, "'"), "name a dataset");
  const Dataset dataset(id);
  const Datatype type(checked(H5Dget_type(dataset.get()), "H5Dget_type"));
  Layout layout{wanted_element_type(opened, type.get(), wanted),
                wanted_shape(opened, dataset, wanted), 0};
  layout.stored_bytes = count_of(layout.shape) * H5Tget_size(type.get());
  check_storage(opened, dataset, layout, wanted);
  Array array = allocate(layout.type, layout.shape);
  // Not shared yet: nobody else knows of the array.
  checked(H5Dread(dataset.get(), memory_type(layout.type), H5S_ALL, H5S_ALL, H5P_DEFAULT,
                  const_cast<void*>(array.data.get())),
          "H5Dread");
  return array;
}

Content read_arrays(const FileOfUser& opened, const std::vector<WantedArray>& wanted,
                    const Allocate& allocate) {
  Content content;
  for (const auto& array : wanted) {
    if (is_there(opened, array.key)) {
      content.arrays.emplace(array.key, read_array(opened, array, allocate));
    } else if (array.required) {
      opened.refuse(concat("has no array '", array.key, "' (it has: ", names_in(opened), ")"),
                    "name the one that is meant");
    }
  }
  return content;
}

}  // namespace

Content read_user_file(const std::filesystem::path& path, const std::vector<WantedArray>& wanted,
                       const Allocate& allocate) {
  init();
  const FileOfUser opened = open_file(path);
  try {
    return read_arrays(opened, wanted, allocate);
  } catch (const Error& error) {
    if (error.type() != FailureType::bad_data) throw;
    opened.refuse(concat("is damaged (", error.what(), ")"), "make the file again");
  }
}

}  // namespace sweep::storage::hdf5
