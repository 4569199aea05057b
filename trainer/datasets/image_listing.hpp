#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace sweep::trainer {

/// The extension in lower case: ".jpg".
std::string lower_extension(const std::filesystem::path& path);

/// Whether the name ends as those of the images that are read do: .jpg, .jpeg, .png, .dcm.
bool has_image_extension(const std::filesystem::path& path);

/// What is in a folder, sorted, without what is hidden. @throws InputError when it can't be read.
std::vector<std::filesystem::directory_entry> entries_of(const std::filesystem::path& folder);

/// The image files of one folder by the names that labels have for them, found with one look at
/// the folder: tens of thousands of files take milliseconds.
class ImageListing {
 public:
  /// `extensions` in lower case, the most wanted first. @throws InputError
  ImageListing(const std::filesystem::path& folder, const std::vector<std::string>& extensions);

  /// The file of that name; where there is none, the one that is missing.
  std::filesystem::path path_of(const std::string& name) const;

  /// What is there and is not used: files that no row names, second files of one name.
  std::vector<std::string> notes(const std::map<std::string, std::string>& rows) const;

 private:
  std::filesystem::path folder_;
  std::string usual_extension_;
  std::map<std::string, std::string> files_;  ///< name -> file name
  std::vector<std::string> doubles_;          ///< file names
};

}  // namespace sweep::trainer
