// DCMTK's configuration has to stand before its other headers.
#include <dcmtk/config/osconfig.h>
//
#include <dcmtk/dcmdata/dcdeftag.h>
#include <dcmtk/dcmdata/dcdict.h>
#include <dcmtk/dcmdata/dcfilefo.h>
#include <dcmtk/dcmdata/dcistrmb.h>
#include <dcmtk/dcmdata/dcmetinf.h>
#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>
#include <dcmtk/dcmimage/diregist.h>
#include <dcmtk/dcmimgle/dcmimage.h>
#include <dcmtk/dcmjpeg/djdecode.h>
#include <dcmtk/oflog/appender.h>
#include <dcmtk/oflog/spi/logevent.h>

#include <algorithm>
#include <mutex>
#include <set>
#include <span>

#include "core/text.hpp"
#include "trainer/datasets/dicom.hpp"

namespace sweep::trainer {
namespace {

/// Sequences are read by recursion: without a limit a small file could use up the stack. A
/// radiograph has some ten items.
constexpr std::size_t kMaxItems = 1000;
constexpr unsigned kPlainBits = 8;

/// What the decoder for JPEG has warned about on this thread: it would make an image of a damaged
/// stream all the same.
thread_local std::string jpeg_warning;

class KeepWarning : public dcmtk::log4cplus::Appender {
 public:
  ~KeepWarning() override { destructorImpl(); }
  void close() override {}

 protected:
  void append(const dcmtk::log4cplus::spi::InternalLoggingEvent& event) override {
    if (event.getLogLevel() >= OFLogger::WARN_LOG_LEVEL) jpeg_warning = event.getMessage().c_str();
  }
};

/// Registers the decoders and silences DCMTK's own log, once per process. @throws InputError
void init_dcmtk() {
  static std::once_flag once;
  std::call_once(once, [] {
    OFLog::configure(OFLogger::OFF_LOG_LEVEL);
    if (!dcmDataDict.isDictionaryLoaded())
      throw InputError(
          "the data dictionary of DCMTK was not found (DICOM files can't be read without it); "
          "install it (Debian, Ubuntu: apt-get install libdcmtk17) or set DCMDICTPATH to the path "
          "of dicom.dic");
    OFLogger logger = OFLog::getLogger("dcmtk.dcmjpeg");
    logger.setLogLevel(OFLogger::DEBUG_LOG_LEVEL);  // above it DCMTK keeps warnings to itself
    logger.setAdditivity(false);
    logger.addAppender(dcmtk::log4cplus::SharedAppenderPtr(new KeepWarning));
    DJDecoderRegistration::registerCodecs();
  });
}

std::size_t count(std::string_view bytes, std::string_view pattern) {
  std::size_t found = 0;
  for (auto at = bytes.find(pattern); at != bytes.npos; at = bytes.find(pattern, at + 1)) ++found;
  return found;
}

bool has_too_many_items(std::string_view bytes) {
  using namespace std::string_view_literals;
  return count(bytes, "\xFE\xFF\x00\xE0"sv) > kMaxItems ||  // little endian
         count(bytes, "\xFF\xFE\xE0\x00"sv) > kMaxItems;
}

/// Bytes as the stream that DCMTK reads. The bytes must outlive it.
class Stream : public DcmInputBufferStream {
 public:
  Stream(const std::string& bytes, bool whole) {
    setBuffer(bytes.data(), static_cast<offile_off_t>(bytes.size()));
    if (whole) setEos();
  }
};

/// The compression that the file names in its first part, which is itself never compressed.
E_TransferSyntax named_compression(const std::string& bytes) {
  Stream stream(bytes, false);
  DcmMetaInfo meta;
  meta.transferInit();
  meta.read(stream, EXS_Unknown, EGL_noChange, DCM_MaxReadLength);
  meta.transferEnd();
  OFString name;
  if (meta.findAndGetOFString(DCM_TransferSyntaxUID, name).bad()) return EXS_Unknown;
  return DcmXfer(name.c_str()).getXfer();
}

/// Empty, or that the compression is one that is not read. Deflated files are among those: what
/// they unpack to has no limit.
std::string compression_problem(E_TransferSyntax compression) {
  static const std::set<E_TransferSyntax> readable{
      EXS_LittleEndianImplicit, EXS_LittleEndianExplicit, EXS_BigEndianExplicit, EXS_JPEGProcess1,
      EXS_JPEGProcess2_4,       EXS_JPEGProcess14,        EXS_JPEGProcess14SV1,  EXS_Unknown};
  if (readable.contains(compression)) return "";
  return concat("is compressed as '", DcmXfer(compression).getXferName(),
                "', which is not read; convert it to JPEG or uncompressed DICOM");
}

/// What the header says of the pixels.
struct Header {
  std::int64_t width = 0, height = 0, frames = 1, samples = 1, bits_allocated = 0, bits_stored = 0;

