#include "fovea/models/stn/learner.h"

namespace fovea::stn {
namespace {

struct TaskRow {
  const char *name, *about, *placement, *kind;
};
constexpr TaskRow tasks[] = {
    {"cluttered", "a digit anywhere on 60x60 among pieces of others", "image", "affine"},
    {"r", "a digit turned by up to 90 degrees", "image", "affine"},
    {"rts", "a digit turned, scaled and moved on 42x42", "image", "affine"},
    {"p", "a digit in perspective", "image", "projective"},
    {"e", "a digit warped elastically", "image", "tps"},
    {"addition", "the sum of two digits in a channel each, through two transformers", "parallel", "affine"}};

const TaskRow& row_of(const std::string& task) { return row_named("stn", "task", tasks, task); }

}  // namespace

std::vector<std::string> task_names() { return names_of(tasks); }

std::string about(const std::string& task) { return row_of(task).about; }

Settings settings_for(const std::string& task, const std::string& net, const std::string& preset) {
  const TaskRow& row = row_of(task);
  const bool from_paper = chosen<bool>("stn", "preset", preset, {{"default", false}, {"paper", true}});
  Settings s;
  s.task = task;
  s.net = net;
  s.placement = row.placement;
  s.kind = row.kind;
  s.batch_size = 64;
  if (task == "addition") s.lr = 0.002;
  // Adam's first steps are as long as its later ones: at the full rate theta leaves the picture at once.
  s.loc_lr_mult = 0.3;
  s.clip_norm = 5;
  if (from_paper) {
    s.optimizer = "sgd";
    s.lr = 0.01;
    s.schedule = "constant";
    s.batch_size = 256;
    s.clip_norm = 0;
    s.loc_lr_mult = 1;
    s.steps = 150000;
  }
  return s;
}

}  // namespace fovea::stn
