#include "tools/report/tensorboard.h"

#include <unistd.h>

#include <bit>
#include <chrono>
#include <stdexcept>
#include <string>

#include "tools/figures/file.h"
#include "tools/report/record.h"

namespace fovea::tools {
namespace {

// The numbers of the fields, from TensorFlow's event.proto and summary.proto.
namespace event_field {
constexpr std::uint32_t wall_time = 1, step = 2, file_version = 3, summary = 5, session_log = 7;
}
namespace summary_field {
constexpr std::uint32_t value = 1;
}
namespace value_field {
constexpr std::uint32_t tag = 1, simple_value = 2, image = 4;
}
namespace image_field {
constexpr std::uint32_t height = 1, width = 2, colorspace = 3, encoded = 4;
}
namespace session_field {
constexpr std::uint32_t status = 1;
}

// A protocol buffer message on the wire: each field is a key (number and wire type) and its bytes.
class Message {
 public:
  Message& integer(std::uint32_t field, std::int64_t value) {
    return key(field, 0).varint(static_cast<std::uint64_t>(value));
  }
  Message& float64(std::uint32_t field, double value) {
    return key(field, 1).little_endian(std::bit_cast<std::uint64_t>(value), 8);
  }
  Message& float32(std::uint32_t field, float value) {
    return key(field, 5).little_endian(std::bit_cast<std::uint32_t>(value), 4);
  }
  Message& bytes(std::uint32_t field, std::string_view value) {
    key(field, 2).varint(value.size());
    wire_ += value;
    return *this;
  }
  operator std::string_view() const { return wire_; }

 private:
  Message& key(std::uint32_t field, std::uint32_t type) { return varint(field << 3 | type); }
  Message& varint(std::uint64_t value) {  // seven bits a byte, the lowest first
    for (; value > 127; value >>= 7) wire_ += static_cast<char>((value & 127) | 128);
    wire_ += static_cast<char>(value);
    return *this;
  }
  Message& little_endian(std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) wire_ += static_cast<char>(value >> (8 * i) & 255);
    return *this;
  }

  std::string wire_;
};

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string host_name() {
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) != 0 || name[0] == 0) return "localhost";
  return name;
}

std::uint32_t big_endian(std::string_view four) {
  std::uint32_t value = 0;
  for (const char byte : four) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

}  // namespace

TensorBoardWriter::TensorBoardWriter(const std::filesystem::path& folder,
                                     std::optional<std::int64_t> resumed_at) {
  std::error_code made;
  std::filesystem::create_directories(folder, made);
  if (made) throw_file_error("make", folder, made.value());
  const std::string name =
      "events.out.tfevents." + std::to_string(static_cast<std::int64_t>(now())) + "." + host_name();
  for (int copy = 1; !file_; ++copy) {  // a second run in the same second gets a name of its own
    file_ = AppendFile::make_new(folder / (copy == 1 ? name : name + "." + std::to_string(copy)));
  }
  write(0, event_field::file_version, "brain.Event:2");
  if (resumed_at) {
    constexpr std::int64_t start = 1;
    write(*resumed_at + 1, event_field::session_log, Message().integer(session_field::status, start));
  }
}

void TensorBoardWriter::scalar(std::string_view tag, std::int64_t step, double value) {
  const Message entry =
      Message().bytes(value_field::tag, tag).float32(value_field::simple_value, static_cast<float>(value));
  write(step, event_field::summary, Message().bytes(summary_field::value, entry));
}

void TensorBoardWriter::image(std::string_view tag, std::int64_t step, std::string_view png) {
  if (!png.starts_with("\x89PNG\r\n\x1a\n") || png.size() < 33) {
    throw std::invalid_argument("TensorBoard image \"" + std::string(tag) + "\" is not a PNG file");
  }
  constexpr std::int64_t rgb = 3;
  const Message picture = Message()
                              .integer(image_field::height, big_endian(png.substr(20, 4)))
                              .integer(image_field::width, big_endian(png.substr(16, 4)))
                              .integer(image_field::colorspace, rgb)
                              .bytes(image_field::encoded, png);
  const Message entry = Message().bytes(value_field::tag, tag).bytes(value_field::image, picture);
  write(step, event_field::summary, Message().bytes(summary_field::value, entry));
}

void TensorBoardWriter::write(std::int64_t step, std::uint32_t field, std::string_view payload) {
  const Message event =
      Message().float64(event_field::wall_time, now()).integer(event_field::step, step).bytes(field, payload);
  file_.append(frame_record(event));
}

}  // namespace fovea::tools
