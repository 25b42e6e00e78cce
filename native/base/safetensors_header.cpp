#include "native/base/safetensors_header.h"

#include <cstdio>
#include <set>

namespace daf::internal {
namespace {

constexpr size_t kMaxRank = 8;
constexpr size_t kMaxEntries = 65536;

class Parser {
 public:
  Parser(const char* text, size_t size) : at_(text), begin_(text), end_(text + size) {}

  Status Run(std::vector<HeaderEntry>* entries, std::map<std::string, std::string>* metadata) {
    std::set<std::string> seen;
    if (!Take('{')) return Bad("expected an object");
    if (!Take('}')) {
      do {
        std::string key;
        if (!String(&key)) return Bad("expected a name in quotes");
        if (!seen.insert(key).second) return Bad("the name \"" + key + "\" occurs twice");
        if (!Take(':')) return Bad("expected ':' after \"" + key + "\"");
        if (key == "__metadata__") {
          if (!Metadata(metadata)) return Bad("__metadata__ must be an object of strings");
          continue;
        }
        if (entries->size() == kMaxEntries) return Bad("more than 65536 tensors");
        HeaderEntry entry;
        entry.name = key;
        if (!Entry(&entry))
          return Bad("tensor \"" + key + "\": expected dtype, shape and data_offsets, each once");
        entries->push_back(std::move(entry));
      } while (Take(','));
      if (!Take('}')) return Bad("expected '}' or ','");
    }
    Space();
    if (at_ != end_) return Bad("text after the header's object");
    return Status::Ok();
  }

