#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "fovea/core/generator.h"
#include "fovea/core/idx.h"
#include "fovea/core/npy.h"
#include "fovea/core/npz.h"
#include "fovea/core/safetensors.h"
#include "tests/errors.h"
#include "tests/test_dir.h"

// Every reader, given a file that is not what it should be, throws Error and does nothing else.

namespace {

namespace fs = std::filesystem;
using namespace fovea;
using fovea::tests::contains;

struct Format {
  std::string name;
  std::vector<std::string> endings;
  std::function<void(const fs::path&)> read;  // all that is in the file
};

const std::vector<Format> formats = {
    {"safetensors",
     {".safetensors"},
     [](const fs::path& path) {
       const SafetensorsFile file(path);
       for (const auto& name : file.names()) file.get(name);
     }},
    {"npy", {".npy"}, [](const fs::path& path) { load_npy(path); }},
    {"npz",
     {".npz"},
     [](const fs::path& path) {
       const NpzFile file(path);
       for (const auto& name : file.names()) file.get(name);
     }},
    {"idx", {".idx", ".gz"}, [](const fs::path& path) { load_idx(path); }},
};

const fs::path here = fovea::tests::test_dir();

std::string content_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string error_of(const Format& format, const fs::path& path) {
  return fovea::tests::error_of([&] { format.read(path); });
}

}  // namespace

TEST_CASE("malformed files throw an error that names the file") {
  for (const auto& format : formats) {
    int files = 0;
    for (const auto& file : fs::directory_iterator(here / "corpus" / format.name)) {
      CAPTURE(file.path());
      const std::string error = error_of(format, file.path());
      CAPTURE(error);
      CHECK(error.starts_with("[" + format.name + "] " + file.path().string()));
      ++files;
    }
    CHECK(files >= 10);
  }
}

TEST_CASE("what cannot be opened is said so") {
  const fs::path folder = fs::temp_directory_path();
  for (const auto& format : formats) {
    CHECK(contains(error_of(format, folder / "no-such-file"), "No such file"));
    CHECK(contains(error_of(format, folder), "is a directory"));
    CHECK(contains(error_of(format, "/dev/null"), "not a regular file"));
    CHECK(contains(error_of(format, ""), "No such file"));
  }
}

TEST_CASE("valid files with bytes changed, cut and doubled are read or refused") {
  const fs::path path = fs::temp_directory_path() / ("fovea-mutation-" + std::to_string(::getpid()));
  Generator random(2024);
  for (const auto& format : formats)
    for (const auto& file : fs::directory_iterator(here / "golden" / "formats")) {
      if (std::find(format.endings.begin(), format.endings.end(), file.path().extension()) ==
          format.endings.end())
        continue;
      const std::string valid = content_of(file.path());
      CHECK(!valid.empty());
      const auto place = [&] { return random.below(static_cast<std::uint32_t>(valid.size())); };
      int refused = 0;
      for (int i = 0; i < 200; ++i) {
        std::string content = valid;
        for (std::uint32_t n = 1 + random.below(4); n-- > 0;)
          content[place()] = static_cast<char>(random.below(4) ? random.bits() : 0xff * random.below(2));
        if (random.below(8) == 0) content.resize(place());
        if (random.below(8) == 0) content.insert(place() % (content.size() + 1), valid.substr(place()));
        fs::remove(path);  // some file systems wait for the disk when a file is written over
        std::ofstream(path, std::ios::binary) << content;
        refused += error_of(format, path) != "";
      }
      CHECK(refused > 0);
    }
  fs::remove(path);
}
