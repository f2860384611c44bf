#include "tools/figures/canvas.h"

#include <stdexcept>

#include "tools/figures/file.h"

#ifdef FOVEA_FIGURES
#include <cairo-svg.h>
#include <cairo.h>

#include <cmath>
#include <cstdint>
#include <exception>
#include <functional>
#include <numbers>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/figures/utf8.h"
#endif

namespace fovea::tools {

#ifdef FOVEA_FIGURES

namespace {

struct DestroySurface {
  void operator()(cairo_surface_t* s) const { cairo_surface_destroy(s); }
};
struct DestroyContext {
  void operator()(cairo_t* c) const { cairo_destroy(c); }
};
struct DestroyFontOptions {
  void operator()(cairo_font_options_t* o) const { cairo_font_options_destroy(o); }
};
using Surface = std::unique_ptr<cairo_surface_t, DestroySurface>;
using Context = std::unique_ptr<cairo_t, DestroyContext>;

void check(cairo_status_t status, const char* action) {
  if (status == CAIRO_STATUS_SUCCESS) return;
  throw std::runtime_error(std::string("cannot ") + action + ": Cairo says \"" +
                           cairo_status_to_string(status) + "\"");
}

void set_color(cairo_t* c, const Color& color) {
  cairo_set_source_rgba(c, color.r, color.g, color.b, color.a);
}

void set_stroke(cairo_t* c, const Stroke& stroke) {
  set_color(c, stroke.color);
  cairo_set_line_width(c, stroke.width);
  cairo_set_line_join(c, CAIRO_LINE_JOIN_ROUND);
  cairo_set_dash(c, &stroke.dash, stroke.dash > 0 ? 1 : 0, 0);
}

void set_font(cairo_t* c, const TextStyle& style) {
  cairo_select_font_face(c, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                         style.bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size(c, style.size);
  // Metrics without rounding, so that a figure's layout does not depend on the scale it is saved at.
  const std::unique_ptr<cairo_font_options_t, DestroyFontOptions> options(cairo_font_options_create());
  cairo_font_options_set_hint_metrics(options.get(), CAIRO_HINT_METRICS_OFF);
  cairo_font_options_set_hint_style(options.get(), CAIRO_HINT_STYLE_SLIGHT);
  cairo_font_options_set_antialias(options.get(), CAIRO_ANTIALIAS_GRAY);
  cairo_set_font_options(c, options.get());
}

void trace(cairo_t* c, std::span<const Point> points) {
  cairo_new_path(c);
  for (const Point& p : points) cairo_line_to(c, p.x, p.y);
}

void trace(cairo_t* c, const Rect& r) {
  cairo_new_path(c);
  cairo_rectangle(c, r.x, r.y, r.width, r.height);
}

std::vector<Point> copy(std::span<const Point> points) { return {points.begin(), points.end()}; }

Surface surface_of(const RgbImage& image) {
  Surface cells(cairo_image_surface_create(CAIRO_FORMAT_RGB24, image.width, image.height));
  check(cairo_surface_status(cells.get()), "make a picture");
  unsigned char* data = cairo_image_surface_get_data(cells.get());
  const auto stride = static_cast<std::size_t>(cairo_image_surface_get_stride(cells.get()));
  for (int y = 0; y < image.height; ++y) {
    auto* row = reinterpret_cast<std::uint32_t*>(data + static_cast<std::size_t>(y) * stride);
    for (int x = 0; x < image.width; ++x) {
      const std::uint8_t* p = image.at(x, y);
      row[x] = std::uint32_t(p[0]) << 16 | std::uint32_t(p[1]) << 8 | p[2];
    }
  }
  cairo_surface_mark_dirty(cells.get());
  return cells;
}

// Cairo calls this from C: no exception may pass.
cairo_status_t append(void* bytes, const unsigned char* data, unsigned int n) noexcept {
  try {
    static_cast<std::string*>(bytes)->append(reinterpret_cast<const char*>(data), n);
    return CAIRO_STATUS_SUCCESS;
  } catch (const std::exception&) {
    return CAIRO_STATUS_NO_MEMORY;
  }
}

}  // namespace

// What was drawn, in order. (Cairo's own recording surface leaks when it is painted into an SVG: 1.16.)
struct Canvas::Recording {
  std::vector<std::function<void(cairo_t*)>> steps;
  Context ruler;  // measures text

  void replay(cairo_surface_t* target, double scale) const {
    const Context c(cairo_create(target));
    cairo_scale(c.get(), scale, scale);
    for (const auto& step : steps) step(c.get());
    check(cairo_status(c.get()), "draw");
  }

