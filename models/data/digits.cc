#include "fovea/models/data/digits.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "fovea/models/data/glyphs.h"

namespace fovea {
namespace {

using detail::Glyph;
using detail::Point;
using detail::Stroke;

constexpr int size = 28, pixels = size * size;
constexpr int pieces = 6;  // straight ones in the curve between two control points

/// Where a pen is, and how wide it writes there.
struct Ink {
  Point at;
  float radius;
};
using Line = std::vector<Ink>;

// Everything that differs between two hands writing the same glyph. Lengths are those of the glyph's box.
struct Hand {
  explicit Hand(Generator& random) {
    auto normal = [&](float deviation) { return deviation * std::clamp(random.normal(), -2.5f, 2.5f); };
    auto between = [&](float low, float high) { return low + (high - low) * random.uniform(); };
    tremble = between(1.5f, 7);
    const float turn = normal(0.15f), slant = 0.12f + normal(0.3f);
    width = between(0.5f, 1.15f);
    cosine = std::cos(turn);
    sine = std::sin(turn);
    shear = slant;
    for (auto& bend : bends)
      bend = {between(2, 9), between(0.004f, 0.014f), between(0, 2 * std::numbers::pi_v<float>)};
    height = 18.6f + normal(1);
    radius = std::exp(std::log(1.25f) + normal(0.28f));
    pressure = normal(0.22f);
    edge = between(0.5f, 1.1f);
    ink = between(0.8f, 1.05f);
    shift = {normal(0.7f), normal(0.7f)};
    grain = between(0, 0.12f);
  }

  Point place(Point p) const {
    auto bent = [](const auto& bend, float along) {
      return bend[0] * std::sin(2 * std::numbers::pi_v<float> * bend[1] * along + bend[2]);
    };
    const float y = p.y - 50 + bent(bends[1], p.x);
    const float x = width * (p.x - 50 + bent(bends[0], p.y)) - shear * y;
    return {cosine * x - sine * y, sine * x + cosine * y};
  }

