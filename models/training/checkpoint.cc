#include "fovea/models/training/checkpoint.h"

#include <nlohmann/json.hpp>
#include <system_error>

#include "fovea/core/safetensors.h"

namespace fovea {
namespace {

constexpr int version = 1;

// The lists of tensors with the words that their names start with in the file.
template <class C, class F>
void each_part(C& c, F&& f) {
  f(std::string("model."), c.model);
  f(std::string("optimizer."), c.optimizer);
  f(std::string("extra."), c.extra);
}

}  // namespace

void save_checkpoint(const std::filesystem::path& folder, const Checkpoint& c) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  require(!error, "checkpoint", "cannot make the folder ", folder.string(), ": ", error.message());
  nlohmann::json run{{"version", version}, {"step", c.step}, {"generators", nlohmann::json::object()}};
  for (const auto& [name, s] : c.generators) run["generators"][name] = {s.seed, s.stream, s.offset};
  std::vector<NamedTensor> tensors;
  each_part(c, [&](const std::string& prefix, const std::vector<NamedTensor>& part) {
    for (const NamedTensor& t : part) tensors.push_back({prefix + t.name, t.tensor});
  });
  save_safetensors(folder / checkpoint_file, tensors,
                   {{"format", "pt"}, {"fovea_checkpoint", run.dump()}, {"fovea_meta", c.meta}});
}

Checkpoint load_checkpoint(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / checkpoint_file;
  require(has_checkpoint(folder), "checkpoint", "there is none in ", folder.string(), ": ", path.string(),
          " does not exist");
  const SafetensorsFile file(path);
  const auto described = file.metadata().find("fovea_checkpoint"), meta = file.metadata().find("fovea_meta");
  require(described != file.metadata().end() && meta != file.metadata().end(), "checkpoint", path.string(),
          " holds weights but is no checkpoint");
  Checkpoint c;
  c.meta = meta->second;
  try {
    const auto run = nlohmann::json::parse(described->second);
    require(run.at("version") == version, "checkpoint", path.string(), " is of version ",
            run.at("version").dump(), "; this program reads version ", version);
    c.step = run.at("step").get<Index>();
    for (const auto& [name, s] : run.at("generators").items())
      c.generators[name] = {s.at(0).get<std::uint64_t>(), s.at(1).get<std::uint64_t>(),
                            s.at(2).get<std::uint64_t>()};
  } catch (const nlohmann::json::exception& e) {
    fail("checkpoint", path.string(), ": its metadata 'fovea_checkpoint' is damaged: ", e.what());
  }
  for (const std::string& name : file.names()) {
    bool known = false;
    each_part(c, [&](const std::string& prefix, std::vector<NamedTensor>& part) {
      if (name.compare(0, prefix.size(), prefix) != 0) return;
      part.push_back({name.substr(prefix.size()), file.get(name)});
      known = true;
    });
    require(known, "checkpoint", path.string(), ": '", name, "' is no part of a checkpoint");
  }
  return c;
}

bool has_checkpoint(const std::filesystem::path& folder) {
  std::error_code error;
  return std::filesystem::exists(folder / checkpoint_file, error);
}

}  // namespace fovea
