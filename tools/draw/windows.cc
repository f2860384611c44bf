#include "tools/draw/windows.h"

#include <algorithm>

namespace fovea::tools {

Mark window_mark(const DrawGrid& g, const Panel& panel, Color color, double cell) {
  const double half = std::max(g.reach + g.stride / 2, 0.5);  // a filter stands for a square of its stride
  const auto x = [&](double at) { return std::clamp<double>(at + 0.5, 0, panel.cols); };
  const auto y = [&](double at) { return std::clamp<double>(at + 0.5, 0, panel.rows); };
  const double left = x(g.x - half), top = y(g.y - half);
  return box(left, top, x(g.x + half) - left, y(g.y + half) - top, color,
             std::clamp(g.sigma * cell / 2, 1.5, 4.0));
}

Panel stretched(const Tensor& x, Index width) {
  const Index height = width * x.size(2) / x.size(3);
  Panel panel{.rows = static_cast<int>(height), .cols = static_cast<int>(width)};
  for (Index i = 0; i < height; ++i)
    for (Index j = 0; j < width; ++j)
      panel.values.push_back(static_cast<float>(x.at({0, 0, i * x.size(2) / height, j * x.size(3) / width})));
  const auto [low, high] = std::minmax_element(panel.values.begin(), panel.values.end());
  panel.low = *low;
  panel.high = std::max(*high, *low + 1e-6f);
  return panel;
}

}  // namespace fovea::tools
