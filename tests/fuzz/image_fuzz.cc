#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "fovea/core/memory.h"
#include "fovea/models/images/read_image.h"

// Reads a picture; anything but success or Error is a defect.

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  static const int file = memfd_create("fuzz", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  if (ftruncate(file, 0) != 0 || pwrite(file, data, size, 0) != static_cast<ssize_t>(size)) std::abort();
  try {
    const fovea::Tensor t = fovea::read_image(path, {.most_pixels = 1 << 22});
    if (t.at({t.size(0) - 1, t.size(1) - 1, t.size(2) - 1}) > 255) std::abort();
  } catch (const fovea::Error&) {
  }
  fovea::release_cached_memory();  // else blocks come from the pool, where a sanitizer sees no bounds
  return 0;
}
