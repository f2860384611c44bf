#include "fovea/core/npy.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>

#include "tests/test_dir.h"

namespace {

namespace fs = std::filesystem;
using namespace fovea;

const fs::path golden = fovea::tests::test_dir() / "golden" / "formats";
const fs::path scratch = fs::temp_directory_path() / ("fovea-npy-" + std::to_string(::getpid()));

/// Element i as tests/golden/formats.py makes it.
template <class T>
T value(Index i) {
  if constexpr (std::is_same_v<T, std::uint8_t>)
    return static_cast<T>(7 * i % 251);
  else if constexpr (std::is_same_v<T, std::int32_t>)
    return static_cast<T>((i - 3) * 1000003);
  else
    return static_cast<T>(static_cast<float>(i - 5) * 0.125f);
}

Tensor pattern(const Shape& shape, DType dtype) {
  Tensor out = Tensor::empty(shape, dtype);
  visit_any(dtype, [&]<class T>() {
    for (Index i = 0; i < out.numel(); ++i) static_cast<T*>(out.raw_mutable())[i] = value<T>(i);
  });
  return out;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() &&
         (a.numel() == 0 || std::memcmp(a.raw(), b.raw(), a.bytes()) == 0);
}

std::string content_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("npy: files written by NumPy") {
  const std::pair<const char*, DType> files[] = {
      {"float32", DType::f32},     {"float64", DType::f64},     {"float16", DType::f32},
      {"int32", DType::i32},       {"int64", DType::i32},       {"uint8", DType::u8},
      {"big_float32", DType::f32}, {"big_float64", DType::f64}, {"big_float16", DType::f32},
      {"big_int32", DType::i32},   {"big_int64", DType::i32},   {"fortran", DType::f32},
  };
  for (const auto& [name, dtype] : files) {
    CAPTURE(name);
    CHECK(same_bits(load_npy(golden / cat(name, ".npy")), pattern({2, 3, 4}, dtype)));
  }
  CHECK(same_bits(load_npy(golden / "fortran_big_f16.npy"), pattern({3, 2}, DType::f32)));
  CHECK(same_bits(load_npy(golden / "scalar.npy"), pattern({}, DType::f64)));
  CHECK(same_bits(load_npy(golden / "vector.npy"), pattern({5}, DType::f32)));
  CHECK(same_bits(load_npy(golden / "empty.npy"), pattern({2, 0, 3}, DType::i32)));
  CHECK(same_bits(load_npy(golden / "version2.npy"), pattern({2, 2}, DType::f32)));
  CHECK(same_bits(load_npy(golden / "version3.npy"), pattern({2, 2}, DType::f32)));
  const Tensor booleans = load_npy(golden / "bool.npy");
  CHECK(booleans.dtype() == DType::u8);
  for (Index i = 0; i < 24; ++i) CHECK(booleans.at({i / 12, i / 4 % 3, i % 4}) == (i % 3 == 0));
}

TEST_CASE("npy: NumPy's own bytes are written") {
  for (const char* name : {"float32", "float64", "int32", "uint8", "scalar", "vector", "empty"}) {
    CAPTURE(name);
    const fs::path path = golden / cat(name, ".npy");
    save_npy(scratch, load_npy(path));
    CHECK(content_of(scratch) == content_of(path));
  }
  fs::remove(scratch);
}

TEST_CASE("npy: bf16 is widened, a view is written row-major") {
  save_npy(scratch, pattern({3, 2}, DType::bf16));
  CHECK(same_bits(load_npy(scratch), pattern({3, 2}, DType::f32)));
  save_npy(scratch, pattern({2, 3}, DType::f64).view({3, 2}, {1, 3}, 0));
  const Tensor t = load_npy(scratch);
  for (Index i = 0; i < 3; ++i)
    for (Index j = 0; j < 2; ++j) CHECK(t.at({i, j}) == value<double>(j * 3 + i));
  save_npy(scratch, pattern({1, 1, 1, 2, 1, 1}, DType::u8));
  CHECK(same_bits(load_npy(scratch), pattern({1, 1, 1, 2, 1, 1}, DType::u8)));
  fs::remove(scratch);
}

TEST_CASE("npy: an array whose rows come a few at a time") {
  const auto write = [](const Tensor& whole, std::initializer_list<Index> parts) {
    NpyRows rows(scratch);
    Index at = 0;
    for (const Index n : parts) {
      rows.write(whole.view(whole.shape().replaced(0, n), whole.strides(), at * whole.strides()[0]));
      at += n;
    }
    CHECK(!fs::exists(scratch));
    rows.commit();
    CHECK(same_bits(load_npy(scratch), whole));
    fs::remove(scratch);
  };
  write(pattern({12, 3}, DType::f32), {0, 1, 10, 1});
  write(pattern({100}, DType::i32), {9, 91});
  write(pattern({0, 2, 5}, DType::u8), {0});
  write(pattern({1234567, 1}, DType::u8), {1000000, 234567});
  {
    NpyRows rows(scratch);
    rows.write(pattern({2, 3}, DType::f32));
    CHECK_THROWS_WITH(rows.write(pattern({2, 4}, DType::f32)),
                      "[npy] rows f32(2,4) do not go on from f32(2,3)");
    CHECK_THROWS_WITH(rows.write(pattern({2, 3}, DType::f64)),
                      "[npy] rows f64(2,3) do not go on from f32(2,3)");
    CHECK_THROWS_AS(rows.write(pattern({}, DType::f32)), Error);
  }
  CHECK(!fs::exists(scratch));
  CHECK_THROWS_WITH(NpyRows(scratch).commit(), "[npy] no rows were written, and their shape is unknown");
}

TEST_CASE("npy: every half is the float of the same value") {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const int exponent = static_cast<int>(bits >> 10 & 31), fraction = static_cast<int>(bits & 1023);
    const float expected = exponent == 31  ? (fraction ? std::numeric_limits<float>::quiet_NaN()
                                                       : std::numeric_limits<float>::infinity())
                           : exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24)
                                           : std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
    const float got = half_to_float(static_cast<std::uint16_t>(bits));
    const bool good = (std::isnan(expected) ? std::isnan(got) : std::abs(got) == expected) &&
                      std::signbit(got) == (bits >= 0x8000);
    if (!good) FAIL("half " << bits << " became " << got);
  }
}

TEST_CASE("npy: an error names file, field and offset") {
  std::ofstream(scratch) << content_of(golden / "float32.npy").substr(0, 150);
  try {
    load_npy(scratch);
    FAIL("was read");
  } catch (const Error& e) {
    CHECK(e.what() == "[npy] " + scratch.string() +
                          ": elements at offset 128: shape (2,3,4) wants 96 bytes, but there are 22");
  }
  fs::remove(scratch);
}
