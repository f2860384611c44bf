#include "fovea/models/data/loader.h"

#include <doctest/doctest.h>
#include <omp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "fovea/core/memory.h"
#include "fovea/core/tape.h"
#include "fovea/models/data/digits.h"
#include "fovea/models/data/scenes.h"
#include "fovea/ops/create.h"
#include "fovea/ops/views.h"

namespace {

using namespace fovea;
using Indices = std::vector<Index>;

/// A batch that tells what it was made of: the indices, and the epoch.
Loader::Batch describe(std::span<const Index> indices, Index epoch) {
  Tensor numbers = Tensor::empty({static_cast<Index>(indices.size())}, DType::i32);
  std::transform(indices.begin(), indices.end(), numbers.mutable_data<std::int32_t>(),
                 [](Index i) { return static_cast<std::int32_t>(i); });
  return {numbers, full({1}, static_cast<double>(epoch))};
}

/// The indices of the next `batches` batches, and -1 - epoch before each.
Indices trace(Loader& loader, Index batches) {
  Indices out;
  for (Index i = 0; i < batches; ++i) {
    const Loader::Batch batch = loader.next();
    out.push_back(-1 - static_cast<Index>(batch[1].item()));
    for (std::int32_t n : batch[0].values<std::int32_t>()) out.push_back(n);
  }
  return out;
}

Loader make(Index count, const LoaderOptions& options, std::uint64_t seed = 1) {
  return Loader(count, describe, options, Generator(seed));
}

std::string error_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const std::exception& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("loader: every sample once an epoch, in a new order") {
  for (int prefetch : {0, 1, 3}) {
    Loader loader = make(10, {.batch_size = 4, .prefetch = prefetch});
    CHECK(loader.batches_per_epoch() == 3);
    std::vector<Indices> epochs;
    for (Index epoch = 0; epoch < 3; ++epoch) {
      Indices all;
      for (Index i = 0; i < 3; ++i) {
        CHECK(loader.epoch() == epoch);
        CHECK(loader.position() == i);
        const Loader::Batch batch = loader.next();
        CHECK(batch[0].numel() == (i < 2 ? 4 : 2));
        CHECK(batch[1].item() == static_cast<float>(epoch));
        for (std::int32_t n : batch[0].values<std::int32_t>()) all.push_back(n);
      }
      epochs.push_back(all);
      std::sort(all.begin(), all.end());
      CHECK(all == Indices{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
      CHECK(epochs.back() != all);  // one of 10! orders is sorted
    }
    CHECK(epochs[0] != epochs[1]);
    CHECK(epochs[1] != epochs[2]);
  }
}

TEST_CASE("loader: unshuffled, the last batch kept or dropped") {
  Loader kept = make(5, {.batch_size = 2, .shuffle = false});
  CHECK(trace(kept, 4) == Indices{-1, 0, 1, -1, 2, 3, -1, 4, -2, 0, 1});
  Loader dropped = make(5, {.batch_size = 2, .shuffle = false, .drop_last = true});
  CHECK(dropped.batches_per_epoch() == 2);
  CHECK(trace(dropped, 3) == Indices{-1, 0, 1, -1, 2, 3, -2, 0, 1});
  Loader one = make(3, {.batch_size = 8, .shuffle = false});
  CHECK(trace(one, 2) == Indices{-1, 0, 1, 2, -2, 0, 1, 2});
}

TEST_CASE("loader: the same batches however many are made ahead") {
  Loader reference = make(23, {.batch_size = 4, .prefetch = 0});
  const Indices expected = trace(reference, 20);
  for (int prefetch : {1, 2, 7}) {
    Loader loader = make(23, {.batch_size = 4, .prefetch = prefetch});
    CHECK(trace(loader, 20) == expected);
  }
  Loader other = make(23, {.batch_size = 4}, 2);
  CHECK(trace(other, 20) != expected);

  const LabelledImages digits = draw_digits(50, Generator(1));
  const auto scenes = [&](std::span<const Index> indices, Index epoch) {
    const auto made = cluttered(digits, indices, {}, Generator(7, static_cast<std::uint64_t>(epoch)));
    return Loader::Batch{to_unit(made.images), made.labels};
  };
  Loader ahead(50, scenes, {.batch_size = 8, .prefetch = 3}, Generator(1));
  Loader asked(50, scenes, {.batch_size = 8, .prefetch = 0}, Generator(1));
  for (int i = 0; i < 15; ++i) {
    const auto a = ahead.next(), b = asked.next();
    CHECK(std::ranges::equal(a[0].values<float>(), b[0].values<float>()));
    CHECK(std::ranges::equal(a[1].values<std::int32_t>(), b[1].values<std::int32_t>()));
  }
}

TEST_CASE("loader: goes on from a saved state") {
  for (int prefetch : {0, 2}) {
    Loader first = make(11, {.batch_size = 3, .prefetch = prefetch});
    trace(first, 6);  // in the middle of the second epoch
    const Generator::State state = first.state();
    const Indices rest = trace(first, 9);
    Loader second = make(11, {.batch_size = 3, .prefetch = 2 - prefetch}, 99);
    trace(second, 2);
    second.set_state(state);
    CHECK(second.epoch() == 1);
    CHECK(second.position() == 2);
    CHECK(trace(second, 9) == rest);
    CHECK(second.state() == first.state());
  }
}

TEST_CASE("loader: what the function throws comes out, and the batch is tried again") {
  for (int prefetch : {0, 1, 4}) {
    int failures = 2;
    Loader loader(
        6,
        [&](std::span<const Index> indices, Index epoch) {
          if (indices[0] == 2 && failures-- > 0) throw std::out_of_range("no picture 2");
          return describe(indices, epoch);
        },
        {.batch_size = 2, .shuffle = false, .prefetch = prefetch}, Generator(1));
    CHECK(trace(loader, 1) == Indices{-1, 0, 1});
    CHECK(error_of([&] { loader.next(); }) == "no picture 2");
    CHECK_THROWS_AS(loader.next(), std::out_of_range);
    CHECK(loader.position() == 1);
    CHECK(trace(loader, 2) == Indices{-1, 2, 3, -1, 4, 5});
  }
}

TEST_CASE("loader: no more batches than wanted are made ahead") {
  std::atomic<int> made = 0;
  Loader loader(
      100,
      [&](std::span<const Index> indices, Index epoch) {
        ++made;
        return describe(indices, epoch);
      },
      {.batch_size = 1, .prefetch = 3}, Generator(1));
  CHECK(made == 0);
  loader.next();
  for (int i = 0; i < 200 && made < 4; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  CHECK(made == 4);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK(made == 4);
}

TEST_CASE("loader: left half-way, moved, and outlived by its batches") {
  Loader::Batch kept;
  {
    Loader loader = make(100, {.batch_size = 5, .shuffle = false, .prefetch = 4});
    Loader moved = std::move(loader);
    kept = moved.next();
    moved.next();
    moved = make(4, {.batch_size = 2, .shuffle = false});
    CHECK(trace(moved, 1) == Indices{-1, 0, 1});
    Loader never_asked = make(3, {});
  }
  CHECK(kept[0].at({4}) == 4);
}

TEST_CASE("loader: the function runs apart from tapes, on one core") {
  Tape tape;
  std::atomic<bool> recorded = true;
  std::atomic<int> cores = 0;
  Loader loader(
      2,
      [&](std::span<const Index> indices, Index epoch) {
        recorded = Tape::current() != nullptr;
        cores = omp_get_max_threads();
        return describe(indices, epoch);
      },
      {}, Generator(1));
  loader.next();
  CHECK_FALSE(recorded);
  CHECK(cores == 1);
}

TEST_CASE("loader: views and missing tensors pass") {
  const Tensor all = full({6, 4}, 1.5);
  Loader loader(
      3,
      [&](std::span<const Index>, Index) {
        return Loader::Batch{transpose(all, 0, 1), Tensor(), slice(all, 0, 1, 3)};
      },
      {}, Generator(1));
  const Loader::Batch batch = loader.next();
  CHECK(batch[0].shape() == Shape{4, 6});
  CHECK(batch[0].contiguous());
  CHECK_FALSE(batch[1].defined());
  CHECK(batch[2].at({1, 3}) == 1.5);
}

TEST_CASE("loader: a long run takes no more memory than a short one") {
  Loader loader(
      64,
      [](std::span<const Index> indices, Index) {
        const Tensor scratch = full({64, 1024}, 1);
        return Loader::Batch{full({static_cast<Index>(indices.size()), 1024}, 2), scratch};
      },
      {.batch_size = 32, .prefetch = 3}, Generator(1));
  std::vector<Loader::Batch> window;  // the caller holds some, and lets them go in another order
  const auto run = [&](int batches) {
    for (int i = 0; i < batches; ++i) {
      window.push_back(loader.next());
      if (window.size() > 3) window.erase(window.begin() + i % 3);
    }
    return memory_stats().reserved;
  };
  const std::size_t before = run(50);
  const std::size_t after = run(1000);
  CHECK(after <= before + 4 * 400 * 1024);  // a few batches, where 1,000 would be 400 MB
}

TEST_CASE("loader: what it does not take") {
  CHECK_THROWS_WITH(make(0, {}), "[loader] there are no samples");
  CHECK_THROWS_WITH(make(1, {.batch_size = 0}), "[loader] a batch size of 0 is no size");
  CHECK_THROWS_WITH(make(1, {.prefetch = -1}), "[loader] cannot prefetch -1 batches");
  CHECK_THROWS_WITH(
      make(3, {.batch_size = 4, .drop_last = true}),
      "[loader] all 3 samples do not fill a batch of 4; use a smaller batch or keep the last one");
  CHECK_THROWS_AS(make(Index{1} << 32, {}), Error);
}