  float tremble;                              // standard deviation of a control point
  float width, shear, cosine, sine;           // the affine part
  std::array<std::array<float, 3>, 2> bends;  // amplitude, frequency, phase: of x along y, of y along x
  float height;                               // of the longer side, in pixels
  float radius, pressure, edge;  // of the pen, in pixels; its change along a stroke; its softness
  float ink, grain;              // brightness, and how much it varies
  Point shift;                   // off the middle, in pixels
};

/// Catmull and Rom's curve between b and c.
Point between(Point a, Point b, Point c, Point d, float t) {
  auto mix = [t](float a, float b, float c, float d) {
    return b + 0.5f * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
  };
  return {mix(a.x, b.x, c.x, d.x), mix(a.y, b.y, c.y, d.y)};
}

bool same(Point a, Point b) { return a.x == b.x && a.y == b.y; }

Line trace(const Stroke& stroke, const Hand& hand, Generator& random) {
  Stroke points = stroke;
  Point off{};  // the hand does not forget at once where it went
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (i == 0 || !same(stroke[i], stroke[i - 1]))  // a corner stays one
      off = {0.6f * off.x + 0.8f * hand.tremble * random.normal(),
             0.6f * off.y + 0.8f * hand.tremble * random.normal()};
    points[i] = {stroke[i].x + off.x, stroke[i].y + off.y};
  }
  Line line;
  const auto last = points.size() - 1;
  for (std::size_t i = 0; i < last; ++i) {
    const Point b = points[i], c = points[i + 1];
    if (same(b, c)) continue;
    const Point a = i > 0 ? points[i - 1] : b, d = i + 2 <= last ? points[i + 2] : c;
    for (int k = 0; k < pieces; ++k)
      line.push_back({hand.place(between(a, b, c, d, static_cast<float>(k) / pieces)), 0});
  }
  line.push_back({hand.place(points[last]), 0});
  for (std::size_t i = 0; i < line.size(); ++i) {
    const float along = static_cast<float>(i) / static_cast<float>(line.size() - 1) - 0.5f;
    line[i].radius = std::max(0.6f, hand.radius * (1 + 2 * hand.pressure * along));
  }
  return line;
}

/// From the glyph's units to pixels: the longer side `height` pixels long, the ink's middle in the middle.
void fit(std::vector<Line>& lines, const Hand& hand) {
  float left = 1e9f, right = -1e9f, top = 1e9f, bottom = -1e9f, x = 0, y = 0, weight = 0;
  for (const Line& line : lines)
    for (std::size_t i = 0; i < line.size(); ++i) {
      const Point p = line[i].at, q = line[i ? i - 1 : 0].at;
      const float length = std::hypot(p.x - q.x, p.y - q.y);
      left = std::min(left, p.x), right = std::max(right, p.x);
      top = std::min(top, p.y), bottom = std::max(bottom, p.y);
      x += length * (p.x + q.x) / 2, y += length * (p.y + q.y) / 2, weight += length;
    }
  const float longest = std::max({right - left, bottom - top, 1.0f});
  const float scale = (hand.height - 2 * hand.radius) / longest;
  const float middle = (size - 1) / 2.0f;
  weight = std::max(weight, 1.0f);
  for (Line& line : lines)
    for (Ink& p : line)
      p.at = {middle + hand.shift.x + scale * (p.at.x - x / weight),
              middle + hand.shift.y + scale * (p.at.y - y / weight)};
}

/// Raises depth[pixel] to how far inside the pen's way from p to q it lies; negative outside.
void press(const Ink& p, const Ink& q, float* depth) {
  const float reach = std::max(p.radius, q.radius) + 1.5f;
  auto first = [&](float a, float b) {
    return std::clamp(static_cast<int>(std::min(a, b) - reach), 0, size);
  };
  auto past = [&](float a, float b) {
    return std::clamp(static_cast<int>(std::max(a, b) + reach) + 1, 0, size);
  };
  const float dx = q.at.x - p.at.x, dy = q.at.y - p.at.y;
  const float inverse = 1 / std::max(dx * dx + dy * dy, 1e-6f);
  const int x0 = first(p.at.x, q.at.x), x1 = past(p.at.x, q.at.x);
  for (int y = first(p.at.y, q.at.y), y1 = past(p.at.y, q.at.y); y < y1; ++y) {
    float* row = depth + y * size;
    const float vy = static_cast<float>(y) - p.at.y;
    for (int x = x0; x < x1; ++x) {
      const float vx = static_cast<float>(x) - p.at.x;
      float t = (vx * dx + vy * dy) * inverse;
      t = t < 0 ? 0 : t > 1 ? 1 : t;
      const float ex = vx - t * dx, ey = vy - t * dy;
      const float inside = p.radius + t * (q.radius - p.radius) - std::sqrt(ex * ex + ey * ey);
      row[x] = inside > row[x] ? inside : row[x];
    }
  }
}

void draw(int digit, Generator& random, std::uint8_t* out) {
  const auto& ways = detail::glyphs()[static_cast<std::size_t>(digit)];
  const Glyph& glyph = ways[random.below(static_cast<std::uint32_t>(ways.size()))];
  const Hand hand(random);
  std::vector<Line> lines;
  for (const Stroke& stroke : glyph) lines.push_back(trace(stroke, hand, random));
  fit(lines, hand);

  std::array<float, pixels> depth;
  depth.fill(-1e3f);
  for (const Line& line : lines)
    for (std::size_t i = 1; i < line.size(); ++i) press(line[i - 1], line[i], depth.data());
  for (std::size_t i = 0; i < pixels; ++i) {
    const float cover = std::clamp(0.5f + depth[i] / (2 * hand.edge), 0.0f, 1.0f);
    out[i] = 0;
    if (cover == 0) continue;
    const float ink = hand.ink * (1 - hand.grain * random.uniform());
    out[i] = static_cast<std::uint8_t>(std::min(255.0f, 255 * ink * cover * (2 - cover) + 0.5f));
  }
}

}  // namespace

LabelledImages draw_digits(Index count, const Generator& random) {
  require(count >= 0, "draw_digits", "cannot draw ", count, " digits");
  LabelledImages out{Tensor::empty({count, 1, size, size}, DType::u8), Tensor::empty({count}, DType::i32)};
  auto* image = out.images.mutable_data<std::uint8_t>();
  auto* label = out.labels.mutable_data<std::int32_t>();
  for (Index n = 0; n < count; ++n) {
    Generator own = random.fork(static_cast<std::uint64_t>(n));
    label[n] = static_cast<std::int32_t>(own.below(10));
    draw(label[n], own, image + n * pixels);
  }
  return out;
}

}  // namespace fovea
