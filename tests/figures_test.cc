#include <doctest/doctest.h>
#include <stdlib.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "tools/figures/animation.h"
#include "tools/figures/canvas.h"
#include "tools/figures/color.h"
#include "tools/figures/file.h"
#include "tools/figures/palette.h"
#include "tools/figures/panel_grid.h"
#include "tools/figures/plot.h"
#include "tools/figures/ticks.h"
#include "tools/figures/utf8.h"

#ifdef FOVEA_FIGURES
#include <gif_lib.h>
#endif

namespace {

using namespace fovea::tools;
namespace fs = std::filesystem;

// A folder that goes away with the test.
struct Folder {
  fs::path path;
  Folder() {
    std::string name = (fs::temp_directory_path() / "fovea-figures-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

template <class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const std::exception& e) {
    return e.what();
  }
  return "(nothing was thrown)";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::vector<std::string> labels(const std::vector<Tick>& ticks) {
  std::vector<std::string> out;
  for (const Tick& t : ticks) out.push_back(t.label);
  return out;
}

using Labels = std::vector<std::string>;

}  // namespace

TEST_CASE("figures: ticks are round, within the range and readable") {
  CHECK(labels(linear_ticks(0, 1, 5)) == Labels{"0.0", "0.2", "0.4", "0.6", "0.8", "1.0"});
  CHECK(labels(linear_ticks(0, 200000, 4, 1000)) == Labels{"0", "50", "100", "150", "200"});
  CHECK(labels(linear_ticks(0, 10000, 4)) == Labels{"0", "2,500", "5,000", "7,500", "10,000"});
  CHECK(labels(linear_ticks(-2, 2, 4)) == Labels{"−2", "−1", "0", "1", "2"});
  CHECK(labels(linear_ticks(0, 1e6, 2)) == Labels{"0", "500,000", "1,000,000"});
  CHECK(linear_ticks(1, 1, 5).empty());
  CHECK(linear_ticks(0, std::numeric_limits<double>::infinity(), 5).empty());
  CHECK(labels(log_ticks(0.01, 100, 7)) == Labels{"0.01", "0.1", "1", "10", "100"});
  CHECK(labels(log_ticks(1, 20, 7)) == Labels{"1", "2", "5", "10", "20"});
  CHECK(labels(log_ticks(1e-8, 1e-6, 2)) == Labels{"10⁻⁸", "10⁻⁷", "10⁻⁶"});
  CHECK(labels(log_ticks(2, 4, 4)) == Labels{"2.0", "2.5", "3.0", "3.5", "4.0"});
  CHECK(labels(whole_ticks(1, 20, 4)) == Labels{"5", "10", "15", "20"});
  CHECK(labels(whole_ticks(68, 25, 8)) == Labels{"70", "75", "80", "85", "90"});
  CHECK(labels(whole_ticks(0, 3, 9)) == Labels{"0", "1", "2"});
  CHECK(labels(whole_ticks(0, 2000, 3)) == Labels{"0", "1,000"});
  CHECK(labels(whole_ticks(7, 1, 0)) == Labels{"7"});
  CHECK(labels(whole_ticks(26, 3, 1)) == Labels{"26"});
  CHECK(whole_ticks(1, 0, 4).empty());
}

TEST_CASE("figures: colour maps") {
  CHECK(map_color(ColorMap::grey, 0) == colors::black);
  CHECK(map_color(ColorMap::grey, 1) == colors::white);
  CHECK(map_color(ColorMap::grey, 7) == colors::white);
  const Color low = map_color(ColorMap::blue_red, 0), high = map_color(ColorMap::blue_red, 1);
  CHECK(low.b > low.r);
  CHECK(high.r > high.b);
  CHECK(map_color(ColorMap::blue_red, std::nan("")) == Color{1, 0, 1});
  const Color middle = map_color(ColorMap::diverging, 0.5);
  CHECK(middle.r == middle.b);
}

TEST_CASE("figures: a running mean leaves out what is not a number") {
  const double nan = std::nan("");
  CHECK(running_mean({1, 2, 3, 4, 5}, 3) == std::vector<double>{1.5, 2, 3, 4, 4.5});
  CHECK(running_mean({1, 2, 3}, 1) == std::vector<double>{1, 2, 3});
  CHECK(running_mean({1, 2, 3}, 100) == std::vector<double>{2, 2, 2});
  const auto gap = running_mean({1, nan, 3}, 3);
  CHECK(gap[0] == 1);
  CHECK(std::isnan(gap[1]));
  CHECK(gap[2] == 3);
}

TEST_CASE("figures: text is made well-formed") {
  CHECK(valid_utf8("é→𝄞 a") == "é→𝄞 a");
  CHECK(valid_utf8("a\xc3") == "a?");
  CHECK(valid_utf8("\xe2\x86") == "??");
  CHECK(valid_utf8("a\nb\x1b", ' ') == "a b ");
  CHECK(valid_utf8("\xc0\xaf\xed\xa0\x80") == "?????");  // overlong, surrogate
  CHECK(utf8_length("é→a") == 3);
  CHECK(utf8_prefix("é→a", 2) == "é→");
}

TEST_CASE("figures: cells_of checks its panel") {
  Panel panel{.title = "reads", .rows = 2, .cols = 2, .values = {0, 1, 0.5f, 2}};
  const RgbImage cells = cells_of(panel);
  CHECK(cells.pixels == std::vector<std::uint8_t>{0, 0, 0, 255, 255, 255, 128, 128, 128, 255, 255, 255});
  panel.values.pop_back();
  CHECK(contains(message_of([&] { cells_of(panel); }), "\"reads\" of 2 x 2 cells has 3 values"));
  panel.values.push_back(1);
  panel.row_names = {"one"};
  CHECK_THROWS_AS(cells_of(panel), std::invalid_argument);
}

TEST_CASE("figures: a palette is exact up to 256 colours and close beyond") {
  RgbImage grey(256, 1), many(64, 64);
  for (int x = 0; x < 256; ++x) {
    for (int k = 0; k < 3; ++k) grey.at(x, 0)[k] = static_cast<std::uint8_t>(x);
  }
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 64; ++x) {
      const Color c = map_color(ColorMap::blue_red, (x + 64 * y) / 4095.0);
      const double parts[] = {c.r, c.g, c.b};
      for (int k = 0; k < 3; ++k) many.at(x, y)[k] = static_cast<std::uint8_t>(std::lround(255 * parts[k]));
    }
  }
  for (const RgbImage* image : {&grey, &many}) {
    const Palette palette({&image, 1});
    CHECK(palette.colors().size() <= 256);
    const auto indices = palette.indices(*image);
    int worst = 0;
    for (std::size_t i = 0; i < image->pixels.size(); ++i) {
      worst = std::max(worst, std::abs(palette.colors()[indices[i / 3]][i % 3] - image->pixels[i]));
    }
    CHECK(worst <= (image == &grey ? 0 : 6));
  }
}

