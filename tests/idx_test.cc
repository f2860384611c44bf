#include "fovea/core/idx.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/test_dir.h"

namespace {

namespace fs = std::filesystem;
using namespace fovea;

const fs::path golden = fovea::tests::test_dir() / "golden" / "formats";

/// Compares with what tests/golden/formats.py makes.
template <class T>
void check_pattern(const Tensor& t, const Shape& shape) {
  CHECK(t.shape() == shape);
  CHECK(t.dtype() == dtype_of<T>);
  for (Index i = 0; i < t.numel(); ++i) {
    const double expected = std::is_same_v<T, std::uint8_t>   ? static_cast<double>(7 * i % 251)
                            : std::is_same_v<T, std::int32_t> ? static_cast<double>((i - 3) * 1000003)
                                                              : static_cast<double>(i - 5) * 0.125;
    CHECK(static_cast<double>(t.data<T>()[i]) == expected);
  }
}

}  // namespace

TEST_CASE("idx: every type, gzipped or not") {
  check_pattern<std::uint8_t>(load_idx(golden / "u8.idx"), {3, 2, 2});
  check_pattern<std::int32_t>(load_idx(golden / "i32.idx"), {5});
  check_pattern<float>(load_idx(golden / "f32.idx"), {2, 3});
  check_pattern<double>(load_idx(golden / "f64.idx.gz"), {2, 3});
  check_pattern<std::uint8_t>(load_idx(golden / "u8.idx.gz"), {100, 7});  // two members, and zeros behind
}

TEST_CASE("idx: no elements are elements, too") {
  const fs::path path = fs::temp_directory_path() / ("fovea-idx-" + std::to_string(::getpid()));
  std::ofstream(path, std::ios::binary).write("\0\0\x08\2\0\0\0\0\0\0\0\3", 12);
  CHECK(load_idx(path).shape() == Shape{0, 3});
  fs::remove(path);
}

TEST_CASE("idx: an error names file, field and offset") {
  const fs::path path = fovea::tests::test_dir() / "corpus" / "idx" / "truncated";
  try {
    load_idx(path);
    FAIL("was read");
  } catch (const Error& e) {
    CHECK(e.what() ==
          "[idx] " + path.string() + ": elements at offset 8: sizes (3) want 3 bytes, but there are 2");
  }
}
