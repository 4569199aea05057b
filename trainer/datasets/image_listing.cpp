#include "trainer/datasets/image_listing.hpp"

#include <algorithm>
#include <cctype>
#include <set>

#include "core/error.hpp"
#include "core/text.hpp"
#include "trainer/datasets/label_rows.hpp"

namespace sweep::trainer {

namespace fs = std::filesystem;

std::string lower_extension(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension;
}

bool has_image_extension(const fs::path& path) {
  static const std::set<std::string> extensions{".jpg", ".jpeg", ".png", ".dcm"};
  return extensions.contains(lower_extension(path));
}

std::vector<fs::directory_entry> entries_of(const fs::path& folder) {
  std::vector<fs::directory_entry> entries;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error))
    if (entry->path().filename().string().front() != '.') entries.push_back(*entry);
  if (error)
    throw InputError(concat("the folder '", folder.string(), "' can't be read (", error.message(),
                            "; the dataset's images are looked for in it); check dataset.root and "
                            "its permissions"));
  std::sort(entries.begin(), entries.end());
  return entries;
}

ImageListing::ImageListing(const fs::path& folder, const std::vector<std::string>& extensions)
    : folder_(folder), usual_extension_(extensions.front()) {
  const auto rank = [&](const fs::path& path) {
    return std::find(extensions.begin(), extensions.end(), lower_extension(path));
  };
  for (const auto& entry : entries_of(folder)) {
    const fs::path name = entry.path().filename();
    std::error_code ignored;  // a link that leads nowhere is an image that is missing
    if (rank(name) == extensions.end() || entry.is_directory(ignored)) continue;
    const auto [known, added] = files_.emplace(name.stem().string(), name.string());
    if (added) continue;
    std::string other = name.string();
    if (rank(other) < rank(known->second)) std::swap(known->second, other);
    doubles_.push_back(other);
  }
}

fs::path ImageListing::path_of(const std::string& name) const {
  const auto file = files_.find(name);
  return folder_ / (file == files_.end() ? name + usual_extension_ : file->second);
}

std::vector<std::string> ImageListing::notes(const std::map<std::string, std::string>& rows) const {
  std::vector<std::string> notes, unlabelled;
  for (const auto& [name, file] : files_)
    if (!rows.contains(name)) unlabelled.push_back(excerpt(file));
  if (!unlabelled.empty())
    notes.push_back(concat(unlabelled.size(),
                           " images have no row in the labels and are left out (",
                           first_few(unlabelled), ")"));
  if (!doubles_.empty())
    notes.push_back(concat(doubles_.size(),
                           " files have the name of another image with another extension and are "
                           "left out (",
                           first_few(doubles_), ")"));
  return notes;
}

}  // namespace sweep::trainer