TEST_CASE("figures: files are written whole or not at all") {
  const Folder folder;
  write_file(folder.path / "a", "one");
  write_file(folder.path / "a", "two");
  CHECK(read_file(folder.path / "a") == "two");
  CHECK(contains(message_of([&] { write_file(folder.path / "none" / "a", "x"); }), "none/a"));
  CHECK(contains(message_of([&] { read_file(folder.path / "b"); }), "/b"));
  fs::create_directory(folder.path / "d");
  CHECK(contains(message_of([&] { write_file(folder.path / "d", "x"); }), "/d: "));  // the rename fails
  CHECK(std::distance(fs::directory_iterator(folder.path), {}) == 2);                // no temporary file left
}

#ifdef FOVEA_FIGURES

// Fontconfig keeps some patterns for the life of the process; weak, so that other tests may say the like.
extern "C" __attribute__((weak)) const char* __lsan_default_suppressions();
const char* __lsan_default_suppressions() { return "leak:libfontconfig"; }

namespace {

std::uint32_t big_endian(const std::string& bytes, std::size_t at) {
  std::uint32_t v = 0;
  for (std::size_t i = 0; i < 4; ++i) v = v << 8 | static_cast<unsigned char>(bytes[at + i]);
  return v;
}

LinePlot sample_plot() {
  LinePlot plot{
      .title = "Copy", .x_label = "sequences (thousands)", .y_label = "cost (bits)", .x_unit = 1000};
  plot.series = {{"NTM", {0, 1000, 2000, 3000}, {100, std::nan(""), 1, 0}}, {"LSTM", {0, 3000}, {100, 50}}};
  plot.reference = ReferenceLine{0.5, "optimal estimator"};
  return plot;
}

}  // namespace

