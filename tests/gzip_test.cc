#include "fovea/core/gzip.h"

#include <doctest/doctest.h>
#include <unistd.h>
#include <zlib.h>

#include <filesystem>
#include <string>

#include "fovea/core/atomic_file.h"
#include "tests/rows.h"

namespace {

namespace fs = std::filesystem;
using namespace fovea;

const fs::path scratch = fs::temp_directory_path() / ("fovea-gzip-" + std::to_string(::getpid()));

void write_gzip(const std::string& text) {
  const gzFile out = gzopen(scratch.c_str(), "wb");
  gzwrite(out, text.data(), static_cast<unsigned>(text.size()));
  gzclose(out);
}

}  // namespace

TEST_CASE("gzip: text is read as it is, inflated or not") {
  for (std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{65535}, std::size_t{65536},
                           std::size_t{65537}, std::size_t{1000003}}) {
    CAPTURE(size);
    std::string text(size, 'x');
    for (std::size_t i = 0; i < size; i += 7) text[i] = static_cast<char>(i * i >> 3);
    write_gzip(text);
    CHECK(read_text(scratch) == text);
    CHECK(read_text(scratch, size) == text);
    if (size > 0) CHECK_THROWS_AS(read_text(scratch, size - 1), Error);
    write_atomically(scratch, text);
    CHECK(read_text(scratch, size) == text);
    if (size > 0) CHECK_THROWS_AS(read_text(scratch, size - 1), Error);
  }
  fs::remove(scratch);
}

TEST_CASE("gzip: a file that inflates without end is refused before it fills the memory") {
  write_gzip(std::string(10 << 20, '\0'));
  CHECK(fs::file_size(scratch) < 20000);
  tests::check_throws([&] { read_text(scratch, 1 << 20); }, {"holds more than 1048576 bytes"});
  fs::remove(scratch);
  tests::check_throws([&] { read_text(scratch); }, {"No such file"});
}
