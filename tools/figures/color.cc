#include "tools/figures/color.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

namespace fovea::tools {
namespace {

// Evenly spaced stops, linear between them.
constexpr std::array<Color, 2> grey_stops{{{0, 0, 0}, {1, 1, 1}}};
constexpr std::array<Color, 7> blue_red_stops{{{0.10, 0.16, 0.55},
                                               {0.08, 0.42, 0.66},
                                               {0.10, 0.62, 0.50},
                                               {0.48, 0.78, 0.32},
                                               {0.97, 0.88, 0.24},
                                               {0.96, 0.52, 0.16},
                                               {0.80, 0.08, 0.10}}};
constexpr std::array<Color, 5> diverging_stops{
    {{0.02, 0.24, 0.50}, {0.40, 0.66, 0.84}, {0.97, 0.97, 0.97}, {0.94, 0.54, 0.40}, {0.60, 0.02, 0.14}}};

std::span<const Color> stops_of(ColorMap map) {
  switch (map) {
    case ColorMap::blue_red:
      return blue_red_stops;
    case ColorMap::diverging:
      return diverging_stops;
    case ColorMap::grey:
      break;
  }
  return grey_stops;
}

}  // namespace

Color map_color(ColorMap map, double t) {
  if (std::isnan(t)) return {1, 0, 1};
  const auto stops = stops_of(map);
  const double at = std::clamp(t, 0.0, 1.0) * static_cast<double>(stops.size() - 1);
  const std::size_t i = std::min(static_cast<std::size_t>(at), stops.size() - 2);
  const double f = at - static_cast<double>(i);
  const Color &p = stops[i], &q = stops[i + 1];
  return {std::lerp(p.r, q.r, f), std::lerp(p.g, q.g, f), std::lerp(p.b, q.b, f)};
}

Color line_color(std::size_t i) {
  static constexpr std::array<Color, line_color_count> palette{{{0.000, 0.447, 0.698},
                                                                {0.835, 0.369, 0.000},
                                                                {0.000, 0.620, 0.451},
                                                                {0.800, 0.475, 0.655},
                                                                {0.902, 0.624, 0.000},
                                                                {0.337, 0.706, 0.914},
                                                                {0.300, 0.300, 0.300}}};
  return palette[i % palette.size()];
}

}  // namespace fovea::tools
