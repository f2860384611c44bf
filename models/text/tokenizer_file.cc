#include "fovea/models/text/tokenizer_file.h"

#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>

#include "fovea/core/atomic_file.h"
#include "fovea/core/byte_reader.h"
#include "fovea/core/gzip.h"
#include "fovea/core/utf8.h"
#include "fovea/models/text/word_piece_vocabulary.h"

namespace fovea {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr std::uint64_t longest_file = std::uint64_t{1} << 28;

/// Ids may have gaps, but a file does not decide how much memory they take.
std::int64_t most_id(std::size_t tokens) { return 2 * static_cast<std::int64_t>(tokens) + 1024; }

/// A value of a JSON file, which knows where it stands: "tokenizer.json: model.vocab".
class Node {
 public:
  Node(const json& value, std::string file, std::string field = "")
      : value_(value), file_(std::move(file)), field_(std::move(field)) {}

  template <class... Parts>
  [[noreturn]] void fail(const Parts&... parts) const {
    fovea::fail("tokenizer", file_, ": ", field_.empty() ? "the file" : field_, " ", parts...);
  }
  template <class... Parts>
  void check(bool ok, const Parts&... parts) const {
    if (!ok) fail(parts...);
  }

  bool has(const char* key) const {
    return value_.is_object() && value_.contains(key) && !value_[key].is_null();
  }
  /// A member; its absence is an error.
  Node at(const char* key) const {
    check(value_.is_object(), "is no object");
    check(value_.contains(key), "has no ", key);
    return Node(value_[key], file_, field_.empty() ? key : cat(field_, ".", key));
  }
  Node item(std::size_t i) const {
    check(i < items(), "has no item ", i);
    return Node(value_[i], file_, cat(field_, "[", i, "]"));
  }

  const std::string& text() const {
    check(value_.is_string(), "is no string");
    return value_.get_ref<const std::string&>();
  }
  bool boolean(const char* key, bool otherwise) const {
    if (!has(key)) return otherwise;
    const Node node = at(key);
    node.check(node.value_.is_boolean(), "is neither true nor false");
    return node.value_.get<bool>();
  }
  std::int64_t count(std::int64_t most) const {
    check(value_.is_number_integer(), "is no whole number");
    const bool fits = value_.is_number_unsigned()
                          ? value_.get<std::uint64_t>() <= static_cast<std::uint64_t>(most)
                          : value_.get<std::int64_t>() >= 0;
    check(fits, "is ", value_.dump(), ", not 0 to ", most);
    return value_.get<std::int64_t>();
  }
  std::size_t items() const {
    check(value_.is_array(), "is no list");
    return value_.size();
  }
  const json& object() const {
    check(value_.is_object(), "is no object");
    return value_;
  }
  std::string type() const { return has("type") ? at("type").text() : ""; }
  const json& value() const { return value_; }

 private:
  const json& value_;
  std::string file_, field_;
};

json parse(const fs::path& path) {
  const std::string text = read_text(path, longest_file, "tokenizer");
  try {
    return json::parse(text);
  } catch (const json::parse_error& e) {
    const std::string_view what = e.what();
    fail("tokenizer", path.string(), ": no JSON at offset ", e.byte > 0 ? e.byte - 1 : 0, ": ",
         in_quotes(what.substr(std::min(what.size(), what.rfind(": ") + 2))));
  } catch (const json::out_of_range&) {
    fail("tokenizer", path.string(), ": has a number that is too large");
  }
}

/// The lines of a text file, without their ends.
std::vector<std::string> lines_of(const fs::path& path) {
  const std::string text = read_text(path, longest_file, "tokenizer");
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = std::string_view(text).substr(at, end - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    require_utf8(line, "tokenizer", cat(path.string(), ": line ", lines.size() + 1));
    lines.emplace_back(line);
    at = end + 1;
  }
  return lines;
}

void put(std::vector<std::string>& vocabulary, const Node& where, std::int64_t id, const std::string& token) {
  const auto i = static_cast<std::size_t>(id);
  if (i >= vocabulary.size()) vocabulary.resize(i + 1);
  where.check(vocabulary[i].empty() || vocabulary[i] == token, "gives id ", id, " to ",
              in_quotes(vocabulary[i]), " and to ", in_quotes(token));
  vocabulary[i] = token;
}

std::vector<std::string> vocabulary_of(const Node& node) {
  std::vector<std::string> out;
  for (const auto& [token, id] : node.object().items()) {
    node.check(!token.empty(), "has an empty token");
    const std::int64_t most = most_id(node.object().size());
    const bool fits = id.is_number_unsigned() && id.get<std::uint64_t>() <= static_cast<std::uint64_t>(most);
    node.check(fits, "gives ", in_quotes(token), " the id ", in_quotes(id.dump()), ", not 0 to ", most);
    put(out, node, id.get<std::int64_t>(), token);
  }
  node.check(!out.empty(), "is empty");
  return out;
}

/// Added tokens, which may extend the vocabulary.
std::vector<AddedToken> added_of(const Node& file, std::vector<std::string>& vocabulary,
                                 bool has_normalizer) {
  std::vector<AddedToken> out;
  if (!file.has("added_tokens")) return out;
  const Node list = file.at("added_tokens");
  for (std::size_t i = 0; i < list.items(); ++i) {
    const Node entry = list.item(i);
    AddedToken token;
    token.content = entry.at("content").text();
    token.id = static_cast<std::int32_t>(entry.at("id").count(most_id(vocabulary.size())));
    token.single_word = entry.boolean("single_word", false);
    token.left_strip = entry.boolean("lstrip", false);
    token.right_strip = entry.boolean("rstrip", false);
    token.special = entry.boolean("special", false);
    entry.check(!token.content.empty(), "has an empty content");
    entry.check(!has_normalizer || !entry.boolean("normalized", false),
                "is to be found in the normalized text, which Fovea does not do");
    put(vocabulary, entry, token.id, token.content);
    out.push_back(std::move(token));
  }
  return out;
}

/// Throws unless a part of the file is of one of these types, "" standing for a part that is not there.
void check_type(const Node& file, const char* part, std::initializer_list<std::string_view> known) {
  const std::string type = file.has(part) ? file.at(part).type() : "";
  if (std::find(known.begin(), known.end(), type) != known.end()) return;
  if (file.has(part)) file.at(part).fail("is of type ", in_quotes(type), ", which Fovea does not know here");
  file.fail("has no ", part);
}

void check_absent(const Node& node, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    if (!node.has(key)) continue;
    const json& value = node.at(key).value();
    const bool off = value == false || value == "" || (value.is_number() && value == 0);
    node.at(key).check(off, "is ", in_quotes(value.dump()), ", which Fovea does not know here");
  }
}

