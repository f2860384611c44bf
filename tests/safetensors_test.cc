#include "fovea/core/safetensors.h"

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

struct TemporaryFolder {
  fs::path path = fs::temp_directory_path() / ("fovea-safetensors-" + std::to_string(::getpid()));
  TemporaryFolder() { fs::create_directory(path); }
  ~TemporaryFolder() { fs::remove_all(path); }
};

std::string content_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

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

}  // namespace

TEST_CASE("safetensors: a file written by Python") {
  const SafetensorsFile file(golden / "numpy.safetensors");
  CHECK(file.metadata() == Metadata{{"format", "np"}, {"author", "Zoë \"Z\""}});
  CHECK(file.names() ==
        std::vector<std::string>{"bool", "empty", "f16", "f32", "f64", "i16", "i32", "i64", "scalar", "u8"});
  CHECK(same_bits(file.get("f32"), pattern({2, 3}, DType::f32)));
  CHECK(same_bits(file.get("f64"), pattern({4}, DType::f64)));
  CHECK(same_bits(file.get("f16"), pattern({3, 2}, DType::f32)));
  CHECK(same_bits(file.get("i32"), pattern({5}, DType::i32)));
  CHECK(same_bits(file.get("i64"), pattern({2, 2}, DType::i32)));
  CHECK(same_bits(file.get("u8"), pattern({3, 3}, DType::u8)));
  CHECK(same_bits(file.get("scalar"), pattern({}, DType::f32)));
  CHECK(same_bits(file.get("empty"), pattern({0, 3}, DType::f32)));
  const Tensor booleans = file.get("bool");
  CHECK(booleans.dtype() == DType::u8);
  for (Index i = 0; i < 7; ++i) CHECK(booleans.at({i}) == (i % 3 == 0));
  CHECK(file.contains("f16"));
  CHECK(file.stored_dtype("f16") == "F16");
  CHECK(file.dtype("f16") == DType::f32);
  CHECK(file.shape("f16") == Shape{3, 2});
  CHECK(file.shape("i16") == Shape{4});
  CHECK(contains(error_of([&] { file.get("i16"); }), "'i16'"));
  CHECK(contains(error_of([&] { file.get("nothing"); }), "has no tensor 'nothing'"));
}

TEST_CASE("safetensors: what is misaligned is copied, what cannot be a tensor does not spoil the rest") {
  const SafetensorsFile file(golden / "misaligned.safetensors");
  CHECK(same_bits(file.get("bf16"), pattern({6}, DType::bf16)));
  CHECK(same_bits(file.get("f32"), pattern({2, 2}, DType::f32)));
  CHECK(file.get("odd").at({0}) == 7);
  CHECK(contains(error_of([&] { file.get("seven"); }), "7 dimensions"));
  CHECK(contains(error_of([&] { file.dtype("f8"); }), "F8_E4M3"));
}

TEST_CASE("safetensors: all types come back bit by bit, from the mapping") {
  const TemporaryFolder folder;
  const fs::path path = folder.path / "all.safetensors";
  std::vector<NamedTensor> tensors;
  for (DType d : {DType::u8, DType::f32, DType::f64, DType::bf16, DType::i32}) {
    tensors.push_back({cat("b.", d), pattern({3, 1, 5}, d)});
    tensors.push_back({cat("a.", d), pattern({}, d)});
    tensors.push_back({cat("empty.", d), pattern({2, 0}, d)});
  }
  tensors.push_back({"a \"name\"\n\xc3\xa4", pattern({2}, DType::f32)});
  save_safetensors(path, tensors, {{"k", "\\ \t v"}});
  const SafetensorsFile file(path);
  CHECK(file.names().size() == tensors.size());
  CHECK(file.metadata() == Metadata{{"k", "\\ \t v"}});
  for (const auto& [name, t] : tensors) {
    CHECK(same_bits(file.get(name), t));
    if (t.numel() > 0) CHECK(file.get(name).raw() == file.get(name).raw());  // no copies
  }
  CHECK(content_of(path)[0] % 8 == 0);  // the header is padded

  std::vector<NamedTensor> reversed(tensors.rbegin(), tensors.rend());
  save_safetensors(folder.path / "reversed", reversed, {{"k", "\\ \t v"}});
  CHECK(content_of(path) == content_of(folder.path / "reversed"));
}

