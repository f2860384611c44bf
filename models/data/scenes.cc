#include "fovea/models/data/scenes.h"

#include <cstring>

#include "fovea/models/data/warp.h"

namespace fovea {
namespace {

using detail::Grey;

// The digits that scenes are made of.
class Digits {
 public:
  Digits(const char* op, const LabelledImages& all) : op_(op), size_(all.size()) {
    require(all.labels.defined(), op, "takes pictures with their classes, and these have none");
    labels_ = all.labels.data<std::int32_t>();
    require(all.images.rank() == 4 && all.images.size(1) == 1 && all.labels.rank() == 1, op,
            "takes grey pictures (N,1,H,W) with labels (N), not ", all.images.shape(), " with ",
            all.labels.shape());
    pixels_ = all.images.data<std::uint8_t>();
    height_ = static_cast<int>(all.images.size(2));
    width_ = static_cast<int>(all.images.size(3));
  }

  int height() const { return height_; }
  int width() const { return width_; }
  int larger_side() const { return std::max(height_, width_); }
  std::int32_t label(Index n) const { return labels_[n]; }
  Grey operator[](Index n) const {
    require(n >= 0 && n < size_, op_, "there is no digit ", n, " among ", size_);
    return {pixels_ + n * height_ * width_, height_, width_};
  }
  Index any(Generator& random) const { return random.below(static_cast<std::uint32_t>(size_)); }
  /// Any but n, if there is another.
  Index other_than(Index n, Generator& random) const {
    if (size_ == 1) return n;
    const Index i = random.below(static_cast<std::uint32_t>(size_ - 1));
    return i < n ? i : i + 1;
  }

 private:
  const char* op_;
  Index size_;
  const std::int32_t* labels_;
  const std::uint8_t* pixels_;
  int height_, width_;
};

int up_to(int most, Generator& random) {
  return static_cast<int>(random.below(static_cast<std::uint32_t>(most) + 1));
}

/// Adds `height` x `width` pixels of `from`, cut at (from_y, from_x), anywhere on a canvas of side x side.
void scatter(const Grey& from, int from_y, int from_x, int height, int width, std::uint8_t* canvas, int side,
             Generator& random) {
  const int to_y = up_to(side - height, random), to_x = up_to(side - width, random);
  for (int y = 0; y < height; ++y) {
    const std::uint8_t* source = from.pixels + (from_y + y) * from.width + from_x;
    std::uint8_t* target = canvas + (to_y + y) * side + to_x;
    for (int x = 0; x < width; ++x)
      target[x] = static_cast<std::uint8_t>(std::min(255, target[x] + source[x]));
  }
}

/// Black canvases and their labels, scene by scene: draw(n, generator, canvas, label).
template <class F>
LabelledImages scenes(std::span<const Index> indices, Index channels, Index side, const Shape& labels,
                      const Generator& random, F&& draw) {
  LabelledImages out{Tensor::empty({static_cast<Index>(indices.size()), channels, side, side}, DType::u8),
                     Tensor::empty(labels, DType::i32)};
  auto* canvas = out.images.mutable_data<std::uint8_t>();
  auto* label = out.labels.mutable_data<std::int32_t>();
  std::memset(canvas, 0, out.images.bytes());
  for (Index n : indices) {
    Generator own = random.fork(static_cast<std::uint64_t>(n));
    draw(n, own, canvas, label);
    canvas += channels * side * side;
    label += labels.rank() == 1 ? 1 : labels[1];
  }
  return out;
}

}  // namespace

LabelledImages cluttered(const LabelledImages& all, std::span<const Index> indices,
                         const ClutterOptions& options, const Generator& random) {
  const Digits digits("cluttered", all);
  const int side = static_cast<int>(options.size), piece = static_cast<int>(options.piece_size);
  require(side >= digits.larger_side(), "cluttered", "digits of ", digits.height(), "x", digits.width(),
          " do not fit a canvas of ", side, "x", side);
  require(options.pieces >= 0 && piece >= 1 && piece <= std::min(digits.height(), digits.width()),
          "cluttered", "cannot cut ", options.pieces, " pieces of ", piece, "x", piece, " from digits of ",
          digits.height(), "x", digits.width());
  return scenes(indices, 1, side, {static_cast<Index>(indices.size())}, random,
                [&](Index n, Generator& own, std::uint8_t* canvas, std::int32_t* label) {
                  scatter(digits[n], 0, 0, digits.height(), digits.width(), canvas, side, own);
                  *label = digits.label(n);
                  for (Index i = 0; i < options.pieces; ++i) {
                    const Grey other = digits[digits.other_than(n, own)];
                    const int y = up_to(other.height - piece, own), x = up_to(other.width - piece, own);
                    scatter(other, y, x, piece, piece, canvas, side, own);
                  }
                });
}

LabelledImages two_digits(const LabelledImages& all, std::span<const Index> indices, const Generator& random,
                          Index size) {
  const Digits digits("two_digits", all);
  const int side = static_cast<int>(size);
  require(side >= digits.larger_side(), "two_digits", "digits of ", digits.height(), "x", digits.width(),
          " do not fit a canvas of ", side, "x", side);
  return scenes(indices, 1, side, {static_cast<Index>(indices.size()), 2}, random,
                [&](Index n, Generator& own, std::uint8_t* canvas, std::int32_t* label) {
                  for (const Index i : {n, digits.any(own)}) {
                    scatter(digits[i], 0, 0, digits.height(), digits.width(), canvas, side, own);
                    *label++ = digits.label(i);
                  }
                });
}

LabelledImages digit_sums(const LabelledImages& all, std::span<const Index> indices,
                          const Generator& random) {
  const Digits digits("digit_sums", all);
  const int side = 3 * digits.larger_side() / 2;
  return scenes(indices, 2, side, {static_cast<Index>(indices.size())}, random,
                [&](Index n, Generator& own, std::uint8_t* canvas, std::int32_t* label) {
                  *label = 0;
                  for (const Index i : {n, digits.any(own)}) {
                    detail::warp_rts(digits[i], canvas, side, own);
                    canvas += side * side;
                    *label += digits.label(i);
                  }
                });
}

}  // namespace fovea