TEST_CASE("figures: a chart becomes PNG of its size, at any scale, and SVG") {
  CHECK(figures_available());
  const Folder folder;
  for (const bool log_y : {false, true}) {
    LinePlot plot = sample_plot();
    plot.log_y = log_y;
    plot.smoothing = log_y ? 2 : 1;
    const Canvas canvas = draw(plot);
    canvas.save(folder.path / "a.png");
    const std::string png = read_file(folder.path / "a.png");
    CHECK(png.substr(1, 3) == "PNG");
    CHECK(big_endian(png, 16) == 900);
    CHECK(big_endian(png, 20) == 500);
    CHECK(big_endian(canvas.png(2), 16) == 1800);
    canvas.save(folder.path / "a.svg");
    CHECK(contains(read_file(folder.path / "a.svg"), "<svg"));
  }
}

TEST_CASE("figures: charts without data, and with too little") {
  CHECK_NOTHROW(draw(LinePlot{}).png());
  CHECK_NOTHROW(draw(LinePlot{.series = {{"", {}, {}}}, .log_y = true}).png());
  CHECK_NOTHROW(draw(LinePlot{.series = {{"point", {5}, {5}}}}).png());
  CHECK_NOTHROW(draw(LinePlot{.series = {{"token \xff\n", {0, 1}, {-3, -3}}}}).png());
  CHECK(contains(message_of([] {
                   draw(LinePlot{.title = "t", .series = {{"s", {1, 2}, {1}}}});
                 }),
                 "series \"s\" has 2 x and 1 y"));
  CHECK_THROWS_AS(draw(LinePlot{.width = 30, .height = 30}), std::invalid_argument);
}

TEST_CASE("figures: an unwritable file is named") {
  const Canvas canvas(10, 10);
  for (const char* name : {"/nonexistent/figure.png", "/nonexistent/figure.svg"}) {
    const std::string message = message_of([&] { canvas.save(name); });
    CHECK(contains(message, name));
    CHECK(contains(message, "No such file or directory"));
  }
  CHECK(contains(message_of([&] { canvas.save("figure.bmp"); }), "figure.bmp"));
  CHECK(contains(message_of([&] { canvas.png(1e6); }), "32767"));
}

TEST_CASE("figures: cells keep hard edges and their colours") {
  Canvas canvas(40, 20);
  draw_cells(canvas, {.rows = 1, .cols = 2, .values = {0, 0.4f}}, {10, 5}, 10);
  const RgbImage image = canvas.rgb();
  CHECK(int(image.at(10, 5)[0]) == 0);
  CHECK(int(image.at(19, 14)[2]) == 0);
  CHECK(int(image.at(20, 5)[1]) == 102);
  CHECK(int(image.at(29, 14)[0]) == 102);
  CHECK(int(image.at(0, 0)[0]) == 255);
}

TEST_CASE("figures: a sheet of any size is filled to its last pixel") {
  const RgbImage image = Canvas(20.4, 10.2).rgb();
  CHECK(image.width == 21);
  CHECK(image.height == 11);
  for (const std::uint8_t part : image.pixels) CHECK(int(part) == 255);
}

TEST_CASE("figures: a band lies behind the chart, and dots are joined by nothing") {
  LinePlot plot{.series = {{"line", {0, 100}, {0, 0}}}, .x_min = 0, .x_max = 100, .y_min = 0, .y_max = 1};
  const auto differing = [](const Canvas& a, const Canvas& b) {
    const RgbImage x = a.rgb(), y = b.rgb();
    REQUIRE(x.width == y.width);
    std::pair<int, int> columns{x.width, -1};
    for (int row = 0; row < x.height; ++row)
      for (int i = 0; i < x.width; ++i)
        if (!std::equal(x.at(i, row), x.at(i, row) + 3, y.at(i, row)))
          columns = {std::min(columns.first, i), std::max(columns.second, i)};
    return columns;
  };
  LinePlot marked = plot;
  marked.band = Band{0, 50, ""};
  const auto [first, last] = differing(draw(plot), draw(marked));
  CHECK(first < 100);
  CHECK(std::abs(last - (first + 860) / 2) < 60);  // half of the chart's width
  LinePlot dots = plot;
  dots.series.push_back({.name = "", .x = {40, 60}, .y = {0.5, 0.5}, .dots = true, .color = 0});
  LinePlot joined = dots;
  joined.series[1].dots = false;
  const RgbImage x = draw(dots).rgb(), y = draw(joined).rgb();
  const auto ink = [](const RgbImage& image) {
    return std::count_if(image.pixels.begin(), image.pixels.end(), [](auto part) { return part < 50; });
  };
  CHECK(ink(y) > ink(x) + 200);
}