/// [CLS] and [SEP], whatever they are called, from the part that puts them around a text.
void read_template(const Node& file, WordPieceFile& out) {
  if (!file.has("post_processor")) return;
  const Node post = file.at("post_processor");
  if (post.type() == "BertProcessing") {
    out.begin = post.at("cls").item(0).text();
    out.end = post.at("sep").item(0).text();
    return;
  }
  const Node single = post.at("single");
  const bool three = single.items() == 3 && single.item(0).has("SpecialToken") &&
                     single.item(1).has("Sequence") && single.item(2).has("SpecialToken");
  single.check(three, "is not a token, a text and a token");
  out.begin = single.item(0).at("SpecialToken").at("id").text();
  out.end = single.item(2).at("SpecialToken").at("id").text();
}

WordPieceFile word_piece_json(const fs::path& path) {
  const json tree = parse(path);
  const Node file(tree, path.string());
  const Node model = file.at("model");
  check_type(file, "model", {"WordPiece", ""});
  check_type(file, "normalizer", {"BertNormalizer"});
  check_type(file, "pre_tokenizer", {"BertPreTokenizer"});
  check_type(file, "post_processor", {"TemplateProcessing", "BertProcessing", ""});
  WordPieceFile out;
  out.vocabulary = vocabulary_of(model.at("vocab"));
  if (model.has("unk_token")) out.unknown = model.at("unk_token").text();
  if (model.has("continuing_subword_prefix")) out.prefix = model.at("continuing_subword_prefix").text();
  if (model.has("max_input_chars_per_word"))
    out.longest = static_cast<std::size_t>(model.at("max_input_chars_per_word").count(1 << 20));
  const Node normalizer = file.at("normalizer");
  out.words.clean = normalizer.boolean("clean_text", true);
  out.words.split_chinese = normalizer.boolean("handle_chinese_chars", true);
  out.words.lower = normalizer.boolean("lowercase", true);
  out.words.strip_accents = normalizer.boolean("strip_accents", out.words.lower);
  read_template(file, out);
  out.added = added_of(file, out.vocabulary, true);
  return out;
}

WordPieceFile word_piece_text(const fs::path& path) {
  WordPieceFile out = word_piece_of(lines_of(path));
  for (std::size_t i = 0; i < out.vocabulary.size(); ++i)
    require(!out.vocabulary[i].empty(), "tokenizer", path.string(), ": line ", i + 1, " is empty");
  const fs::path config = path.parent_path() / "tokenizer_config.json";
  std::error_code error;
  if (fs::exists(config, error)) {
    const json tree = parse(config);
    const Node file(tree, config.string());
    file.object();
    out.words.lower = file.boolean("do_lower_case", true);
    out.words.strip_accents = file.boolean("strip_accents", out.words.lower);
    out.words.split_chinese = file.boolean("tokenize_chinese_chars", true);
  }
  return out;
}

/// A folder's file: the first of these names that is there; the path itself when it is no folder.
fs::path find(const fs::path& path, std::initializer_list<const char*> names) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return path;
  for (const char* name : names)
    if (fs::exists(path / name, error)) return path / name;
  std::string all;
  for (const char* name : names) (all += all.empty() ? "" : " nor ") += name;
  fail("tokenizer", path.string(), " has neither ", all);
}

