#include "fovea/models/text/characters.h"

#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "fovea/core/byte_reader.h"
#include "fovea/core/utf8.h"
#include "fovea/models/text/tokenizer_file.h"

namespace fovea {
namespace {

Vocabulary characters_of(std::string_view text) {
  require_utf8(text, "characters", "the text");
  std::set<char32_t> all;
  for (std::size_t at = 0; at < text.size();) all.insert(next_code_point(text, at));
  std::vector<std::string> tokens;
  for (const char32_t c : all) append_utf8(tokens.emplace_back(), c);
  return Vocabulary(std::move(tokens), "");
}

}  // namespace

Characters::Characters(std::string_view text) : Characters(characters_of(text)) {}

Characters::Characters(Vocabulary vocabulary) : vocabulary_(std::move(vocabulary)) {
  for (std::size_t i = 0; i < vocabulary_.size(); ++i) {
    const std::string& token = vocabulary_.tokens()[i];
    std::size_t at = 0;
    ids_.emplace(next_code_point(token, at), static_cast<std::int32_t>(i));
    require(at == token.size(), "characters", "token ", i, ", ", in_quotes(token),
            ", is more than one character");
  }
}

std::vector<std::int32_t> Characters::encode(std::string_view text) const {
  require_utf8(text, "characters", "the text");
  std::vector<std::int32_t> out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t from = at;
    const auto id = ids_.find(next_code_point(text, at));
    require(id != ids_.end(), "characters", in_quotes(text.substr(from, at - from)), " at offset ", from,
            " is none of the ", size(), " characters");
    out.push_back(id->second);
  }
  return out;
}

std::string Characters::decode(std::span<const std::int32_t> ids) const {
  std::string out;
  for (const std::int32_t id : ids) out += vocabulary_.token(id);
  return out;
}

Characters Characters::load(const std::filesystem::path& path) {
  return Characters(Vocabulary::load(path, ""));
}

void Characters::save_tokenizer(const std::filesystem::path& folder) const {
  using Json = nlohmann::ordered_json;
  Json ids = Json::object();
  for (const std::string& token : vocabulary_.tokens()) ids[token] = vocabulary_.id(token);
  const Json split{
      {"type", "Split"}, {"pattern", {{"Regex", "[\\s\\S]"}}}, {"behavior", "Isolated"}, {"invert", false}};
  const Json file{{"version", "1.0"},
                  {"added_tokens", Json::array()},
                  {"normalizer", nullptr},
                  {"pre_tokenizer", split},
                  {"post_processor", nullptr},
                  {"decoder", {{"type", "Fuse"}}},
                  {"model", {{"type", "WordLevel"}, {"vocab", ids}, {"unk_token", "<unk>"}}}};
  write_tokenizer(folder, file.dump(), "characters");
}

std::optional<Characters> Characters::load_tokenizer(const std::filesystem::path& folder) {
  std::optional<std::vector<std::string>> tokens = read_characters(folder);
  if (!tokens) return {};
  return Characters(Vocabulary(std::move(*tokens), ""));
}

}  // namespace fovea
