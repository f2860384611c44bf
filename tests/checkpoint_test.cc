#include "fovea/models/training/checkpoint.h"

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "fovea/core/safetensors.h"
#include "fovea/core/tape.h"
#include "fovea/models/layers/lstm.h"
#include "fovea/models/layers/weights_file.h"
#include "fovea/models/training/optimizer.h"
#include "fovea/ops/reduce.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

namespace fs = std::filesystem;

struct Folder {
  fs::path path = fs::temp_directory_path() / cat("fovea_checkpoint_test_", getpid());
  Folder() { fs::remove_all(path); }
  ~Folder() { fs::remove_all(path); }
};

// A run whose state is all of model, optimizer and generators.
struct Run {
  Generator random, data;
  Lstm lstm;
  Adam adam;
  Index step = 0;
  explicit Run(std::uint64_t seed)
      : random(seed),
        data(seed, 1),
        lstm({.input_size = 3, .hidden_size = 5, .num_layers = 2, .dropout = 0.3}, random),
        adam(flatten(lstm), {.lr = 0.01}) {
    training_mode(lstm, random);
  }
  void train() {
    Tape tape;
    tape.backward(sum(lstm.forward(rand_normal({2, 4, 3}, data)).output));
    adam.set_lr(0.01 / static_cast<double>(++step));
    adam.step();
  }
  Checkpoint checkpoint() {
    return {.step = step,
            .model = named_tensors(lstm),
            .optimizer = adam.state(),
            .extra = {{"order", Tensor::from(std::vector<std::int32_t>{2, 0, 1}, {3})}},
            .generators = {{"random", random.state()}, {"data", data.state()}},
            .meta = R"({"task":"copy","loss":[1.5,0.25]})"};
  }
  void resume(const Checkpoint& c) {
    step = c.step;
    load_tensors(lstm, c.model);
    adam.load_state(c.optimizer);
    random.set_state(c.generators.at("random"));
    data.set_state(c.generators.at("data"));
  }
};

std::string bytes_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST_CASE("checkpoint: a resumed run is the uninterrupted one, bit for bit") {
  Folder folder;
  Run whole(7), first(7), second(8);
  for (int i = 0; i < 6; ++i) whole.train();
  for (int i = 0; i < 3; ++i) first.train();
  CHECK(!has_checkpoint(folder.path));
  save_checkpoint(folder.path, first.checkpoint());
  CHECK(has_checkpoint(folder.path));
  const Checkpoint c = load_checkpoint(folder.path);
  CHECK(c.meta == R"({"task":"copy","loss":[1.5,0.25]})");
  CHECK(c.extra.at(0).name == "order");
  CHECK(c.extra.at(0).tensor.values<std::int32_t>()[0] == 2);
  second.train();
  second.resume(c);
  for (int i = 0; i < 3; ++i) second.train();
  const auto a = named_tensors(whole.lstm), b = named_tensors(second.lstm);
  for (std::size_t i = 0; i < a.size(); ++i) CHECK(difference(a[i].tensor, b[i].tensor) == 0);
  CHECK(whole.random.state() == second.random.state());
}

TEST_CASE("checkpoint: the old one survives a failed write") {
  Folder folder;
  Run run(1);
  save_checkpoint(folder.path, run.checkpoint());
  const std::string before = bytes_of(folder.path / checkpoint_file);
  run.train();
  // A limit on file sizes acts as a full disk does: writing fails half-way.
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{2000, old.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  check_throws([&] { save_checkpoint(folder.path, run.checkpoint()); }, {folder.path.string()});
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  CHECK(bytes_of(folder.path / checkpoint_file) == before);
  CHECK(std::distance(fs::directory_iterator(folder.path), {}) == 1);  // nothing is left lying about
  save_checkpoint(folder.path, run.checkpoint());
  CHECK(load_checkpoint(folder.path).step == 1);
}

TEST_CASE("checkpoint: errors name the path") {
  Folder folder;
  check_throws([&] { load_checkpoint(folder.path); },
               {"[checkpoint]", folder.path.string(), "does not exist"});
  Run run(1);
  std::ofstream(folder.path) << "a file where the folder should be";
  check_throws([&] { save_checkpoint(folder.path, run.checkpoint()); }, {folder.path.string()});
  fs::remove(folder.path);
  fs::create_directories(folder.path / checkpoint_file);  // and a folder where the file should be
  check_throws([&] { save_checkpoint(folder.path, run.checkpoint()); }, {folder.path.string()});
  fs::remove(folder.path / checkpoint_file);
  save_parameters(run.lstm, folder.path / checkpoint_file);
  check_throws([&] { load_checkpoint(folder.path); }, {folder.path.string(), "no checkpoint"});
  save_safetensors(folder.path / checkpoint_file, {},
                   {{"fovea_checkpoint", R"({"version":1,"step":"x"})"}, {"fovea_meta", "{}"}});
  check_throws([&] { load_checkpoint(folder.path); }, {folder.path.string(), "damaged"});
  save_safetensors(folder.path / checkpoint_file, {},
                   {{"fovea_checkpoint", R"({"version":2})"}, {"fovea_meta", "{}"}});
  check_throws([&] { load_checkpoint(folder.path); }, {folder.path.string(), "version 2"});
  save_checkpoint(folder.path, run.checkpoint());
  const std::string whole = bytes_of(folder.path / checkpoint_file);
  const auto cut = [&](std::size_t size) {
    std::ofstream(folder.path / checkpoint_file, std::ios::binary) << whole.substr(0, size);
    return [&] { load_checkpoint(folder.path); };
  };
  const std::string file = (folder.path / checkpoint_file).string();
  check_throws(cut(3), {file, "truncated: the file has 3 bytes"});
  check_throws(cut(20), {file, "truncated: the file has 20 bytes, its header alone ends at "});
  check_throws(cut(whole.size() - 1), {file, cat("truncated: the file has ", whole.size() - 1,
                                                 " bytes, its header says ", whole.size())});
  std::ofstream(folder.path / checkpoint_file) << "This is text and nothing else.";
  check_throws([&] { load_checkpoint(folder.path); }, {file, "this is no safetensors file"});
}

}  // namespace
}  // namespace fovea::tests
