#include "fovea/models/images/read_image.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "fovea/core/generator.h"
#include "fovea/core/memory.h"
#include "tests/errors.h"
#include "tests/test_dir.h"

namespace {

namespace fs = std::filesystem;
using namespace fovea;
using fovea::tests::contains;

const fs::path pictures = fovea::tests::test_dir() / "golden" / "pictures";
const fs::path corpus = fovea::tests::test_dir() / "corpus";

std::string content_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string error_of(const fs::path& path, const ReadImageOptions& options = {}) {
  return fovea::tests::error_of([&] { read_image(path, options); });
}

/// The pattern of tests/golden/pictures.py.
double pattern(Index c, Index y, Index x) {
  return static_cast<double>(c == 0 ? 10 * x : c == 1 ? 15 * y : 128);
}

/// The largest distance from the pattern, up to column `width`.
double error_of_pattern(const Tensor& t, Index width = 24) {
  double most = 0;
  for (Index c = 0; c < 3; ++c)
    for (Index y = 0; y < 16; ++y)
      for (Index x = 0; x < width; ++x) most = std::max(most, std::abs(t.at({c, y, x}) - pattern(c, y, x)));
  return most;
}

class Scratch {
 public:
  ~Scratch() { fs::remove(path); }
  void write(const std::string& content) const {
    fs::remove(path);  // some file systems wait for the disk when a file is written over
    std::ofstream(path, std::ios::binary) << content;
  }
  const fs::path path = fs::temp_directory_path() / ("fovea-picture-" + std::to_string(::getpid()));
};

}  // namespace

TEST_CASE("read_image: PNG, as stored") {
  const Tensor rgb = read_image(pictures / "rgb.png");
  CHECK(rgb.shape() == Shape{3, 16, 24});
  CHECK(rgb.dtype() == DType::u8);
  CHECK(error_of_pattern(rgb) == 0);
  for (const char* name : {"grey.png", "grey16.png"}) {
    const Tensor grey = read_image(pictures / name);
    CHECK(grey.shape() == Shape{1, 16, 24});
    for (Index x = 0; x < 24; ++x) CHECK(grey.at({0, 15, x}) == static_cast<double>(10 * x));
  }
  const Tensor bits = read_image(pictures / "one_bit.png");
  for (Index x = 0; x < 24; ++x)
    CHECK(bits.at({0, 3, x}) == (x == 0 || x == 2 || x == 3 || x > 15 ? 255 : 0));
  const Tensor palette = read_image(pictures / "palette.png");
  CHECK(palette.at({0, 0, 0}) == 1);
  CHECK(palette.at({2, 0, 0}) == 3);
  CHECK(palette.at({1, 7, 1}) == 100);
}

TEST_CASE("read_image: what is transparent is white") {
  const Tensor t = read_image(pictures / "half_transparent.png");
  CHECK(error_of_pattern(t, 12) == 0);
  for (Index c = 0; c < 3; ++c) CHECK(t.at({c, 8, 12}) == 255);
}

TEST_CASE("read_image: JPEG") {
  for (const char* name : {"baseline.jpg", "progressive.jpg"}) {
    const Tensor t = read_image(pictures / name);
    CHECK(t.shape() == Shape{3, 16, 24});
    CHECK(error_of_pattern(t) <= 5);
  }
}

TEST_CASE("read_image: grey from colours and back") {
  for (const char* name : {"rgb.png", "baseline.jpg"}) {
    const Tensor rgb = read_image(pictures / name),
                 grey = read_image(pictures / name, {.colors = Colors::grey});
    CHECK(grey.shape() == Shape{1, 16, 24});
    for (Index x = 0; x < 24; ++x) {
      const double luma = 0.299 * rgb.at({0, 9, x}) + 0.587 * rgb.at({1, 9, x}) + 0.114 * rgb.at({2, 9, x});
      CHECK(std::abs(grey.at({0, 9, x}) - luma) <= 0.5001);
    }
  }
  const Tensor wide = read_image(pictures / "grey.png", {.colors = Colors::rgb});
  CHECK(wide.shape() == Shape{3, 16, 24});
  for (Index c = 0; c < 3; ++c) CHECK(wide.at({c, 4, 7}) == 70);
}

TEST_CASE("read_image: malformed files throw an error that names the file") {
  for (const char* format : {"png", "jpeg"}) {
    int files = 0;
    for (const auto& file : fs::directory_iterator(corpus / format)) {
      CAPTURE(file.path());
      const std::string error = error_of(file.path());
      CAPTURE(error);
      CHECK(error.starts_with("[read_image] " + file.path().string()));
      ++files;
    }
    CHECK(files >= 25);
  }
  CHECK(contains(error_of(corpus / "png" / "text"), "is neither a PNG nor a JPEG file"));
  CHECK(contains(error_of(corpus / "jpeg" / "components_4"), "convert it to RGB"));
  CHECK(contains(error_of(pictures / "none.png"), "No such file"));
  CHECK(contains(error_of(pictures), "is a directory"));
}

TEST_CASE("read_image: a large picture is refused before memory is taken for it") {
  for (const char* name : {"png/size_past_limit", "jpeg/size_past_limit"}) {
    const std::size_t before = memory_stats().reserved;
    CHECK(contains(error_of(corpus / name), "pixels are not from 1 to 134217728"));
    CHECK(memory_stats().reserved == before);
  }
  for (const char* name : {"rgb.png", "baseline.jpg"}) {
    CHECK(error_of(pictures / name, {.most_pixels = 384}) == "");
    CHECK(contains(error_of(pictures / name, {.most_pixels = 383}), "24 x 16 pixels are not from 1 to 383"));
  }
}

TEST_CASE("read_image: no part of a picture may be missing") {
  const Scratch scratch;
  for (const char* name : {"rgb.png", "palette.png", "baseline.jpg", "progressive.jpg"}) {
    const std::string whole = content_of(pictures / name);
    // The last bytes of a PNG are an end that says nothing; the pixels' check sum stands before it.
    const std::size_t needed = whole.size() - (whole[0] == '\x89' ? 12 : 0);
    for (std::size_t size = 0; size < needed; ++size) {
      CAPTURE(size);
      scratch.write(whole.substr(0, size));
      CHECK(error_of(scratch.path) != "");
    }
  }
}

TEST_CASE("read_image: pictures with bytes changed are read or refused") {
  const Scratch scratch;
  Generator random(2024);
  for (const auto& file : fs::directory_iterator(pictures)) {
    const std::string valid = content_of(file.path());
    const auto place = [&] { return random.below(static_cast<std::uint32_t>(valid.size())); };
    int refused = 0;
    for (int i = 0; i < 200; ++i) {
      std::string content = valid;
      for (std::uint32_t n = 1 + random.below(3); n-- > 0;)
        content[place()] = static_cast<char>(random.bits());
      scratch.write(content);
      refused += error_of(scratch.path, {.most_pixels = 1 << 20}) != "";
    }
    CHECK(refused > 0);
  }
}
