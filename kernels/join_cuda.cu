#include "fovea/kernels/cuda_packs.h"
#include "fovea/kernels/join.h"

namespace fovea {
namespace {

constexpr std::size_t most_parts = 128;  // 2 KiB of a kernel's arguments

// Where parts lie, and where they begin in the result, in units of what a thread copies.
struct Parts {
  const void* data[most_parts];
  Index begin[most_parts + 1];
};

template <class Unit>
__global__ void copy_parts(Parts parts, Unit* to) {
  const auto* from = static_cast<const Unit*>(parts.data[blockIdx.y]);
  const Index begin = parts.begin[blockIdx.y], n = parts.begin[blockIdx.y + 1] - begin;
  for (Index i = Index(blockIdx.x) * blockDim.x + threadIdx.x; i < n; i += Index(gridDim.x) * blockDim.x)
    to[begin + i] = from[i];
}

Index bytes_of(const View& part) { return part.numel() * static_cast<Index>(size_of(part.dtype)); }

template <class Unit>
void copied(Cuda d, std::span<const View> parts, void* to) {
  Parts all{};
  Index longest = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Index n = bytes_of(parts[i]) / static_cast<Index>(sizeof(Unit));
    all.data[i] = parts[i].data;
    all.begin[i + 1] = all.begin[i] + n;
    longest = std::max(longest, n);
  }
  if (longest == 0) return;
  const dim3 blocks(
      static_cast<unsigned>(std::min((longest + block_threads - 1) / block_threads, most_blocks)),
      static_cast<unsigned>(parts.size()));
  launch(d, copy_parts<Unit>, blocks, block_threads, 0, all, static_cast<Unit*>(to));
}

}  // namespace

void join(Cuda d, std::span<const View> parts, const View& to) {
  auto* at = to.as<std::byte>();
  while (!parts.empty()) {
    const auto some = parts.first(std::min(parts.size(), most_parts));
    parts = parts.subspan(some.size());
    Index bytes = 0;
    std::uintptr_t bits = reinterpret_cast<std::uintptr_t>(at);  // 16 bytes a thread where all lie so
    for (const View& part : some) {
      bits |= reinterpret_cast<std::uintptr_t>(part.data) | static_cast<std::uintptr_t>(bytes_of(part));
      bytes += bytes_of(part);
    }
    if (bits % 16 == 0)
      copied<detail::Access<unsigned, 4>>(d, some, at);
    else if (bits % 4 == 0)
      copied<unsigned>(d, some, at);
    else
      copied<unsigned char>(d, some, at);
    at += bytes;
  }
}

}  // namespace fovea
