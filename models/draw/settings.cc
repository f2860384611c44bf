#include "fovea/models/draw/learner.h"

namespace fovea::draw {
namespace {

// The pictures of each task, and what a run of some minutes to an hour learns them with; then table 3 of the
// paper, as far as it has the task. Steps are updates of 100 pictures.
struct Sizes {
  Index glimpses, hidden, latent, read_size, write_size;
};
struct TaskRow {
  const char *name, *about;
  Index side, channels;
  Sizes small, paper;
  Index paper_steps;
};
constexpr TaskRow tasks[] = {
    {"mnist", "digits, in black and white", 28, 1, {10, 256, 10, 5, 5}, {64, 256, 100, 2, 5}, 50000},
    {"two-digits", "two digits anywhere on 60x60", 60, 1, {16, 256, 20, 5, 5}, {64, 256, 100, 2, 5}, 100000},
    {"cifar", "photographs in colour, 32x32", 32, 3, {16, 256, 50, 5, 5}, {64, 400, 200, 5, 5}, 100000},
    {"cluttered",
     "names the digit on 100x100 among pieces of others",
     100,
     1,
     {8, 256, 10, 12, 12},
     {8, 256, 10, 12, 12},
     50000}};

const TaskRow& row_of(const std::string& task) { return row_named("draw", "task", tasks, task); }

}  // namespace

std::vector<std::string> task_names() { return names_of(tasks); }

std::string about(const std::string& task) { return row_of(task).about; }

Settings settings_for(const std::string& task, const std::string& preset) {
  const TaskRow& row = row_of(task);
  const bool paper = chosen<bool>("draw", "preset", preset, {{"default", false}, {"paper", true}});
  const Sizes& sizes = paper ? row.paper : row.small;
  Settings s;
  s.task = task;
  s.model = task == "cluttered" ? "classifier" : "draw";
  s.height = s.width = row.side;
  s.channels = row.channels;
  s.glimpses = sizes.glimpses;
  s.hidden = sizes.hidden;
  s.latent = sizes.latent;
  s.read_size = sizes.read_size;
  s.write_size = sizes.write_size;
  if (row.channels > 1) s.pixels = "grey";
  s.batch_size = 100;
  s.lr = paper ? 3e-4 : s.classifies() ? 1e-3 : 2e-3;
  s.schedule = paper ? "constant" : "cooldown";
  s.clip_norm = 5;
  s.steps = paper ? row.paper_steps : 15000;
  return s;
}

}  // namespace fovea::draw
