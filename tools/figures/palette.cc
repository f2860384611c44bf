#include "tools/figures/palette.h"

#include <algorithm>
#include <cmath>

namespace fovea::tools {
namespace {

constexpr std::size_t most_colors = 256, bin_count = std::size_t{1} << 18;

std::uint32_t packed(const std::uint8_t* p) {
  return std::uint32_t(p[0]) << 16 | std::uint32_t(p[1]) << 8 | p[2];
}

// Six bits of each part.
std::size_t bin_of(const std::uint8_t* p) {
  return std::size_t(p[0] >> 2) << 12 | std::size_t(p[1] >> 2) << 6 | std::size_t(p[2] >> 2);
}

// Pixels that fall into one cell of the colour cube.
struct Bin {
  std::uint32_t index = 0;
  double count = 0;
  std::array<double, 3> sum{};

  double mean(std::size_t k) const { return sum[k] / count; }
};

// A range of bins: its mean, and the part of the colour that varies most.
struct Box {
  std::size_t begin, end;
  std::array<double, 3> mean{};
  std::size_t axis = 0;
  double error = 0;  // summed squared distance from the mean along `axis`

  Box(std::span<const Bin> bins, std::size_t b, std::size_t e) : begin(b), end(e) {
    double count = 0;
    std::array<double, 3> square{};
    for (const Bin& bin : bins.subspan(begin, end - begin)) {
      count += bin.count;
      for (std::size_t k = 0; k < 3; ++k) {
        mean[k] += bin.sum[k];
        square[k] += bin.count * bin.mean(k) * bin.mean(k);
      }
    }
    for (std::size_t k = 0; k < 3; ++k) {
      mean[k] /= count;
      const double e_k = square[k] - count * mean[k] * mean[k];
      if (end - begin > 1 && e_k > error) {
        error = e_k;
        axis = k;
      }
    }
  }
};

}  // namespace

Palette::Palette(std::span<const RgbImage* const> images) {
  if (!collect_exact(images)) cut_boxes(images);
}

bool Palette::collect_exact(std::span<const RgbImage* const> images) {
  for (const RgbImage* image : images) {
    std::uint32_t last = ~0u;
    for (std::size_t i = 0; i < image->pixels.size(); i += 3) {
      const std::uint8_t* p = &image->pixels[i];
      const std::uint32_t color = packed(p);
      if (color == last) continue;
      last = color;
      if (!exact_.try_emplace(color, static_cast<std::uint8_t>(colors_.size())).second) continue;
      if (colors_.size() == most_colors) {
        colors_.clear();
        exact_.clear();
        return false;
      }
      colors_.push_back({p[0], p[1], p[2]});
    }
  }
  return true;
}

void Palette::cut_boxes(std::span<const RgbImage* const> images) {
  std::vector<Bin> bins(bin_count);
  for (const RgbImage* image : images) {
    for (std::size_t i = 0; i < image->pixels.size(); i += 3) {
      const std::uint8_t* p = &image->pixels[i];
      Bin& bin = bins[bin_of(p)];
      bin.count += 1;
      for (std::size_t k = 0; k < 3; ++k) bin.sum[k] += p[k];
    }
  }
  for (std::size_t i = 0; i < bin_count; ++i) bins[i].index = static_cast<std::uint32_t>(i);
  std::erase_if(bins, [](const Bin& bin) { return bin.count == 0; });

  std::vector<Box> boxes{{bins, 0, bins.size()}};
  while (boxes.size() < most_colors) {
    const auto worst = std::ranges::max_element(boxes, {}, &Box::error);
    if (worst->error <= 0) break;
    const Box box = *worst;
    const auto at = [&](std::size_t i) { return bins.begin() + static_cast<std::ptrdiff_t>(i); };
    const auto middle = std::partition(at(box.begin), at(box.end),
                                       [&](const Bin& b) { return b.mean(box.axis) < box.mean[box.axis]; });
    const auto cut = static_cast<std::size_t>(middle - bins.begin());
    if (cut == box.begin ||
        cut == box.end) {  // rounding left one side empty: this box is as good as one colour
      worst->error = 0;
      continue;
    }
    *worst = Box(bins, box.begin, cut);
    boxes.emplace_back(bins, cut, box.end);
  }

  entry_of_bin_.resize(bin_count);
  for (const Box& box : boxes) {
    const auto entry = static_cast<std::uint8_t>(colors_.size());
    for (std::size_t i = box.begin; i < box.end; ++i) entry_of_bin_[bins[i].index] = entry;
    std::array<std::uint8_t, 3> color{};
    for (std::size_t k = 0; k < 3; ++k) color[k] = static_cast<std::uint8_t>(std::lround(box.mean[k]));
    colors_.push_back(color);
  }
}

std::vector<std::uint8_t> Palette::indices(const RgbImage& image) const {
  std::vector<std::uint8_t> out(image.pixels.size() / 3);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::uint8_t* p = &image.pixels[3 * i];
    out[i] = entry_of_bin_.empty() ? exact_.at(packed(p)) : entry_of_bin_[bin_of(p)];
  }
  return out;
}

}  // namespace fovea::tools
