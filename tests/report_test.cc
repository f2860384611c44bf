#include "tools/report/report.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <bit>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tools/figures/file.h"
#include "tools/report/csv_log.h"
#include "tools/report/progress.h"
#include "tools/report/record.h"
#include "tools/report/tensorboard.h"

namespace {

using namespace fovea::tools;
namespace fs = std::filesystem;
using std::string;
using std::string_view;

// A folder that goes away with the test.
struct Folder {
  fs::path path;
  Folder() {
    string name = (fs::temp_directory_path() / "fovea-report-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

template <class F>
string message_of(F&& f) {
  try {
    f();
  } catch (const std::exception& e) {
    return e.what();
  }
  return "(nothing was thrown)";
}

bool contains(string_view text, string_view part) { return text.find(part) != text.npos; }

// The start of a PNG file of 3 x 2 pixels: signature and header.
constexpr char png_bytes[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\3\0\0\0\2\x08\2\0\0\0\0\0\0\0";
const string png_head(png_bytes, sizeof png_bytes - 1);

template <class T>
T little_endian(string_view bytes) {
  REQUIRE(bytes.size() >= sizeof(T));
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

std::vector<string> records_of(string_view file) {
  std::vector<string> out;
  while (!file.empty()) {
    const auto length = little_endian<std::uint64_t>(file);
    CHECK(little_endian<std::uint32_t>(file.substr(8)) == masked_crc32c(file.substr(0, 8)));
    REQUIRE(length + 16 <= file.size());
    out.emplace_back(file.substr(12, length));
    CHECK(little_endian<std::uint32_t>(file.substr(12 + length)) == masked_crc32c(out.back()));
    file.remove_prefix(16 + length);
  }
  return out;
}

// The fields of a protocol buffer message, each as its raw bytes (a varint as its value's eight).
std::map<std::uint32_t, string> fields_of(string_view wire) {
  const auto varint = [&] {
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      REQUIRE(!wire.empty());
      const auto byte = static_cast<unsigned char>(wire[0]);
      wire.remove_prefix(1);
      value |= std::uint64_t(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  std::map<std::uint32_t, string> out;
  while (!wire.empty()) {
    const std::uint64_t key = varint();
    std::uint64_t value = 0;
    string bytes;
    if ((key & 7) == 0) {
      value = varint();
      bytes.assign(reinterpret_cast<const char*>(&value), 8);
    } else {
      const std::uint64_t n = (key & 7) == 1 ? 8 : (key & 7) == 5 ? 4 : varint();
      REQUIRE(n <= wire.size());
      bytes = wire.substr(0, n);
      wire.remove_prefix(n);
    }
    out[static_cast<std::uint32_t>(key >> 3)] = bytes;
  }
  return out;
}

// Everything written to a pipe by `f(descriptor)`.
template <class F>
string written_by(F&& f) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  f(ends[1]);
  ::close(ends[1]);
  string out;
  char block[4096];
  for (ssize_t n; (n = ::read(ends[0], block, sizeof block)) > 0;)
    out.append(block, static_cast<std::size_t>(n));
  ::close(ends[0]);
  return out;
}

}  // namespace

TEST_CASE("report: CRC-32C") {
  CHECK(crc32c("") == 0);
  CHECK(crc32c("123456789") == 0xE3069283u);
  // RFC 3720, B.4.
  CHECK(crc32c(string(32, '\0')) == 0x8A9136AAu);
  CHECK(crc32c(string(32, '\xff')) == 0x62A8AB43u);
  string rising, falling;
  for (int i = 0; i < 32; ++i) {
    rising += static_cast<char>(i);
    falling += static_cast<char>(31 - i);
  }
  CHECK(crc32c(rising) == 0x46DD794Eu);
  CHECK(crc32c(falling) == 0x113FDB5Cu);
}

TEST_CASE("report: TensorBoard events read back") {
  const Folder folder;
  fs::path first, second;
  {
    TensorBoardWriter writer(folder.path / "new" / "folder");
    writer.scalar("train/loss", 300, 0.25);
    writer.image("figure", 1LL << 40, png_head);
    first = writer.path();
    TensorBoardWriter again(folder.path / "new" / "folder", 299);
    second = again.path();
    CHECK(first != second);
    CHECK_THROWS_AS(writer.image("figure", 1, "GIF89a"), std::invalid_argument);
  }
  CHECK(first.filename().string().starts_with("events.out.tfevents."));
  const auto records = records_of(read_file(first));
  REQUIRE(records.size() == 3);
  auto event = fields_of(records[0]);
  CHECK(event[3] == "brain.Event:2");
  CHECK(std::bit_cast<double>(little_endian<std::uint64_t>(event[1])) > 1.6e9);

  event = fields_of(records[1]);
  CHECK(little_endian<std::uint64_t>(event[2]) == 300);
  auto value = fields_of(fields_of(event[5])[1]);
  CHECK(value[1] == "train/loss");
  CHECK(std::bit_cast<float>(little_endian<std::uint32_t>(value[2])) == 0.25f);

  event = fields_of(records[2]);
  CHECK(little_endian<std::uint64_t>(event[2]) == std::uint64_t{1} << 40);
  auto picture = fields_of(fields_of(fields_of(event[5])[1])[4]);
  CHECK(little_endian<std::uint64_t>(picture[1]) == 2);
  CHECK(little_endian<std::uint64_t>(picture[2]) == 3);
  CHECK(picture[4] == png_head);

  const auto resumed = records_of(read_file(second));
  REQUIRE(resumed.size() == 2);
  event = fields_of(resumed[1]);
  CHECK(little_endian<std::uint64_t>(event[2]) == 300);
  CHECK(event.contains(7));

  write_file(folder.path / "file", "");
  CHECK(contains(message_of([&] { TensorBoardWriter writer(folder.path / "file"); }),
                 (folder.path / "file").string()));
}

TEST_CASE("report: csv rows, and what a resume keeps") {
  const Folder folder;
  const fs::path file = folder.path / "metrics.csv";
  {
    CsvLog log(file, {"loss", "error"});
    log.append(10, {0.1, std::nullopt});
    log.append(20, {1e-7, 3.0});
    CHECK(read_file(file) == "step,loss,error\n10,0.1,\n20,1e-07,3\n");  // on disk at once
    log.append(30, {std::nan(""), -INFINITY});
    CHECK_THROWS_AS(log.append(40, {1.0}), std::invalid_argument);
  }
  write_file(file, read_file(file) + "40,0.");  // cut off while it was written
  {
    CsvLog log(file, {"loss", "error"}, 20);
    log.append(21, {2.0, 2.5});
  }
  CHECK(read_file(file) == "step,loss,error\n10,0.1,\n20,1e-07,3\n21,2,2.5\n");
  CHECK(contains(message_of([&] { CsvLog(file, {"loss"}, 20); }), file.string()));
  CHECK(contains(message_of([&] { CsvLog(file, {"loss"}, 20); }), "\"step,loss,error\""));
  CsvLog(folder.path / "fresh.csv", {"loss"}, 20);
  CHECK(read_file(folder.path / "fresh.csv") == "step,loss\n");
  CsvLog(file, {"loss"});
  CHECK(read_file(file) == "step,loss\n");
  CHECK_THROWS_AS(CsvLog(file, {"a,b"}), std::invalid_argument);
  write_file(file, "step,loss\nten,1\n");
  CHECK(contains(message_of([&] { CsvLog(file, {"loss"}, 20); }), "line 2"));
  CHECK(contains(message_of([&] { CsvLog("/nonexistent/m.csv", {"loss"}); }), "/nonexistent/m.csv"));
}

TEST_CASE("report: a full disk is an error that names the file") {
  const Folder folder;
  const fs::path file = folder.path / "metrics.csv";
  // A limit on the size of files stands in for a full disk.
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  CsvLog log(file, {"loss"});
  TensorBoardWriter events(folder.path);
  rlimit small = before;
  small.rlim_cur = 256;
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const string row = message_of([&] {
    for (int i = 0; i < 100; ++i) log.append(i, {0.125});
  });
  const string event = message_of([&] {
    for (int i = 0; i < 100; ++i) events.scalar("loss", i, 0.125);
  });
  const string page = message_of([&] { write_file(folder.path / "report.html", string(1000, 'x')); });
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, handler);
  log.append(100, {0.5});  // what was written in part is gone, and the log goes on
  const string csv = read_file(file);
  CHECK(csv.ends_with(",0.125\n100,0.5\n"));
  CHECK(records_of(read_file(events.path())).size() > 1);
  CHECK(contains(row, file.string()));
  CHECK(contains(row, "too large"));
  CHECK(contains(event, events.path().string()));
  CHECK(contains(page, "report.html"));
  CHECK(std::distance(fs::directory_iterator(folder.path), {}) == 2);  // no half-written page
}

TEST_CASE("report: base64") {
  CHECK(base64("") == "");
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64("\xff\xfe\xfd") == "//79");
}

TEST_CASE("report: the page holds everything it shows") {
  const Folder folder;
  Report report("NTM <copy>");
  report.section("Metrics");
  report.table({{"bits & pieces", "a \"quote\""}});
  report.figure(png_head, "Figure 4");
  write_file(folder.path / "a.gif", "GIF89a...");
  report.figure_file(folder.path / "a.gif", "Animation");
  report.save(folder.path / "report.html");
  const string html = read_file(folder.path / "report.html");
  CHECK(contains(html, "data:image/png;base64," + base64(png_head)));
  CHECK(contains(html, "data:image/gif;base64," + base64("GIF89a...")));
  CHECK(contains(html, "<h1>NTM &lt;copy&gt;</h1>"));
  CHECK(contains(html, "bits &amp; pieces"));
  CHECK(contains(html, "<td>a &quot;quote&quot;</td>"));
  CHECK(contains(html, "<figcaption>Figure 4</figcaption>"));
  CHECK(!contains(html, "http"));
  CHECK_THROWS_AS(report.figure("text", "x"), std::invalid_argument);
  CHECK(contains(message_of([&] { report.figure_file(folder.path / "none.png", "x"); }), "none.png"));
  CHECK(contains(message_of([&] { report.save("/nonexistent/report.html"); }), "/nonexistent/report.html"));
}

TEST_CASE("report: durations") {
  CHECK(duration_text(0.4) == "0s");
  CHECK(duration_text(59.4) == "59s");
  CHECK(duration_text(59.6) == "1m00s");
  CHECK(duration_text(185) == "3m05s");
  CHECK(duration_text(7620) == "2h07m");
  CHECK(duration_text(4 * 86400 + 3 * 3600) == "4d03h");
  CHECK(duration_text(INFINITY) == "?");
}

TEST_CASE("report: progress writes few plain lines where there is no terminal") {
  const string out = written_by([](int descriptor) {
    Progress progress("train", 1000000, {.descriptor = descriptor});
    for (std::uint64_t i = 1; i <= 1000000; ++i) progress.update(i, "loss 0.5\n");
    progress.stage("drawing figures");
    progress.stage("drawing more figures");
    progress.finish();
    progress.update(3);
    progress.stage("late");
  });
  CHECK(out.starts_with("train  drawing figures\ntrain  1,000,000 in "));
  CHECK(contains(out, "loss 0.5 \n"));
  CHECK(!contains(out, "\x1b"));
  CHECK(!contains(out, "late"));
}

TEST_CASE("report: progress draws a bar on a terminal") {
  const auto drawn = [](bool color) {
    return written_by([&](int descriptor) {
      Progress progress(
          "train", 200,
          {.start = 50, .descriptor = descriptor, .bar = true, .color = color, .bar_interval = {}});
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      progress.update(100, "loss 0.5");
      progress.stage("saving");
    });
  };
  const string plain = drawn(false), coloured = drawn(true);
  CHECK(contains(plain, "\rtrain  50% "));
  CHECK(contains(plain, "100/200"));
  CHECK(contains(plain, "ETA"));
  CHECK(contains(plain, "loss 0.5"));
  CHECK(contains(plain, "saving"));
  CHECK(!contains(plain, "\x1b[32m"));
  CHECK(contains(coloured, "\x1b[32m"));
  CHECK(plain.ends_with("\n"));  // the destructor finished it
}

TEST_CASE("report: progress is quiet when told, and survives a stderr that is gone") {
  CHECK(written_by([](int descriptor) {
          Progress progress("train", 10, {.quiet = true, .descriptor = descriptor});
          progress.update(10);
        }).empty());
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  ::close(ends[0]);  // writing would raise SIGPIPE
  {
    Progress progress("train", 10, {.descriptor = ends[1], .bar = true, .bar_interval = {}});
    progress.update(1);
    progress.finish();
  }
  ::close(ends[1]);
  Progress closed("train", 10, {.descriptor = ends[1], .bar = true});
  closed.update(1);
  closed.finish();
}
