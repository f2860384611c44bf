#include "fovea/models/data/labelled_images.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace fovea {
namespace {

Tensor rows(const Tensor& t, Index from, Index count) {
  if (!t.defined()) return t;
  return t.view(t.shape().replaced(0, count), t.strides(), from * t.strides()[0]);
}

Tensor gathered_rows(const Tensor& t, std::span<const Index> indices) {
  if (!t.defined()) return t;
  Tensor out = Tensor::empty(t.shape().replaced(0, static_cast<Index>(indices.size())), t.dtype());
  const std::size_t bytes = t.size(0) ? t.bytes() / static_cast<std::size_t>(t.size(0)) : 0;
  const auto* from = static_cast<const std::byte*>(t.raw());
  auto* to = static_cast<std::byte*>(out.raw_mutable());
  for (Index i : indices) {
    require(i >= 0 && i < t.size(0), "images", "there is no picture ", i, " among ", t.size(0));
    std::memcpy(to, from + static_cast<std::size_t>(i) * bytes, bytes);
    to += bytes;
  }
  return out;
}

}  // namespace

LabelledImages part(const LabelledImages& all, Index from, Index count) {
  require(from >= 0 && count >= 0 && from <= all.size() && count <= all.size() - from, "images", "pictures ",
          from, " to ", from + count - 1, " are not all among ", all.size());
  return {rows(all.images, from, count), rows(all.labels, from, count)};
}

LabelledImages gather(const LabelledImages& all, std::span<const Index> indices) {
  return {gathered_rows(all.images, indices), gathered_rows(all.labels, indices)};
}

std::vector<Index> every_index(Index count, Index from) {
  std::vector<Index> out(static_cast<std::size_t>(count));
  std::iota(out.begin(), out.end(), from);
  return out;
}

std::vector<Index> spread_indices(Index count, Index all) {
  count = std::min(count, all);
  std::vector<Index> out = every_index(count);
  for (Index& i : out) i = i * all / count;
  return out;
}

Tensor to_unit(const Tensor& pixels) {
  const auto from = pixels.values<std::uint8_t>();
  Tensor out = Tensor::empty(pixels.shape());
  std::transform(from.begin(), from.end(), static_cast<float*>(out.raw_mutable()),
                 [](std::uint8_t x) { return static_cast<float>(x) / 255; });
  return out;
}

}  // namespace fovea
