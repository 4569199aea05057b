#include "storage/hdf5/image.hpp"

#include <hdf5.h>

#include <algorithm>
#include <limits>
#include <string>

#include "core/error.hpp"
#include "core/text.hpp"
#include "storage/hdf5/handle.hpp"

namespace sweep::storage::hdf5 {
namespace {

hid_t native_type(ElementType type) {
  switch (type) {
    case ElementType::uint8:
      return H5T_NATIVE_UINT8;
    case ElementType::int64:
      return H5T_NATIVE_INT64;
    case ElementType::float32:
      return H5T_NATIVE_FLOAT;
    case ElementType::float64:
      return H5T_NATIVE_DOUBLE;
  }
  return H5I_INVALID_HID;
}

ElementType stored_element_type(hid_t type, const std::string& name) {
  for (const auto candidate :
       {ElementType::uint8, ElementType::int64, ElementType::float32, ElementType::float64})
    if (checked(H5Tequal(type, native_type(candidate)), "H5Tequal") > 0) return candidate;
  throw Error(FailureType::bad_data,
              concat("array '", name, "' has an element type that is not ours"));
}

/// Texts of any length: those of fixed length end at 64 KiB, and h5py gives them as bytes.
Datatype text_type() {
  Datatype type(checked(H5Tcopy(H5T_C_S1), "H5Tcopy"));
  checked(H5Tset_size(type.get(), H5T_VARIABLE), "H5Tset_size");
  checked(H5Tset_cset(type.get(), H5T_CSET_UTF8), "H5Tset_cset");
  return type;
}

void write_attribute(hid_t file, const std::string& name, hid_t type, const void* value) {
  const Dataspace scalar(checked(H5Screate(H5S_SCALAR), "H5Screate"));
  const Attribute attribute(checked(
      H5Acreate2(file, name.c_str(), type, scalar.get(), H5P_DEFAULT, H5P_DEFAULT), "H5Acreate2"));
  checked(H5Awrite(attribute.get(), type, value), "H5Awrite");
}

void write_attributes(hid_t file, const Json& attributes) {
  for (const auto& [name, value] : attributes.items()) {
    constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (value.is_number_unsigned() && value.get<std::uint64_t>() > kLargest) {
      const auto integer = value.get<std::uint64_t>();  // a seed, for instance
      write_attribute(file, name, H5T_NATIVE_UINT64, &integer);
    } else if (value.is_number_integer()) {
      const auto integer = value.get<std::int64_t>();
      write_attribute(file, name, H5T_NATIVE_INT64, &integer);
    } else if (value.is_number()) {
      const auto number = value.get<double>();
      write_attribute(file, name, H5T_NATIVE_DOUBLE, &number);
    } else {
      const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
      const char* pointer = text.c_str();
      write_attribute(file, name, text_type().get(), &pointer);
    }
  }
}

void write_array(hid_t file, const std::string& name, const Array& array) {
  const std::vector<hsize_t> shape(array.shape.begin(), array.shape.end());
  const Dataspace space(checked(
      H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr), "H5Screate_simple"));
  const PropertyList links(checked(H5Pcreate(H5P_LINK_CREATE), "H5Pcreate"));
  checked(H5Pset_create_intermediate_group(links.get(), 1), "H5Pset_create_intermediate_group");
  const PropertyList creation(checked(H5Pcreate(H5P_DATASET_CREATE), "H5Pcreate"));
  // Equal content makes equal files, at whatever time.
  checked(H5Pset_obj_track_times(creation.get(), false), "H5Pset_obj_track_times");
  const hid_t type = native_type(array.type);
  const Dataset dataset(checked(
      H5Dcreate2(file, name.c_str(), type, space.get(), links.get(), creation.get(), H5P_DEFAULT),
      "H5Dcreate2"));
  if (array.count() > 0)
    checked(H5Dwrite(dataset.get(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, array.data.get()),
            "H5Dwrite");
}

/// A file that lives in memory only.
File create_in_memory() {
  constexpr std::size_t kIncrement = std::size_t{4} << 20;
  constexpr hsize_t kAlignedFrom = 4096, kAlignment = 64;  // mapped arrays start on a cache line
  const PropertyList access(checked(H5Pcreate(H5P_FILE_ACCESS), "H5Pcreate"));
  checked(H5Pset_fapl_core(access.get(), kIncrement, 0), "H5Pset_fapl_core");
  checked(H5Pset_alignment(access.get(), kAlignedFrom, kAlignment), "H5Pset_alignment");
  const PropertyList creation(checked(H5Pcreate(H5P_FILE_CREATE), "H5Pcreate"));
  checked(H5Pset_userblock(creation.get(), kUserBlockBytes), "H5Pset_userblock");
  return File(
      checked(H5Fcreate("artifact", H5F_ACC_TRUNC, creation.get(), access.get()), "H5Fcreate"));
}

Json read_attribute(hid_t file, const std::string& name) {
  const Attribute attribute(checked(H5Aopen(file, name.c_str(), H5P_DEFAULT), "H5Aopen"));
  const Datatype type(checked(H5Aget_type(attribute.get()), "H5Aget_type"));
  const Dataspace space(checked(H5Aget_space(attribute.get()), "H5Aget_space"));
  const bool is_one_value = H5Sget_simple_extent_npoints(space.get()) == 1;
  const Error not_ours(FailureType::bad_data,
                       concat("attribute '", name, "' has a type or shape that is not ours"));
  if (!is_one_value) throw not_ours;
  switch (H5Tget_class(type.get())) {
    case H5T_INTEGER: {
      if (H5Tget_sign(type.get()) == H5T_SGN_NONE) {
        std::uint64_t value = 0;
        checked(H5Aread(attribute.get(), H5T_NATIVE_UINT64, &value), "H5Aread");
        return value;
      }
      std::int64_t value = 0;
      checked(H5Aread(attribute.get(), H5T_NATIVE_INT64, &value), "H5Aread");
      return value;
    }
    case H5T_FLOAT: {
      double value = 0;
      checked(H5Aread(attribute.get(), H5T_NATIVE_DOUBLE, &value), "H5Aread");
      return value;
    }
    case H5T_STRING: {
      if (H5Tis_variable_str(type.get()) <= 0) break;
      char* text = nullptr;
      checked(H5Aread(attribute.get(), type.get(), &text), "H5Aread");
      const std::unique_ptr<char, herr_t (*)(void*)> owner(
          text, [](void* p) { return H5free_memory(p); });
      return std::string(text == nullptr ? "" : text);
    }
    default:
      break;
  }
  throw not_ours;
}

struct Mapping {
  std::shared_ptr<const std::byte> data;
  std::size_t bytes;
};

std::vector<hsize_t> sizes_of(const Dataset& dataset) {
  const Dataspace space(checked(H5Dget_space(dataset.get()), "H5Dget_space"));
  const int rank = checked(H5Sget_simple_extent_ndims(space.get()), "H5Sget_simple_extent_ndims");
  std::vector<hsize_t> shape(static_cast<std::size_t>(rank));
  checked(H5Sget_simple_extent_dims(space.get(), shape.data(), nullptr),
          "H5Sget_simple_extent_dims");
  return shape;
}

/// True when an array of this shape can lie in a file of `bytes` bytes.
bool fits(const std::vector<hsize_t>& shape, std::size_t element, std::size_t bytes) {
  if (std::find(shape.begin(), shape.end(), 0) != shape.end())
    return std::all_of(shape.begin(), shape.end(), [](hsize_t size) {
      return size <= static_cast<hsize_t>(std::numeric_limits<std::int64_t>::max());
    });
  std::size_t room = bytes / element;  // division, because a product could overflow
  for (const hsize_t size : shape) room /= size;
  return room > 0;
}

Array map_array(hid_t file, const std::string& name, const Mapping& mapping) {
  const Dataset dataset(checked(H5Dopen2(file, name.c_str(), H5P_DEFAULT), "H5Dopen2"));
  const Datatype type(checked(H5Dget_type(dataset.get()), "H5Dget_type"));
  const std::vector<hsize_t> shape = sizes_of(dataset);
  const ElementType element = stored_element_type(type.get(), name);
  const Error beyond_the_end(FailureType::bad_data,
                             concat("array '", name, "' reaches beyond the end of its file"));
  if (!fits(shape, element_bytes(element), mapping.bytes)) throw beyond_the_end;
  Array array{element, {shape.begin(), shape.end()}, nullptr};
  if (array.count() == 0) return array;
  const haddr_t offset = H5Dget_offset(dataset.get());
  // HDF5 adds the user block to "undefined" (all ones) too: the sum lies inside the user block.
  const bool is_allocated = offset != HADDR_UNDEF && offset >= kUserBlockBytes;
  if (!is_allocated || offset > mapping.bytes || array.bytes() > mapping.bytes - offset)
    throw beyond_the_end;
  const std::byte* begin = mapping.data.get() + offset;
  if (offset % element_bytes(element) == 0) {
    array.data = std::shared_ptr<const void>(mapping.data, begin);
  } else {  // HDF5 packs small arrays without regard to their type
    const auto copy = std::make_shared<std::vector<std::byte>>(begin, begin + array.bytes());
    array.data = std::shared_ptr<const void>(copy, copy->data());
  }
  return array;
}

/// The paths of all datasets and the names of all root attributes.
std::vector<std::string> dataset_names(hid_t file) {
  std::vector<std::string> names;
  const H5O_iterate_t visit = [](hid_t, const char* name, const H5O_info_t* info,
                                 void* list) -> herr_t {
    if (info->type == H5O_TYPE_DATASET)
      static_cast<std::vector<std::string>*>(list)->emplace_back(name);
    return 0;
  };
  checked(H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_INC, visit, &names, H5O_INFO_BASIC), "H5Ovisit2");
  return names;
}

std::vector<std::string> attribute_names(hid_t file) {
  std::vector<std::string> names;
  const H5A_operator2_t visit = [](hid_t, const char* name, const H5A_info_t*,
                                   void* list) -> herr_t {
    static_cast<std::vector<std::string>*>(list)->emplace_back(name);
    return 0;
  };
  checked(H5Aiterate2(file, H5_INDEX_NAME, H5_ITER_INC, nullptr, visit, &names), "H5Aiterate2");
  return names;
}

/// Artifacts never change once they have their name, so locks would only hinder other readers.
File open_unlocked(const std::filesystem::path& path) {
  init();
  const PropertyList access(checked(H5Pcreate(H5P_FILE_ACCESS), "H5Pcreate"));
  checked(H5Pset_file_locking(access.get(), false, true), "H5Pset_file_locking");
  return File(checked(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()), "H5Fopen"));
}

