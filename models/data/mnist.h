#ifndef FOVEA_MODELS_DATA_MNIST_H_
#define FOVEA_MODELS_DATA_MNIST_H_

#include <filesystem>

#include "fovea/models/data/labelled_images.h"
#include "fovea/models/data/split.h"

/// The picture sets of a data folder, which `tools/get-data NAME --data-dir FOLDER` fills. Every file may be
/// gzipped or not. A file that is missing, damaged, or not what it should be is an Error that names it and
/// says how to get it.

namespace fovea {

/// MNIST (LeCun, Cortes, Burges): 60,000 and 10,000 handwritten digits, [N,1,28,28], from FOLDER/mnist. It
/// has no validation set; the usual one is part(train, 50000, 10000).
LabelledImages load_mnist(const std::filesystem::path& data_dir, Split split);

/// Fashion-MNIST (Xiao, Rasul, Vollgraf 2017): the same sizes, ten kinds of clothing, from
/// FOLDER/fashion-mnist.
LabelledImages load_fashion_mnist(const std::filesystem::path& data_dir, Split split);

/// Statically binarised MNIST, u8 [N,1,28,28], each pixel 0 or 255, without labels: 50,000, 10,000 and 10,000
/// pictures, from FOLDER/binarized-mnist.
Tensor load_binarized_mnist(const std::filesystem::path& data_dir, Split split);

/// The first 4,000 training and 1,000 test pictures of CIFAR-10 (Krizhevsky 2009), RGB [N,3,32,32], from
/// FOLDER/cifar10-subset. It has no validation set.
LabelledImages load_cifar10_subset(const std::filesystem::path& data_dir, Split split);

}  // namespace fovea

#endif  // FOVEA_MODELS_DATA_MNIST_H_