  std::int64_t bytes() const { return width * height * samples * bits_allocated / 8; }
};

Header header_of(DcmDataset& dataset) {
  Header header;
  const auto get = [&](const DcmTagKey& tag, std::int64_t& value) {
    Uint16 number = 0;
    if (dataset.findAndGetUint16(tag, number).good()) value = number;
  };
  get(DCM_Columns, header.width);
  get(DCM_Rows, header.height);
  get(DCM_SamplesPerPixel, header.samples);
  get(DCM_BitsAllocated, header.bits_allocated);
  get(DCM_BitsStored, header.bits_stored);
  Sint32 frames = 0;
  if (dataset.findAndGetSint32(DCM_NumberOfFrames, frames).good()) header.frames = frames;
  return header;
}

std::string header_problem(const Header& header) {
  if (header.width == 0 || header.height == 0) return "names no size of its pixels";
  if (header.frames != 1) return concat("has ", header.frames, " frames (an image has one)");
  if (header.samples != 1 && header.samples != 3)
    return concat("has ", header.samples, " values per pixel (1 and 3 are read)");
  if (header.bits_allocated < 1 || header.bits_allocated > 16)
    return concat("has ", header.bits_allocated, " bits per value (1 to 16 are read)");
  return too_many_pixels(header.width, header.height);
}

/// Width and height that the frame header of a JPEG stream names; zeros where there is none.
std::pair<std::int64_t, std::int64_t> jpeg_size(std::span<const std::uint8_t> jpeg) {
  for (std::size_t at = 2; at + 9 < jpeg.size() && jpeg[at] == 0xFF;) {
    const int marker = jpeg[at + 1];
    if (marker == 0xFF) {  // padding
      ++at;
      continue;
    }
    const bool frame = marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 &&
                       marker != 0xCC;  // ISO/IEC 10918-1, table B.1
    if (frame) return {jpeg[at + 7] << 8 | jpeg[at + 8], jpeg[at + 5] << 8 | jpeg[at + 6]};
    at += 2 + static_cast<std::size_t>(jpeg[at + 2] << 8 | jpeg[at + 3]);
  }
  return {};
}

/// The bytes of one piece of a compressed frame; piece 0 is a table of offsets.
std::span<const std::uint8_t> piece(DcmPixelSequence& pieces, unsigned long index) {  // NOLINT
  DcmPixelItem* item = nullptr;
  Uint8* bytes = nullptr;
  if (pieces.getItem(item, index).bad() || item->getUint8Array(bytes).bad() || bytes == nullptr)
    return {};
  return {bytes, item->getLength()};
}

/// The decoder would take memory for the size that the JPEG names, and a JPEG that is cut off would
/// become an image with a grey rest.
std::string jpeg_problem(DcmPixelSequence& pieces, const Header& header) {
  if (pieces.card() < 2) return "has no pixels";
  const auto [width, height] = jpeg_size(piece(pieces, 1));
  if (width != header.width || height != header.height)
    return concat("is damaged (the JPEG in it is ", width, " x ", height,
                  " pixels, its header says ", header.width, " x ", header.height, ")");
  const auto last = piece(pieces, pieces.card() - 1);
  static constexpr std::uint8_t kEnd[] = {0xFF, 0xD9};
  if (std::find_end(last.begin(), last.end(), std::begin(kEnd), std::end(kEnd)) == last.end())
    return "is cut off (the JPEG in it has no end marker)";
  return "";
}

/// Of a file that was read as a whole.
std::string pixels_problem(DcmDataset& dataset, const Header& header) {
  DcmElement* element = nullptr;
  if (dataset.findAndGetElement(DCM_PixelData, element).bad()) return "has no pixels";
  auto* pixels = dynamic_cast<DcmPixelData*>(element);
  if (pixels == nullptr) return "has no pixels";
  const E_TransferSyntax compression = dataset.getOriginalXfer();
  if (!DcmXfer(compression).isEncapsulated())
    return static_cast<std::int64_t>(pixels->getLength(compression)) < header.bytes()
               ? "is cut off (it has too few pixels)"
               : "";
  DcmPixelSequence* pieces = nullptr;
  if (pixels->getEncapsulatedRepresentation(compression, nullptr, pieces).bad() ||
      pieces == nullptr)
    return "has no pixels";
  return jpeg_problem(*pieces, header);
}

/// Everything that has to be right before DCMTK may decode. Reads `bytes` into `file`.
std::string read_all(const std::string& bytes, DcmFileFormat& file) {
  if (has_too_many_items(bytes))
    return concat("has more than ", kMaxItems, " nested or repeated parts");
  std::string problem = compression_problem(named_compression(bytes));
  if (!problem.empty()) return problem;
  Stream stream(bytes, true);
  file.transferInit();
  const OFCondition status = file.read(stream, EXS_Unknown, EGL_noChange, DCM_MaxReadLength);
  file.transferEnd();
  if (status.bad()) return concat("can't be read as DICOM (", status.text(), ")");
  const Header header = header_of(*file.getDataset());
  problem = header_problem(header);
  return problem.empty() ? pixels_problem(*file.getDataset(), header) : problem;
}

/// The step from stored values to what is shown (NEMA PS3.3, C.11.2).
void choose_window(DicomImage& image, std::int64_t bits_stored) {
  image.hideAllOverlays();
  if (!image.isMonochrome()) return;
  if (image.getWindowCount() > 0 && image.setWindow(0) != 0) return;
  if (image.getVoiLutCount() > 0 && image.setVoiLut(0) != 0) return;
  if (bits_stored <= kPlainBits) {
    image.setNoVoiTransformation();
  } else {
    image.setMinMaxWindow();
  }
}

}  // namespace

std::string quick_dicom_problem(const std::filesystem::path& path) {
  init_dcmtk();
  const FileEnds ends = read_ends(path);
  if (!ends.problem.empty()) return ends.problem;
  if (ends.head.size() < 132 || ends.head.compare(128, 4, "DICM") != 0) return "is no DICOM file";
  if (has_too_many_items(ends.head))
    return concat("has more than ", kMaxItems, " nested or repeated parts");
  std::string problem = compression_problem(named_compression(ends.head));
  if (!problem.empty()) return problem;
  DcmFileFormat file;
  Stream stream(ends.head, ends.whole);
  file.transferInit();
  const OFCondition status =
      file.readUntilTag(stream, EXS_Unknown, EGL_noChange, DCM_MaxReadLength, DCM_PixelData);
  file.transferEnd();
  // Large metadata can push the size behind the bytes read here: then decoding will tell.
  if (status == EC_StreamNotifyClient && !ends.whole) return "";
  if (status.bad()) return concat("can't be read as DICOM (", status.text(), ")");
  const Header header = header_of(*file.getDataset());
  problem = header_problem(header);
  if (!problem.empty()) return problem;
  if (!DcmXfer(file.getDataset()->getOriginalXfer()).isEncapsulated())
    return static_cast<std::int64_t>(ends.bytes) < header.bytes()
               ? "is cut off (it has too few pixels)"
               : "";
  static constexpr std::string_view kEndOfPieces("\xFE\xFF\xDD\xE0\0\0\0\0", 8);
  const auto is_in = [](const std::string& text) {
    return text.find(kEndOfPieces) != std::string::npos;
  };
  // Few files have more than the tail behind their pixels: those are read whole.
  return is_in(ends.tail) || is_in(read_image_file(path)) ? ""
                                                          : "is cut off (it has no end marker)";
}

Pixels decode_dicom(const std::filesystem::path& path) {
  init_dcmtk();
  const std::string bytes = read_image_file(path);
  DcmFileFormat file;
  const std::string problem = read_all(bytes, file);
  if (!problem.empty()) throw BadImage(path, problem);
  const Header header = header_of(*file.getDataset());
  jpeg_warning.clear();
  DicomImage image(&file, file.getDataset()->getOriginalXfer(), CIF_MayDetachPixelData, 0, 1);
  if (image.getStatus() != EIS_Normal)
    throw BadImage(
        path, concat("can't be decoded as DICOM (", DicomImage::getString(image.getStatus()), ")"));
  if (!jpeg_warning.empty())
    throw BadImage(path, concat("can't be decoded as DICOM (", jpeg_warning, ")"));
  choose_window(image, header.bits_stored);
  Pixels pixels{static_cast<std::int64_t>(image.getHeight()),
                static_cast<std::int64_t>(image.getWidth()),
                {}};
  const auto size = static_cast<std::size_t>(pixels.height * pixels.width);
  const std::size_t samples = image.isMonochrome() ? 1 : 3;
  std::vector<std::uint8_t> values(samples * size);
  if (image.getOutputDataSize(8) != values.size() ||
      image.getOutputData(values.data(), values.size(), 8) == 0)
    throw BadImage(
        path, concat("can't be decoded as DICOM (", DicomImage::getString(image.getStatus()), ")"));
  if (samples == 3) {
    pixels.rgb = std::move(values);
    return pixels;
  }
  pixels.rgb.reserve(3 * size);
  for (const auto value : values) pixels.rgb.insert(pixels.rgb.end(), 3, value);
  return pixels;
}

}  // namespace sweep::trainer
