#include "tools/pictures.h"

#include "fovea/models/data/digits.h"
#include "fovea/models/data/mnist.h"
#include "fovea/models/training/settings.h"
#ifdef FOVEA_IMAGES
#include "fovea/models/images/read_image.h"
#include "fovea/ops/create.h"
#include "fovea/ops/pool2d.h"
#include "fovea/ops/views.h"
#endif

namespace fovea::tools {

namespace fs = std::filesystem;

namespace {
enum class Set { drawn, mnist, fashion, binarized, cifar };
constexpr Choices<Set> sets = {{"drawn", Set::drawn},
                               {"mnist", Set::mnist},
                               {"fashion-mnist", Set::fashion},
                               {"binarized-mnist", Set::binarized},
                               {"cifar10-subset", Set::cifar}};
}  // namespace

std::vector<std::string> picture_sets() { return words_of(sets); }

PictureSet load_pictures(const std::string& name, const fs::path& data_dir) {
  const Set set = chosen("data", "set of pictures", name, sets);
  if (set == Set::drawn) {
    const Generator random(28);
    return {draw_digits(20000, random.fork(0)), draw_digits(2000, random.fork(1))};
  }
  require(!data_dir.empty(), "data", name, " needs --data-dir; fetch it with: tools/get-data ", name,
          " --data-dir data");
  switch (set) {
    case Set::mnist:
      return {part(load_mnist(data_dir, Split::train), 0, 50000), load_mnist(data_dir, Split::test)};
    case Set::fashion:
      return {part(load_fashion_mnist(data_dir, Split::train), 0, 50000),
              load_fashion_mnist(data_dir, Split::test)};
    case Set::binarized:
      return {{load_binarized_mnist(data_dir, Split::train), {}},
              {load_binarized_mnist(data_dir, Split::test), {}}};
    default:
      return {load_cifar10_subset(data_dir, Split::train), load_cifar10_subset(data_dir, Split::test)};
  }
}

Tensor load_photo([[maybe_unused]] const fs::path& data_dir) {
#ifdef FOVEA_IMAGES
  const fs::path cat = data_dir / "photos" / "chelsea.png";
  std::error_code error;
  if (!data_dir.empty() && fs::exists(cat, error)) {
    const Tensor all = unsqueeze(read_image(cat, {.colors = Colors::grey}), 0);  // wider than high
    const Index side = all.size(2), left = (all.size(3) - side) / 2;
    return adaptive_avg_pool2d(to_unit(contiguous(slice(all, 3, left, left + side))), 100);
  }
#endif
  return {};
}

}  // namespace fovea::tools
