#include "fovea/models/data/mnist.h"

#include <algorithm>
#include <string>

#include "fovea/core/gzip.h"
#include "fovea/core/idx.h"
#include "fovea/models/data/data_folder.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;

constexpr int side = 28, classes = 10;

Tensor images_of(const DataFolder& folder, const fs::path& path) {
  const Tensor t = folder.read(path, load_idx);
  folder.check(t.dtype() == DType::u8 && t.rank() == 3 && t.size(1) == side && t.size(2) == side, path,
               "holds ", t.dtype(), " ", t.shape(), " where pictures, u8 (N,28,28), are expected");
  const Shape shape{t.size(0), 1, side, side};
  return t.view(shape, row_major_strides(shape), 0);
}

LabelledImages load_pair(const DataFolder& folder, Split split) {
  require(split != Split::validation, folder.set(), "has no validation set; take a part of the training set");
  const std::string which = split == Split::train ? "train" : "t10k";
  const fs::path image_path = folder.find(which + "-images-idx3-ubyte");
  const fs::path label_path = folder.find(which + "-labels-idx1-ubyte");
  const Tensor images = images_of(folder, image_path);
  const Tensor bytes = folder.read(label_path, load_idx);
  folder.check(bytes.dtype() == DType::u8 && bytes.rank() == 1, label_path, "holds ", bytes.dtype(), " ",
               bytes.shape(), " where labels, u8 (N), are expected");
  folder.check(bytes.size(0) == images.size(0), label_path, "has ", bytes.size(0), " labels for the ",
               images.size(0), " pictures of ", image_path.filename().string());
  Tensor labels = Tensor::empty(bytes.shape(), DType::i32);
  const auto from = bytes.values<std::uint8_t>();
  auto* to = labels.mutable_data<std::int32_t>();
  for (std::size_t i = 0; i < from.size(); ++i) {
    folder.check(from[i] < classes, label_path, "label ", i, " is ", int{from[i]}, ", not 0 to 9");
    to[i] = from[i];
  }
  return {images, labels};
}

}  // namespace

LabelledImages load_mnist(const fs::path& data_dir, Split split) {
  return load_pair(DataFolder("mnist", data_dir), split);
}

LabelledImages load_fashion_mnist(const fs::path& data_dir, Split split) {
  return load_pair(DataFolder("fashion-mnist", data_dir), split);
}

Tensor load_binarized_mnist(const fs::path& data_dir, Split split) {
  const DataFolder folder("binarized-mnist", data_dir);
  const char* which = split == Split::train ? "train" : split == Split::test ? "test" : "valid";
  const fs::path path = folder.find(cat("binarized_mnist_", which, "-images-idx3-ubyte"));
  Tensor images = images_of(folder, path);
  auto* pixel = images.mutable_data<std::uint8_t>();
  for (Index i = 0; i < images.numel(); ++i) {
    folder.check(pixel[i] <= 1, path, "pixel ", i, " is ", int{pixel[i]}, ", not 0 or 1");
    pixel[i] = pixel[i] ? 255 : 0;
  }
  return images;
}

LabelledImages load_cifar10_subset(const fs::path& data_dir, Split split) {
  constexpr std::size_t picture = 3 * 32 * 32, record = 1 + picture;  // the label comes first
  const DataFolder folder("cifar10-subset", data_dir);
  require(split != Split::validation, folder.set(), "has no validation set; take a part of the training set");
  const fs::path path = folder.find(split == Split::train ? "train_4000.bin" : "test_1000.bin");
  const std::string bytes = folder.read(
      path, [&](const fs::path& p) { return read_text(p, std::uint64_t{1} << 30, folder.set()); });
  folder.check(bytes.size() % record == 0, path, "holds ", bytes.size(), " bytes, no multiple of ", record);
  const auto count = static_cast<Index>(bytes.size() / record);
  LabelledImages out{Tensor::empty({count, 3, 32, 32}, DType::u8), Tensor::empty({count}, DType::i32)};
  auto* image = out.images.mutable_data<std::uint8_t>();
  auto* label = out.labels.mutable_data<std::int32_t>();
  for (std::size_t at = 0; at < bytes.size(); at += record, image += picture, ++label) {
    *label = static_cast<unsigned char>(bytes[at]);
    folder.check(*label < classes, path, "label ", at / record, " is ", *label, ", not 0 to 9");
    std::copy_n(bytes.data() + at + 1, picture, image);
  }
  return out;
}

}  // namespace fovea
