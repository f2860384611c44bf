#include "fovea/models/data/labelled_images.h"

#include <doctest/doctest.h>

#include <vector>

namespace {

using namespace fovea;

LabelledImages numbered(Index count) {
  LabelledImages out{Tensor::empty({count, 1, 2, 3}, DType::u8), Tensor::empty({count}, DType::i32)};
  for (Index i = 0; i < out.images.numel(); ++i)
    out.images.mutable_data<std::uint8_t>()[i] = static_cast<std::uint8_t>(i);
  for (Index i = 0; i < count; ++i)
    out.labels.mutable_data<std::int32_t>()[i] = static_cast<std::int32_t>(100 + i);
  return out;
}

}  // namespace

TEST_CASE("labelled images: a part is a view") {
  const LabelledImages all = numbered(5), some = part(all, 1, 3);
  CHECK(some.images.shape() == Shape{3, 1, 2, 3});
  CHECK(some.images.data<std::uint8_t>() == all.images.data<std::uint8_t>() + 6);
  CHECK(some.labels.at({2}) == 103);
  CHECK(part(all, 5, 0).size() == 0);
  CHECK_THROWS_WITH(part(all, 4, 2), "[images] pictures 4 to 5 are not all among 5");
  CHECK_THROWS_AS(part(all, -1, 2), Error);
}

TEST_CASE("labelled images: gather takes pictures with their labels, in order, also twice") {
  const LabelledImages all = numbered(5);
  const std::vector<Index> wanted = {4, 0, 4};
  const LabelledImages some = gather(all, wanted);
  CHECK(some.images.shape() == Shape{3, 1, 2, 3});
  for (Index i = 0; i < 3; ++i) {
    CHECK(some.labels.at({i}) == static_cast<double>(100 + wanted[static_cast<std::size_t>(i)]));
    CHECK(some.images.at({i, 0, 1, 2}) == static_cast<double>(6 * wanted[static_cast<std::size_t>(i)] + 5));
  }
  CHECK(gather(all, {}).images.shape() == Shape{0, 1, 2, 3});
  CHECK_THROWS_WITH(gather(all, std::vector<Index>{5}), "[images] there is no picture 5 among 5");
}

TEST_CASE("labelled images: without labels") {
  const LabelledImages all{numbered(5).images, {}};
  CHECK(part(all, 1, 3).size() == 3);
  CHECK(!part(all, 1, 3).labels.defined());
  CHECK(!gather(all, std::vector<Index>{4}).labels.defined());
  CHECK(LabelledImages().size() == 0);
}

TEST_CASE("labelled images: every index") {
  CHECK(every_index(3) == std::vector<Index>{0, 1, 2});
  CHECK(every_index(2, 5) == std::vector<Index>{5, 6});
  CHECK(every_index(0).empty());
  CHECK(spread_indices(3, 10) == std::vector<Index>{0, 3, 6});
  CHECK(spread_indices(4, 3) == every_index(3));
  CHECK(spread_indices(2, 0).empty());
}

TEST_CASE("labelled images: to_unit") {
  Tensor t = Tensor::empty({3}, DType::u8);
  for (int i = 0; i < 3; ++i) t.mutable_data<std::uint8_t>()[i] = static_cast<std::uint8_t>(51 * i);
  const Tensor x = to_unit(t);
  CHECK(x.dtype() == DType::f32);
  CHECK(x.at({1}) == doctest::Approx(0.2));
  CHECK(x.at({2}) == doctest::Approx(0.4));
}
