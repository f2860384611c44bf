#ifndef FOVEA_TOOLS_FIGURES_CANVAS_H_
#define FOVEA_TOOLS_FIGURES_CANVAS_H_

#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "tools/figures/color.h"
#include "tools/figures/image.h"

namespace fovea::tools {

/// A point in pixels from the top left corner, y downwards.
struct Point {
  double x = 0, y = 0;
};

/// A rectangle in pixels: its top left corner and its size.
struct Rect {
  double x = 0, y = 0, width = 0, height = 0;

  double right() const { return x + width; }
  double bottom() const { return y + height; }
};

/// How a line is drawn; `dash` is the length of dashes and gaps, 0 for a solid line.
struct Stroke {
  Color color = colors::ink;
  double width = 1;
  double dash = 0;
};

enum class Align { left, center, right };

/// How text is drawn.
struct TextStyle {
  double size = 13;  ///< pixels
  Color color = colors::ink;
  Align align = Align::left;
  bool bold = false;
  double angle = 0;   ///< degrees, counter-clockwise, about the anchor
  bool halo = false;  ///< a white rim, for text over lines
};
inline constexpr TextStyle title_style{.size = 16, .bold = true};  ///< of a figure

/// Whether this build can draw: false where Cairo and giflib were missing when Fovea was built. Drawing then
/// throws std::runtime_error with a message that says so.
bool figures_available();

/// A sheet to draw on. Drawing is recorded, so that one canvas is saved as PNG at any scale and as SVG.
/// Errors (no Cairo, a size that is too big, a file that cannot be written) are std::runtime_error.
class Canvas {
 public:
  /// A sheet of width x height pixels, each rounded up, filled with `background`.
  Canvas(double width, double height, Color background = colors::white);
  ~Canvas();
  Canvas(Canvas&&) noexcept;
  Canvas& operator=(Canvas&&) noexcept;

  double width() const { return width_; }
  double height() const { return height_; }

  /// A straight line.
  void line(Point from, Point to, const Stroke& stroke);
  /// A line through all points, back to the first if `closed`.
  void polyline(std::span<const Point> points, const Stroke& stroke, bool closed = false);
  void fill_polygon(std::span<const Point> points, const Color& color);
  void fill_rect(const Rect& rect, const Color& color);
  void stroke_rect(const Rect& rect, const Stroke& stroke);
  void fill_circle(Point center, double radius, const Color& color);
  /// UTF-8 text whose baseline starts, is centred or ends at `anchor`. Bytes that are not UTF-8 are shown as
  /// '?'.
  void text(Point anchor, const std::string& text, const TextStyle& style = {});
  /// The width of `text` in pixels, before rotation.
  double text_width(const std::string& text, const TextStyle& style = {}) const;
  /// A picture stretched over `rect` with hard edges: each pixel is a cell.
  void image(const Rect& rect, const RgbImage& image);
  /// Keeps what is drawn next inside `rect`, until unclip().
  void clip(const Rect& rect);
  void unclip();

  /// The sheet as the bytes of a PNG file of (scale * width) x (scale * height) pixels.
  std::string png(double scale = 1) const;
  /// The sheet as pixels, for animations.
  RgbImage rgb(double scale = 1) const;
  /// Writes a PNG file. This and the two below write to a temporary name first and then rename.
  void save_png(const std::filesystem::path& file, double scale = 1) const;
  /// Writes an SVG file.
  void save_svg(const std::filesystem::path& file) const;
  /// Writes PNG or SVG, by the extension of `file`.
  void save(const std::filesystem::path& file) const;

 private:
  struct Recording;
  double width_, height_;
  std::unique_ptr<Recording> recording_;
};

}  // namespace fovea::tools

#endif