TEST_CASE("figures: panels with wide cells, numbered axes and a colour bar for each row") {
  const auto panel = [](int rows, int cols) {
    return Panel{
        .rows = rows, .cols = cols, .values = std::vector<float>(static_cast<std::size_t>(rows * cols))};
  };
  PanelGrid grid{.rows = {{panel(8, 10)}, {panel(16, 10)}}, .cell = 6};
  const Canvas plain = draw(grid);
  grid.aspect = 2;
  CHECK(draw(grid).width() == plain.width() + 60);
  CHECK(draw(grid).height() == plain.height());
  grid.row_bars = true;
  const double with_bars = draw(grid).width();
  CHECK(with_bars > plain.width() + 60 + 14);
  for (auto& row : grid.rows) row[0].first_row = 100;
  CHECK(draw(grid).width() > with_bars + 10);  // room for the numbers
  grid.rows[1][0].first_column = 1;
  CHECK(draw(grid).height() > plain.height() + 10);
}

TEST_CASE("figures: panels flow, and the cell size follows the figure's width") {
  const auto panel = [](int rows, int cols) {
    return Panel{.title = "p",
                 .x_label = "time",
                 .y_label = "location",
                 .rows = rows,
                 .cols = cols,
                 .values = std::vector<float>(static_cast<std::size_t>(rows * cols))};
  };
  PanelGrid grid{.title = "Copy", .column_titles = {"Write phase", "Read phase"}, .color_bar = true};
  grid.rows = {{panel(8, 10), panel(8, 20), panel(8, 50)}, {panel(8, 120)}};
  grid.rows[1][0].marks = {
      box(1, 2, 3, 4), {Mark::Shape::arrow, {{5, 12}, {5, 8}}}, {Mark::Shape::dots, {{1, 1}}}};
  const Canvas canvas = draw(grid);
  CHECK(canvas.width() <= 900);
  CHECK(canvas.width() > 120 * 5);
  CHECK_NOTHROW(canvas.png());
  CHECK_THROWS_AS(draw(PanelGrid{}), std::invalid_argument);
  Panel words = panel(2, 2);
  words.row_names = {"the", "cat"};
  words.column_names = {"die", "Katze"};
  CHECK_NOTHROW(draw(words).png());
}

TEST_CASE("figures: an animation has its frames") {
  const Folder folder;
  std::vector<Frame> frames;
  for (int i = 0; i < 5; ++i) {
    Canvas canvas(60, 40);
    canvas.text({5, 20}, "step " + std::to_string(i / 2));  // two equal frames follow each other
    frames.push_back({canvas.rgb(), 120});
  }
  const fs::path file = folder.path / "a.gif";
  save_gif(file, frames);
  int error = 0;
  GifFileType* gif_file = DGifOpenFileName(file.c_str(), &error);
  REQUIRE(gif_file != nullptr);
  CHECK(DGifSlurp(gif_file) == GIF_OK);
  CHECK(gif_file->ImageCount == 5);
  CHECK(gif_file->SWidth == 60);
  CHECK(gif_file->SHeight == 40);
  GraphicsControlBlock control;
  CHECK(DGifSavedExtensionToGCB(gif_file, 3, &control) == GIF_OK);
  CHECK(control.DelayTime == 12);
  CHECK(gif_file->SavedImages[1].ImageDesc.Width == 1);  // unchanged
  CHECK(gif_file->SavedImages[2].ImageDesc.Width < 60);  // only what changed
  DGifCloseFile(gif_file, &error);

  CHECK(contains(message_of([&] { save_gif("/nonexistent/a.gif", frames); }), "/nonexistent/a.gif"));
  frames.push_back({RgbImage(3, 3), 100});
  CHECK_THROWS_AS(gif(frames), std::invalid_argument);
  CHECK_THROWS_AS(gif({}), std::invalid_argument);
}

#else

TEST_CASE("figures: a build without Cairo says so") {
  CHECK(!figures_available());
  CHECK(contains(message_of([] { draw(LinePlot{}); }), "no Cairo"));
  CHECK(contains(message_of([] { gif({}); }), "no Cairo and giflib"));
}

#endif
