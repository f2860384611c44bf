#include "fovea/core/npz.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/errors.h"
#include "tests/test_dir.h"

namespace {

namespace fs = std::filesystem;
using namespace fovea;
using fovea::tests::contains;
using fovea::tests::error_of;

const fs::path golden = fovea::tests::test_dir() / "golden" / "formats";
const fs::path scratch = fs::temp_directory_path() / ("fovea-npz-" + std::to_string(::getpid()));

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() &&
         (a.numel() == 0 || std::memcmp(a.raw(), b.raw(), a.bytes()) == 0);
}

std::string content_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("npz: archives written by Python, stored, deflated, streamed and ZIP64") {
  for (const char* name : {"stored.npz", "deflated.npz", "streamed.npz", "zip64.npz"}) {
    CAPTURE(name);
    const NpzFile file(golden / name);
    const Tensor weights = file.get("weights"), labels = file.get("labels"), bytes = file.get("ä/b");
    CHECK(weights.dtype() == DType::f32);
    CHECK(weights.shape() == Shape{4, 5});
    for (Index i = 0; i < 20; ++i)
      CHECK(weights.data<float>()[i] == static_cast<float>(i - 5) * 0.125f);  // as formats.py makes it
    CHECK(labels.shape() == Shape{6});
    for (Index i = 0; i < 6; ++i) CHECK(labels.data<std::int32_t>()[i] == (i - 3) * 1000003);
    CHECK(bytes.shape() == Shape{2, 2});
    for (Index i = 0; i < 4; ++i) CHECK(bytes.data<std::uint8_t>()[i] == 7 * i);
    CHECK(file.contains("labels"));
    CHECK(!file.contains("readme.txt"));
    CHECK(contains(error_of([&] { file.get("nothing"); }), "has no array 'nothing'"));
  }
  CHECK(NpzFile(golden / "stored.npz").names() == std::vector<std::string>{"labels", "weights", "ä/b"});
  const Tensor zeros = NpzFile(golden / "deflated.npz").get("long");
  CHECK(zeros.numel() == 20000);
  CHECK(zeros.at({19999}) == 0);
}

TEST_CASE("npz: all types come back, and equal tensors make equal files") {
  std::vector<NamedTensor> tensors;
  for (DType d : {DType::f32, DType::f64, DType::bf16, DType::i32, DType::u8})
    for (const Shape& shape : {Shape{}, Shape{3, 2}, Shape{0, 4}}) {
      Tensor t = Tensor::empty(shape, d);
      for (std::size_t i = 0; i < t.bytes(); ++i)
        static_cast<std::uint8_t*>(t.raw_mutable())[i] = static_cast<std::uint8_t>(37 * i % 101);
      tensors.push_back({cat("ö ", d, shape), t});
    }
  save_npz(scratch, tensors);
  const std::string content = content_of(scratch);
  const NpzFile file(scratch);
  CHECK(file.names().size() == tensors.size());
  for (const auto& [name, t] : tensors) {
    const Tensor got = file.get(name);
    if (t.dtype() != DType::bf16) {
      CHECK(same_bits(got, t));
      continue;
    }
    CHECK(got.dtype() == DType::f32);
    CHECK(got.shape() == t.shape());
    for (Index i = 0; i < t.numel(); ++i)
      CHECK(got.data<float>()[i] == static_cast<float>(t.data<bf16>()[i]));
  }
  save_npz(scratch, tensors);
  CHECK(content_of(scratch) == content);
  fs::remove(scratch);
}

TEST_CASE("npz: more members than 16 bits count") {
  std::vector<NamedTensor> tensors;
  const Tensor one = Tensor::from({1}, {1});
  for (int i = 0; i < 66000; ++i) tensors.push_back({std::to_string(i), one});
  save_npz(scratch, tensors);
  const NpzFile file(scratch);
  CHECK(file.names().size() == 66000);
  CHECK(file.get("65999").item() == 1);
  fs::remove(scratch);
}

TEST_CASE("npz: nothing makes an archive, two of one name do not") {
  save_npz(scratch, {});
  CHECK(NpzFile(scratch).names().empty());
  const Tensor t = Tensor::from({1, 2}, {2});
  CHECK(contains(error_of([&] { save_npz(scratch, {{"a", t}, {"a", t}}); }), "two arrays are named 'a'"));
  CHECK(contains(error_of([&] { save_npz(scratch, {{"a", Tensor()}}); }), "'a' is undefined"));
  CHECK(NpzFile(scratch).names().empty());
  fs::remove(scratch);
}