TEST_CASE("safetensors: a tensor outlives its file and may be written to") {
  const TemporaryFolder folder;
  const fs::path path = folder.path / "w";
  save_safetensors(path, {{"w", pattern({4}, DType::f32)}});
  const std::string before = content_of(path);
  Tensor w = SafetensorsFile(path).get("w");
  save_safetensors(path, {{"v", pattern({1}, DType::f32)}});
  CHECK(same_bits(w, pattern({4}, DType::f32)));
  save_safetensors(path, {{"w", w}});  // also over the file that it lies in
  CHECK(content_of(path) == before);
  w.mutable_data<float>()[0] = 9;
  CHECK(w.at({0}) == 9);
  CHECK(content_of(path) == before);
}

TEST_CASE("safetensors: a strided view is written row-major") {
  const TemporaryFolder folder;
  save_safetensors(folder.path / "t", {{"t", pattern({2, 3}, DType::f32).view({3, 2}, {1, 3}, 0)}});
  const Tensor t = SafetensorsFile(folder.path / "t").get("t");
  for (Index i = 0; i < 3; ++i)
    for (Index j = 0; j < 2; ++j) CHECK(static_cast<float>(t.at({i, j})) == value<float>(j * 3 + i));
}

TEST_CASE("safetensors: nothing and no metadata make a file, too") {
  const TemporaryFolder folder;
  save_safetensors(folder.path / "none", {}, {});
  CHECK(SafetensorsFile(folder.path / "none").names().empty());
  CHECK(content_of(folder.path / "none").size() == 16);
}

TEST_CASE("safetensors: what cannot be written is refused and leaves no file") {
  const TemporaryFolder folder;
  const fs::path path = folder.path / "x";
  const Tensor t = pattern({2}, DType::f32);
  CHECK(contains(error_of([&] {
                   save_safetensors(path, {{"a", t}, {"a", t}});
                 }),
                 "two tensors are named 'a'"));
  CHECK(contains(error_of([&] { save_safetensors(path, {{"a", Tensor()}}); }), "'a' is undefined"));
  CHECK(contains(error_of([&] { save_safetensors(path, {{"\xff", t}}); }), "not UTF-8"));
  CHECK(contains(error_of([&] { save_safetensors(path, {{"a", t}}, {{"k", "\xff"}}); }), "not UTF-8"));
  CHECK(contains(error_of([&] { save_safetensors(path, {{"__metadata__", t}}); }), "__metadata__"));
  CHECK(contains(error_of([&] { save_safetensors(folder.path, {{"a", t}}); }), "Is a directory"));
  CHECK(contains(error_of([&] { save_safetensors(folder.path / "no" / "x", {{"a", t}}); }), "No such file"));
  CHECK(fs::is_empty(folder.path));
}

TEST_CASE("safetensors: what stands in for a file is named") {
  const TemporaryFolder folder;
  const fs::path path = folder.path / "x.safetensors";
  const auto error = [&](const char* content) {
    std::ofstream(path, std::ios::binary) << content;
    return error_of([&] { SafetensorsFile file(path); });
  };
  CHECK(contains(error("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 90868376\n"),
                 "x.safetensors: is a Git LFS pointer: fetch the file itself"));
  CHECK(contains(error("<!DOCTYPE html><html></html>"), "is a web page: fetch the file itself"));
  CHECK(contains(error("\n\n  <html></html>"), "is a web page"));
  CHECK(contains(error("neither of them"), "this is no safetensors file"));
}