 private:
  Status Bad(const std::string& what) const {
    return Status(Code::kBadData,
                  "safetensors header, byte " + std::to_string(at_ - begin_) + ": " + what);
  }
  void Space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\n' || *at_ == '\r')) ++at_;
  }
  bool Take(char c) {
    Space();
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  bool Hex4(uint32_t* out) {
    *out = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      if (at_ == end_) return false;
      const char c = *at_;
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) return false;
      *out = *out * 16 + static_cast<uint32_t>(digit);
    }
    return true;
  }
  static void AppendUtf8(uint32_t code, std::string* out) {
    if (code < 0x80) {
      out->push_back(static_cast<char>(code));
    } else if (code < 0x800) {
      out->push_back(static_cast<char>(0xC0 | (code >> 6)));
      out->push_back(static_cast<char>(0x80 | (code & 63)));
    } else if (code < 0x10000) {
      out->push_back(static_cast<char>(0xE0 | (code >> 12)));
      out->push_back(static_cast<char>(0x80 | ((code >> 6) & 63)));
      out->push_back(static_cast<char>(0x80 | (code & 63)));
    } else {
      out->push_back(static_cast<char>(0xF0 | (code >> 18)));
      out->push_back(static_cast<char>(0x80 | ((code >> 12) & 63)));
      out->push_back(static_cast<char>(0x80 | ((code >> 6) & 63)));
      out->push_back(static_cast<char>(0x80 | (code & 63)));
    }
  }
  bool Escape(std::string* out) {
    if (at_ == end_) return false;
    const char c = *at_++;
    switch (c) {
      case '"':
      case '\\':
      case '/':
        out->push_back(c);
        return true;
      case 'b':
        out->push_back('\b');
        return true;
      case 'f':
        out->push_back('\f');
        return true;
      case 'n':
        out->push_back('\n');
        return true;
      case 'r':
        out->push_back('\r');
        return true;
      case 't':
        out->push_back('\t');
        return true;
      case 'u':
        break;
      default:
        return false;
    }
    uint32_t code;
    if (!Hex4(&code)) return false;
    if (code >= 0xD800 && code < 0xDC00) {
      uint32_t low;
      if (end_ - at_ < 2 || at_[0] != '\\' || at_[1] != 'u') return false;
      at_ += 2;
      if (!Hex4(&low) || low < 0xDC00 || low > 0xDFFF) return false;
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else if (code >= 0xDC00 && code < 0xE000) {
      return false;
    }
    AppendUtf8(code, out);
    return true;
  }
  bool String(std::string* out) {
    if (!Take('"')) return false;
    out->clear();
    while (at_ != end_) {
      const unsigned char c = static_cast<unsigned char>(*at_++);
      if (c == '"') return ValidUtf8(*out);
      if (c < 0x20) return false;
      if (c == '\\') {
        if (!Escape(out)) return false;
      } else {
        out->push_back(static_cast<char>(c));
      }
    }
    return false;
  }
  bool Number(uint64_t* out) {
    Space();
    if (at_ == end_ || *at_ < '0' || *at_ > '9') return false;
    const bool zero = *at_ == '0';
    *out = 0;
    size_t digits = 0;
    while (at_ != end_ && *at_ >= '0' && *at_ <= '9') {
      const uint64_t digit = static_cast<uint64_t>(*at_ - '0');
      if (*out > (UINT64_MAX - digit) / 10) return false;
      *out = *out * 10 + digit;
      ++at_;
      ++digits;
    }
    return !zero || digits == 1;
  }
  bool Numbers(std::vector<uint64_t>* out) {
    if (!Take('[')) return false;
    if (Take(']')) return true;
    do {
      uint64_t value;
      if (out->size() == kMaxRank || !Number(&value)) return false;
      out->push_back(value);
    } while (Take(','));
    return Take(']');
  }
  bool Metadata(std::map<std::string, std::string>* out) {
    if (!Take('{')) return false;
    if (Take('}')) return true;
    do {
      std::string key, value;
      if (!String(&key) || !Take(':') || !String(&value)) return false;
      if (!out->emplace(std::move(key), std::move(value)).second) return false;
    } while (Take(','));
    return Take('}');
  }
  bool Entry(HeaderEntry* out) {
    bool dtype = false, shape = false, offsets = false;
    if (!Take('{')) return false;
    do {
      std::string key;
      if (!String(&key) || !Take(':')) return false;
      if (key == "dtype" && !dtype) {
        dtype = String(&out->dtype);
        if (!dtype) return false;
      } else if (key == "shape" && !shape) {
        shape = Numbers(&out->shape);
        if (!shape) return false;
      } else if (key == "data_offsets" && !offsets) {
        std::vector<uint64_t> pair;
        offsets = Numbers(&pair) && pair.size() == 2;
        if (!offsets) return false;
        out->begin = pair[0];
        out->end = pair[1];
      } else {
        return false;
      }
    } while (Take(','));
    return Take('}') && dtype && shape && offsets;
  }

  const char* at_;
  const char* begin_;
  const char* end_;
};

}  // namespace

Status ParseHeader(const char* text, size_t size, std::vector<HeaderEntry>* entries,
                   std::map<std::string, std::string>* metadata) {
  return Parser(text, size).Run(entries, metadata);
}

bool ValidUtf8(const std::string& text) {
  const unsigned char* p = reinterpret_cast<const unsigned char*>(text.data());
  const unsigned char* end = p + text.size();
  while (p != end) {
    if (*p < 0x80) {
      ++p;
      continue;
    }
    const int extra = (*p & 0xE0) == 0xC0   ? 1
                      : (*p & 0xF0) == 0xE0 ? 2
                      : (*p & 0xF8) == 0xF0 ? 3
                                            : 0;
    if (extra == 0 || end - p <= extra) return false;
    uint32_t code = *p & (0x3F >> extra);
    for (int i = 1; i <= extra; ++i) {
      if ((p[i] & 0xC0) != 0x80) return false;
      code = (code << 6) | (p[i] & 0x3F);
    }
    constexpr uint32_t kLeast[4] = {0, 0x80, 0x800, 0x10000};
    if (code < kLeast[extra] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return false;
    p += extra + 1;
  }
  return true;
}

std::string Quote(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x",
                    static_cast<unsigned>(static_cast<unsigned char>(c)));
      out += escaped;
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
  return out;
}

}  // namespace daf::internal
