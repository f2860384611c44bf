#include "fovea/models/text/word_piece.h"

#include <algorithm>
#include <utility>

#include "fovea/core/byte_reader.h"
#include "fovea/core/utf8.h"

namespace fovea {
namespace {

std::size_t characters(std::string_view word) {
  return static_cast<std::size_t>(std::count_if(
      word.begin(), word.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

WordPiece::WordPiece(WordPieceFile file)
    : file_(std::move(file)),
      origin_(file_.path.empty() ? "" : file_.path + ": "),
      added_(file_.added, "word_piece") {
  for (std::size_t i = 0; i < file_.vocabulary.size(); ++i) {
    const std::string& token = file_.vocabulary[i];
    if (token.empty()) continue;
    const auto id = static_cast<std::int32_t>(i);
    const auto [at, is_new] = ids_.try_emplace(token, id);
    require(is_new, "word_piece", origin_, "tokens ", at->second, " and ", i, " are both ", in_quotes(token));
    if (token.starts_with(file_.prefix)) inside_.emplace(token.substr(file_.prefix.size()), id);
    longest_ = std::max(longest_, token.size());
  }
  unknown_ = id(file_.unknown);
  begin_ = id(file_.begin);
  end_ = id(file_.end);
}

std::int32_t WordPiece::id(std::string_view token) const {
  const auto at = ids_.find(token);
  require(at != ids_.end(), "word_piece", origin_, "the vocabulary of ", size(), " tokens has no ",
          in_quotes(token));
  return at->second;
}

const std::string& WordPiece::token(std::int32_t id) const {
  require(id >= 0 && static_cast<std::size_t>(id) < size(), "word_piece", "there is no id ", id, " among ",
          size());
  return file_.vocabulary[static_cast<std::size_t>(id)];
}

void WordPiece::add_word(std::string_view word, std::vector<std::int32_t>& out) const {
  if (word.size() > file_.longest && characters(word) > file_.longest) {
    out.push_back(unknown_);
    return;
  }
  const std::size_t before = out.size();
  for (std::size_t from = 0; from < word.size();) {
    const auto& known = from == 0 ? ids_ : inside_;
    // A shorter piece may end inside of a character, but no token does.
    std::size_t length = std::min(word.size() - from, longest_);
    auto at = known.end();
    for (; length > 0 && at == known.end(); --length) at = known.find(word.substr(from, length));
    if (at == known.end()) {
      out.resize(before);
      out.push_back(unknown_);
      return;
    }
    out.push_back(at->second);
    from += length + 1;
  }
}

std::vector<std::int32_t> WordPiece::ids(std::string_view text) const {
  require_utf8(text, "word_piece", "the text");
  std::vector<std::int32_t> out;
  added_.split(
      text,
      [&](std::string_view part) {
        for (const std::string& word : bert_words(part, file_.words)) add_word(word, out);
      },
      [&](std::int32_t id) { out.push_back(id); });
  return out;
}

BertInput WordPiece::encode(std::string_view text, std::size_t most) const {
  require(most == 0 || most >= 2, "word_piece", "in ", most, " ids there is no room for ", file_.begin,
          " and ", file_.end);
  std::vector<std::int32_t> a = ids(text);
  if (most > 0) a.resize(std::min(a.size(), most - 2));
  BertInput out;
  out.ids.reserve(a.size() + 2);
  out.ids.push_back(begin_);
  out.ids.insert(out.ids.end(), a.begin(), a.end());
  out.ids.push_back(end_);
  out.segments.assign(out.ids.size(), 0);
  return out;
}

BertInput WordPiece::encode(std::string_view a, std::string_view b, std::size_t most) const {
  require(most == 0 || most >= 3, "word_piece", "in ", most, " ids there is no room for ", file_.begin,
          " and two ", file_.end);
  const std::vector<std::int32_t> first = ids(a), second = ids(b);
  std::size_t n = first.size(), m = second.size();
  if (most > 0 && n + m > most - 3) {
    // The longer one is cut down to the other, then both alike; of an odd number the longer one keeps one
    // more.
    const std::size_t room = most - 3;
    std::size_t& shorter = n <= m ? n : m;
    std::size_t& longer = n <= m ? m : n;
    longer = std::max(shorter, room - std::min(room, shorter));
    if (shorter + longer > room) {
      shorter = room / 2;
      longer = shorter + room % 2;
    }
  }
  BertInput out;
  out.ids.push_back(begin_);
  out.ids.insert(out.ids.end(), first.begin(), first.begin() + static_cast<std::ptrdiff_t>(n));
  out.ids.push_back(end_);
  out.segments.assign(out.ids.size(), 0);
  out.ids.insert(out.ids.end(), second.begin(), second.begin() + static_cast<std::ptrdiff_t>(m));
  out.ids.push_back(end_);
  out.segments.resize(out.ids.size(), 1);
  return out;
}

std::string WordPiece::decode(std::span<const std::int32_t> ids) const {
  std::string out;
  for (const std::int32_t id : ids) {
    const AddedToken* added = added_.find(id);
    if (added && added->special) continue;
    const std::string& piece = token(id);
    const bool inside = piece.starts_with(file_.prefix) && piece.size() > file_.prefix.size();
    const bool closes =
        piece.size() == 1 && std::string_view(".,!?").find(piece[0]) != std::string_view::npos;
    if (!out.empty() && !inside && !closes) out += ' ';
    out += inside ? std::string_view(piece).substr(file_.prefix.size()) : std::string_view(piece);
  }
  return out;
}

}  // namespace fovea