std::vector<std::pair<std::string, std::string>> merges_of(const Node& list) {
  std::vector<std::pair<std::string, std::string>> out;
  for (std::size_t i = 0; i < list.items(); ++i) {
    const Node entry = list.item(i);
    if (entry.value().is_array()) {
      entry.check(entry.items() == 2, "is no pair");
      out.emplace_back(entry.item(0).text(), entry.item(1).text());
    } else {
      const std::string& text = entry.text();
      const std::size_t space = text.find(' ');
      entry.check(space != text.npos && text.find(' ', space + 1) == text.npos, "is ", in_quotes(text),
                  ", no pair");
      out.emplace_back(text.substr(0, space), text.substr(space + 1));
    }
  }
  return out;
}

ByteBpeFile byte_bpe_json(const fs::path& path) {
  const json tree = parse(path);
  const Node file(tree, path.string());
  const Node model = file.at("model");
  check_type(file, "model", {"BPE", ""});
  check_type(file, "normalizer", {""});
  check_type(file, "pre_tokenizer", {"ByteLevel"});
  check_type(file, "post_processor", {"ByteLevel", "TemplateProcessing", ""});
  if (file.has("post_processor") && file.at("post_processor").type() == "TemplateProcessing") {
    const Node single = file.at("post_processor").at("single");
    single.check(single.items() == 1 && single.item(0).has("Sequence"),
                 "puts tokens around a text, which Fovea does not know here");
  }
  check_absent(model, {"dropout", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback"});
  const Node pre = file.at("pre_tokenizer");
  pre.check(pre.boolean("use_regex", true), "does not use GPT-2's pattern");
  ByteBpeFile out;
  out.add_prefix_space = pre.boolean("add_prefix_space", true);
  out.ignore_merges = model.boolean("ignore_merges", false);
  out.vocabulary = vocabulary_of(model.at("vocab"));
  out.merges = merges_of(model.at("merges"));
  out.added = added_of(file, out.vocabulary, false);
  return out;
}

ByteBpeFile byte_bpe_text(const fs::path& path) {
  const json tree = parse(path);
  ByteBpeFile out;
  out.vocabulary = vocabulary_of(Node(tree, path.string()));
  const fs::path merges = path.parent_path() / "merges.txt";
  const std::vector<std::string> lines = lines_of(merges);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i == 0 && lines[i].starts_with("#version")) continue;
    const std::size_t space = lines[i].find(' ');
    require(space != std::string::npos && lines[i].find(' ', space + 1) == std::string::npos, "tokenizer",
            merges.string(), ": line ", i + 1, ": ", in_quotes(lines[i]), " is no pair");
    out.merges.emplace_back(lines[i].substr(0, space), lines[i].substr(space + 1));
  }
  const auto at = std::find(out.vocabulary.begin(), out.vocabulary.end(), "<|endoftext|>");
  if (at != out.vocabulary.end())
    out.added.push_back({.content = *at, .id = static_cast<std::int32_t>(at - out.vocabulary.begin())});
  return out;
}

}  // namespace

WordPieceFile read_word_piece(const fs::path& path) {
  const fs::path file = find(path, {"tokenizer.json", "vocab.txt"});
  WordPieceFile out = file.extension() == ".json" ? word_piece_json(file) : word_piece_text(file);
  out.path = file.string();
  return out;
}

ByteBpeFile read_byte_bpe(const fs::path& path) {
  const fs::path file = find(path, {"tokenizer.json", "vocab.json"});
  return file.filename() == "vocab.json" ? byte_bpe_text(file) : byte_bpe_json(file);
}

std::optional<std::vector<std::string>> read_characters(const fs::path& path) {
  const fs::path name = find(path, {"tokenizer.json", "vocab.json"});
  if (name.filename() == "vocab.json") return {};
  const json tree = parse(name);
  const Node file(tree, name.string());
  if (file.at("model").type() != "WordLevel") return {};
  check_type(file, "normalizer", {""});
  check_type(file, "pre_tokenizer", {"Split"});
  check_type(file, "post_processor", {""});
  check_type(file, "decoder", {"Fuse"});
  const Node pre = file.at("pre_tokenizer");
  pre.check(pre.at("pattern").at("Regex").text() == R"([\s\S])" && pre.at("behavior").text() == "Isolated" &&
                !pre.boolean("invert", false),
            "does not split a text into characters");
  if (file.has("added_tokens"))
    file.at("added_tokens").check(file.at("added_tokens").items() == 0, "are there; Fovea knows none here");
  const Node vocabulary = file.at("model").at("vocab");
  std::vector<std::string> out = vocabulary_of(vocabulary);
  for (std::size_t i = 0; i < out.size(); ++i)
    vocabulary.check(code_points(out[i]).size() == 1, "gives id ", i, " to ", in_quotes(out[i]),
                     ", which is not one character");
  return out;
}

void write_tokenizer(const fs::path& folder, const std::string& content, const char* op) {
  write_atomically(folder / "tokenizer.json", content + "\n", op);
  write_atomically(folder / "tokenizer_config.json",
                   "{\n  \"tokenizer_class\": \"PreTrainedTokenizerFast\",\n"
                   "  \"clean_up_tokenization_spaces\": false\n}\n",
                   op);
}

}  // namespace fovea