Json attributes_of(const File& file) {
  Json attributes = Json::object();
  for (const auto& name : attribute_names(file.get()))
    attributes[name] = read_attribute(file.get(), name);
  return attributes;
}

}  // namespace

std::vector<std::byte> build_image(const Content& content) {
  init();
  const File file = create_in_memory();
  write_attributes(file.get(), content.attributes);
  for (const auto& [name, array] : content.arrays) write_array(file.get(), name, array);
  checked(H5Fflush(file.get(), H5F_SCOPE_LOCAL), "H5Fflush");
  const auto bytes = checked(H5Fget_file_image(file.get(), nullptr, 0), "H5Fget_file_image");
  // The image that HDF5 gives starts behind the user block.
  std::vector<std::byte> image(kUserBlockBytes + static_cast<std::size_t>(bytes));
  checked(H5Fget_file_image(file.get(), image.data() + kUserBlockBytes,
                            static_cast<std::size_t>(bytes)),
          "H5Fget_file_image");
  return image;
}

Json read_attributes(const std::filesystem::path& path) {
  return attributes_of(open_unlocked(path));
}

Content read_mapped(const std::filesystem::path& path, std::shared_ptr<const std::byte> mapping,
                    std::size_t bytes) {
  const File file = open_unlocked(path);
  Content content{.attributes = attributes_of(file)};
  for (const auto& name : dataset_names(file.get()))
    content.arrays.emplace(name, map_array(file.get(), name, {mapping, bytes}));
  return content;
}

}  // namespace sweep::storage::hdf5
