#include "fovea/models/data/mnist.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <initializer_list>
#include <string>

#include "tests/errors.h"

namespace {

namespace fs = std::filesystem;
using namespace fovea;
using fovea::tests::contains;
using fovea::tests::error_of;

class DataFolder {
 public:
  DataFolder() { fs::remove_all(path); }
  ~DataFolder() { fs::remove_all(path); }

  void write(const std::string& file, const std::string& content) const {
    fs::create_directories((path / file).parent_path());
    std::ofstream(path / file, std::ios::binary) << content;
  }

  const fs::path path = fs::temp_directory_path() / ("fovea-mnist-" + std::to_string(::getpid()));
};

std::string idx(std::initializer_list<int> sizes, const std::string& data) {
  std::string out = {0, 0, 8, static_cast<char>(sizes.size())};
  for (int s : sizes) out += {0, 0, static_cast<char>(s >> 8), static_cast<char>(s)};
  return out + data;
}

const std::string three_pictures = idx({3, 28, 28}, std::string(3 * 784 - 1, '\0') + '\xff');

}  // namespace

TEST_CASE("mnist: pictures and labels") {
  const DataFolder data;
  for (const char* set : {"mnist", "fashion-mnist"}) {
    data.write(cat(set, "/train-images-idx3-ubyte"), three_pictures);
    data.write(cat(set, "/train-labels-idx1-ubyte"), idx({3}, {7, 0, 9}));
    data.write(cat(set, "/t10k-images-idx3-ubyte"), idx({0, 28, 28}, ""));
    data.write(cat(set, "/t10k-labels-idx1-ubyte"), idx({0}, ""));
  }
  for (auto load : {load_mnist, load_fashion_mnist}) {
    const LabelledImages train = load(data.path, Split::train);
    CHECK(train.images.shape() == Shape{3, 1, 28, 28});
    CHECK(train.images.at({2, 0, 27, 27}) == 255);
    CHECK(train.labels.dtype() == DType::i32);
    CHECK(train.labels.at({0}) == 7);
    CHECK(train.labels.at({2}) == 9);
    CHECK(load(data.path, Split::test).size() == 0);
    CHECK(contains(error_of([&] { load(data.path, Split::validation); }), "has no validation set"));
  }
}

TEST_CASE("mnist: a set that is not there: the line that gets it") {
  const DataFolder data;
  const std::string folder = data.path.string();
  CHECK(error_of([&] { load_mnist(data.path, Split::test); }) ==
        "[mnist] there is no " + folder +
            "/mnist/t10k-images-idx3-ubyte.gz; get it with: tools/get-data mnist " + "--data-dir " + folder);
  CHECK(contains(error_of([&] { load_fashion_mnist(data.path, Split::train); }),
                 "tools/get-data fashion-mnist --data-dir " + folder));
  CHECK(contains(error_of([&] { load_binarized_mnist(data.path, Split::validation); }),
                 "tools/get-data binarized-mnist --data-dir " + folder));
  CHECK(contains(error_of([&] { load_cifar10_subset(data.path, Split::train); }),
                 "tools/get-data cifar10-subset --data-dir " + folder));
}

TEST_CASE("mnist: files that are not what they should be") {
  const DataFolder data;
  const auto images = [&](const std::string& content) {
    data.write("mnist/train-images-idx3-ubyte", content);
  };
  const auto labels = [&](const std::string& content) {
    data.write("mnist/train-labels-idx1-ubyte", content);
  };
  const auto error = [&] {
    const std::string message = error_of([&] { load_mnist(data.path, Split::train); });
    CHECK(contains(message, data.path.string() + "/mnist/train-"));
    CHECK(message.ends_with("tools/get-data mnist --data-dir " + data.path.string()));
    return message;
  };
  const std::string good_labels = idx({3}, {1, 2, 3});
  images(three_pictures.substr(0, 1000)), labels(good_labels);
  CHECK(contains(error(), "elements at offset 16"));
  images(idx({3, 28, 27}, std::string(3 * 28 * 27, '\0')));
  CHECK(contains(error(), "holds u8 (3,28,27) where pictures, u8 (N,28,28), are expected"));
  images(idx({3}, "abc"));
  CHECK(contains(error(), "holds u8 (3) where pictures"));
  images(three_pictures), labels(idx({2}, {1, 2}));
  CHECK(contains(error(), "has 2 labels for the 3 pictures of train-images-idx3-ubyte"));
  labels(idx({3}, {1, 10, 3}));
  CHECK(contains(error(), "label 1 is 10, not 0 to 9"));
  labels(three_pictures);
  CHECK(contains(error(), "where labels, u8 (N), are expected"));
}

TEST_CASE("mnist: binarised pictures") {
  const DataFolder data;
  const std::string name = "binarized-mnist/binarized_mnist_valid-images-idx3-ubyte";
  data.write(name, idx({1, 28, 28}, std::string(783, '\0') + '\1'));
  const Tensor images = load_binarized_mnist(data.path, Split::validation);
  CHECK(images.shape() == Shape{1, 1, 28, 28});
  CHECK(images.at({0, 0, 27, 27}) == 255);
  CHECK(images.at({0, 0, 0, 0}) == 0);
  data.write(name, idx({1, 28, 28}, std::string(783, '\0') + '\2'));
  CHECK(contains(error_of([&] { load_binarized_mnist(data.path, Split::validation); }),
                 "pixel 783 is 2, not 0 or 1"));
}

TEST_CASE("mnist: the part of CIFAR-10") {
  const DataFolder data;
  const std::string name = "cifar10-subset/test_1000.bin";
  data.write(name, '\3' + std::string(3072, 'x') + '\4' + std::string(3071, 'y') + 'z');
  const LabelledImages test = load_cifar10_subset(data.path, Split::test);
  CHECK(test.images.shape() == Shape{2, 3, 32, 32});
  CHECK(test.labels.at({1}) == 4);
  CHECK(test.images.at({1, 2, 31, 31}) == 'z');
  data.write(name, std::string(3072, '\0'));
  CHECK(contains(error_of([&] { load_cifar10_subset(data.path, Split::test); }), "no multiple of 3073"));
  data.write(name, '\12' + std::string(3072, '\0'));
  CHECK(contains(error_of([&] { load_cifar10_subset(data.path, Split::test); }), "label 0 is 10"));
}
