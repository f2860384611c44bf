#include "fovea/core/atomic_file.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>

#include "fovea/core/error.h"
#include "fovea/core/gzip.h"
#include "fovea/core/npz.h"
#include "fovea/core/safetensors.h"
#include "tests/errors.h"

#ifdef __linux__
#include <sys/mount.h>
#endif

namespace {

namespace fs = std::filesystem;
using namespace fovea;
using fovea::tests::contains;
using fovea::tests::error_of;

struct TemporaryFolder {
  fs::path path = fs::temp_directory_path() / ("fovea-atomic-" + std::to_string(::getpid()));
  TemporaryFolder() { fs::create_directory(path); }
  ~TemporaryFolder() { fs::remove_all(path); }
};

/// While it lives, no file of this process can become longer than `bytes`.
struct FileSizeLimit {
  rlimit before{};
  void (*handler)(int);
  explicit FileSizeLimit(rlim_t bytes) : handler(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before);
    const rlimit limit{bytes, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
  }
};

int files_in(const fs::path& folder) {
  return static_cast<int>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

/// Every writer meets the error `reason` half-way; `path` keeps its old content and gets no neighbour.
void check_all_writers(const fs::path& path, const std::string& reason) {
  const Tensor large = Tensor::empty({100000}, DType::u8);
  std::fill_n(static_cast<std::uint8_t*>(Tensor(large).raw_mutable()), large.numel(), std::uint8_t{1});
  write_atomically(path, "old");
  const int before = files_in(path.parent_path());
  const auto check = [&](auto&& write) {
    const std::string error = error_of(write);
    CHECK(contains(error, path.string()));
    CHECK(contains(error, reason));
    CHECK(read_text(path) == "old");
    CHECK(files_in(path.parent_path()) == before);
  };
  check([&] { write_atomically(path, std::string(100000, 'x')); });
  check([&] { save_safetensors(path, {{"large", large}}); });
  check([&] { save_npz(path, {{"large", large}}); });
}

}  // namespace

TEST_CASE("atomic file: the name changes hands at commit, and not before") {
  const TemporaryFolder folder;
  const fs::path path = folder.path / "file";
  write_atomically(path, "old");
  {
    AtomicFile file(path);
    file.write("new");
    CHECK(file.size() == 3);
    CHECK(read_text(path) == "old");
    file.commit();
    CHECK(read_text(path) == "new");
    CHECK_THROWS_AS(file.commit(), Error);
    CHECK_THROWS_AS(file.write("more"), Error);
  }
  { AtomicFile(path).write("abandoned"); }
  CHECK(read_text(path) == "new");
  CHECK(files_in(folder.path) == 1);
}

TEST_CASE("atomic file: the old file's permissions are kept") {
  const TemporaryFolder folder;
  const fs::path path = folder.path / "file";
  write_atomically(path, "old");
  fs::permissions(path, fs::perms(0640));
  write_atomically(path, "new");
  CHECK(fs::status(path).permissions() == fs::perms(0640));
}

TEST_CASE("atomic file: a write error leaves the old file and no other") {
  const TemporaryFolder folder;
  const FileSizeLimit limit(50000);
  check_all_writers(folder.path / "file", "File too large");
}

#ifdef __linux__
TEST_CASE("atomic file: a full disk leaves the old file and no other") {
  const TemporaryFolder folder;
  if (::mount("tmpfs", folder.path.c_str(), "tmpfs", 0, "size=64k") != 0) {
    MESSAGE("skipped: no file system can be mounted here");
    return;
  }
  check_all_writers(folder.path / "file", "No space left on device");
  CHECK(::umount(folder.path.c_str()) == 0);
}

TEST_CASE("atomic file: a device is written straight to") {
  CHECK(contains(error_of([] { write_atomically("/dev/full", "x"); }), "/dev/full: No space left on device"));
  CHECK(error_of([] { write_atomically("/dev/null", "x"); }).empty());
  CHECK(!fs::is_regular_file("/dev/null"));
}
#endif

TEST_CASE("atomic file: what cannot be written is said so") {
  const TemporaryFolder folder;
  CHECK(contains(error_of([&] { write_atomically(folder.path, "x"); }), "Is a directory"));
  CHECK(contains(error_of([&] { write_atomically(folder.path / "no" / "x", "x"); }), "No such file"));
  CHECK(contains(error_of([&] { write_atomically("", "x"); }), "cannot write"));
}

TEST_CASE("atomic file: bytes that are written can be replaced before the end") {
  const TemporaryFolder folder;
  AtomicFile file(folder.path / "file");
  file.write("hello world");
  const auto put = [&](std::uint64_t at, std::string_view text) {
    return error_of([&] { file.overwrite(at, std::as_bytes(std::span(text))); });
  };
  CHECK(put(0, "J") == "");
  CHECK(put(6, "there") == "");
  CHECK(contains(put(7, "there"), "bytes 7 to 12 of 11"));
  CHECK(contains(put(12, ""), "bytes 12 to 12 of 11"));
  file.write("!");
  file.commit();
  CHECK(read_text(folder.path / "file") == "Jello there!");
  CHECK(contains(put(0, "x"), "already complete"));
#ifdef __linux__
  AtomicFile device("/dev/null");
  device.write("x");
  CHECK(contains(error_of([&] { device.overwrite(0, {}); }), "/dev/null is a device or a pipe"));
#endif
}