  Surface rasterise(double width, double height, double scale) const {
    const double w = std::ceil(width * scale), h = std::ceil(height * scale);
    if (!(w >= 1 && h >= 1 && w <= 32767 && h <= 32767)) {
      throw std::runtime_error("cannot draw a picture of " + std::to_string(w) + " x " + std::to_string(h) +
                               " pixels: Cairo allows 1 to 32767 a side");
    }
    Surface pixels(cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(w), static_cast<int>(h)));
    check(cairo_surface_status(pixels.get()), "make a picture");
    replay(pixels.get(), scale);
    cairo_surface_flush(pixels.get());
    return pixels;
  }
};

bool figures_available() { return true; }

Canvas::Canvas(double width, double height, Color background)
    : width_(std::ceil(width)), height_(std::ceil(height)), recording_(std::make_unique<Recording>()) {
  const Surface dot(cairo_image_surface_create(CAIRO_FORMAT_A8, 1, 1));
  recording_->ruler.reset(cairo_create(dot.get()));
  check(cairo_status(recording_->ruler.get()), "open a canvas");
  fill_rect({0, 0, width_, height_}, background);
}

void Canvas::line(Point from, Point to, const Stroke& stroke) {
  const Point points[] = {from, to};
  polyline(points, stroke);
}

void Canvas::polyline(std::span<const Point> points, const Stroke& stroke, bool closed) {
  recording_->steps.push_back([path = copy(points), stroke, closed](cairo_t* c) {
    trace(c, path);
    if (closed) cairo_close_path(c);
    set_stroke(c, stroke);
    cairo_stroke(c);
  });
}

void Canvas::fill_polygon(std::span<const Point> points, const Color& color) {
  recording_->steps.push_back([path = copy(points), color](cairo_t* c) {
    trace(c, path);
    set_color(c, color);
    cairo_fill(c);
  });
}

void Canvas::fill_rect(const Rect& r, const Color& color) {
  recording_->steps.push_back([r, color](cairo_t* c) {
    trace(c, r);
    set_color(c, color);
    cairo_fill(c);
  });
}

void Canvas::stroke_rect(const Rect& r, const Stroke& stroke) {
  recording_->steps.push_back([r, stroke](cairo_t* c) {
    trace(c, r);
    set_stroke(c, stroke);
    cairo_stroke(c);
  });
}

void Canvas::fill_circle(Point center, double radius, const Color& color) {
  recording_->steps.push_back([=](cairo_t* c) {
    cairo_new_path(c);
    cairo_arc(c, center.x, center.y, radius, 0, 2 * std::numbers::pi);
    set_color(c, color);
    cairo_fill(c);
  });
}

void Canvas::text(Point anchor, const std::string& text, const TextStyle& style) {
  if (text.empty()) return;
  const double width = text_width(text, style);
  const double x = style.align == Align::left ? 0 : style.align == Align::center ? -width / 2 : -width;
  recording_->steps.push_back([=, utf8 = valid_utf8(text)](cairo_t* c) {
    set_font(c, style);
    cairo_save(c);
    cairo_translate(c, anchor.x, anchor.y);
    cairo_rotate(c, -style.angle * std::numbers::pi / 180);
    if (style.halo) {
      cairo_new_path(c);
      cairo_move_to(c, x, 0);
      cairo_text_path(c, utf8.c_str());
      set_stroke(c, {colors::white.faded(0.85), 4});
      cairo_stroke(c);
    }
    set_color(c, style.color);
    cairo_move_to(c, x, 0);
    cairo_show_text(c, utf8.c_str());
    cairo_restore(c);
  });
}

double Canvas::text_width(const std::string& text, const TextStyle& style) const {
  cairo_t* c = recording_->ruler.get();
  set_font(c, style);
  cairo_text_extents_t extents{};
  cairo_text_extents(c, valid_utf8(text).c_str(), &extents);
  return extents.x_advance;
}

void Canvas::image(const Rect& r, const RgbImage& image) {
  if (image.width <= 0 || image.height <= 0) return;
  if (image.pixels.size() != std::size_t(image.width) * std::size_t(image.height) * 3) {
    throw std::invalid_argument("cannot draw a picture whose pixels do not fill its width and height");
  }
  const std::shared_ptr<cairo_surface_t> cells = surface_of(image);
  const double sx = r.width / image.width, sy = r.height / image.height;
  recording_->steps.push_back([=](cairo_t* c) {
    cairo_save(c);
    trace(c, r);
    cairo_translate(c, r.x, r.y);
    cairo_scale(c, sx, sy);
    cairo_set_source_surface(c, cells.get(), 0, 0);
    cairo_pattern_set_filter(cairo_get_source(c), CAIRO_FILTER_NEAREST);
    cairo_pattern_set_extend(cairo_get_source(c), CAIRO_EXTEND_PAD);
    cairo_fill(c);
    cairo_restore(c);
  });
}

void Canvas::clip(const Rect& r) {
  recording_->steps.push_back([r](cairo_t* c) {
    cairo_save(c);
    trace(c, r);
    cairo_clip(c);
  });
}

void Canvas::unclip() {
  recording_->steps.push_back([](cairo_t* c) { cairo_restore(c); });
}

std::string Canvas::png(double scale) const {
  const Surface pixels = recording_->rasterise(width_, height_, scale);
  std::string bytes;
  check(cairo_surface_write_to_png_stream(pixels.get(), append, &bytes), "encode a PNG");
  return bytes;
}

RgbImage Canvas::rgb(double scale) const {
  const Surface pixels = recording_->rasterise(width_, height_, scale);
  RgbImage image(cairo_image_surface_get_width(pixels.get()), cairo_image_surface_get_height(pixels.get()));
  const unsigned char* data = cairo_image_surface_get_data(pixels.get());
  const auto stride = static_cast<std::size_t>(cairo_image_surface_get_stride(pixels.get()));
  for (int y = 0; y < image.height; ++y) {
    const auto* row = reinterpret_cast<const std::uint32_t*>(data + static_cast<std::size_t>(y) * stride);
    for (int x = 0; x < image.width; ++x) {
      std::uint8_t* p = image.at(x, y);
      for (int k = 0; k < 3; ++k) p[k] = static_cast<std::uint8_t>(row[x] >> (16 - 8 * k) & 255);
    }
  }
  return image;
}

void Canvas::save_svg(const std::filesystem::path& file) const {
  std::string bytes;
  {
    const Surface svg(cairo_svg_surface_create_for_stream(append, &bytes, width_, height_));
    check(cairo_surface_status(svg.get()), "make an SVG");
    recording_->replay(svg.get(), 1);
    cairo_surface_finish(svg.get());
    check(cairo_surface_status(svg.get()), "encode an SVG");
  }
  // Cairo does not pass its nearest filter on, and a browser would blur the cells of a heat map.
  constexpr std::string_view tag = "<image ", crisp = "style=\"image-rendering:pixelated\" ";
  for (auto at = bytes.find(tag); at != std::string::npos; at = bytes.find(tag, at + tag.size())) {
    bytes.insert(at + tag.size(), crisp);
  }
  write_file(file, bytes);
}

#else  // no Cairo: the same class, whose constructor says so

struct Canvas::Recording {};

bool figures_available() { return false; }

Canvas::Canvas(double width, double height, Color) : width_(width), height_(height) {
  throw std::runtime_error(
      "cannot draw figures: this build of Fovea has no Cairo and giflib (install libcairo2-dev libgif-dev "
      "and "
      "configure again)");
}

void Canvas::line(Point, Point, const Stroke&) {}
void Canvas::polyline(std::span<const Point>, const Stroke&, bool) {}
void Canvas::fill_polygon(std::span<const Point>, const Color&) {}
void Canvas::fill_rect(const Rect&, const Color&) {}
void Canvas::stroke_rect(const Rect&, const Stroke&) {}
void Canvas::fill_circle(Point, double, const Color&) {}
void Canvas::text(Point, const std::string&, const TextStyle&) {}
double Canvas::text_width(const std::string&, const TextStyle&) const { return 0; }
void Canvas::image(const Rect&, const RgbImage&) {}
void Canvas::clip(const Rect&) {}
void Canvas::unclip() {}
std::string Canvas::png(double) const { return {}; }
RgbImage Canvas::rgb(double) const { return {}; }
void Canvas::save_svg(const std::filesystem::path&) const {}

#endif

Canvas::~Canvas() = default;
Canvas::Canvas(Canvas&&) noexcept = default;
Canvas& Canvas::operator=(Canvas&&) noexcept = default;

void Canvas::save_png(const std::filesystem::path& file, double scale) const { write_file(file, png(scale)); }

void Canvas::save(const std::filesystem::path& file) const {
  if (file.extension() == ".svg") {
    save_svg(file);
  } else if (file.extension() == ".png") {
    save_png(file);
  } else {
    throw std::runtime_error("cannot write " + file.string() + ": figures are saved as .png or .svg");
  }
}

}  // namespace fovea::tools
