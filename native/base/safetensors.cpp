#include "native/base/safetensors.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "native/base/safetensors_header.h"

namespace daf {
namespace {

struct DTypeInfo {
  DType dtype;
  const char* name;
  size_t bytes;
};
constexpr DTypeInfo kTypes[] = {
    {DType::kF32, "F32", 4},   {DType::kF16, "F16", 2}, {DType::kBF16, "BF16", 2},
    {DType::kF64, "F64", 8},   {DType::kU8, "U8", 1},   {DType::kI8, "I8", 1},
    {DType::kU16, "U16", 2},   {DType::kI16, "I16", 2}, {DType::kU32, "U32", 4},
    {DType::kI32, "I32", 4},   {DType::kU64, "U64", 8}, {DType::kI64, "I64", 8},
    {DType::kBool, "BOOL", 1},
};
const DTypeInfo& Info(DType dtype) { return kTypes[static_cast<size_t>(dtype)]; }

Status Bad(const std::string& what) { return Status(Code::kBadData, "safetensors: " + what); }
Status BadTensor(const std::string& name, const std::string& what) {
  return Bad("tensor \"" + name + "\": " + what);
}

// elements and bytes of a shape; false when a product overflows.
bool Measure(const std::vector<uint64_t>& shape, size_t element, uint64_t* count, uint64_t* bytes) {
  *count = 1;
  for (const uint64_t extent : shape) {
    if (__builtin_mul_overflow(*count, extent, count)) return false;
  }
  return !__builtin_mul_overflow(*count, uint64_t{element}, bytes);
}

std::string ShapeText(const std::vector<uint64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    text += (i == 0 ? "" : ",") +
            (shape[i] == SafetensorsFile::kAny ? std::string("*") : std::to_string(shape[i]));
  }
  return text + "]";
}

struct FileHandle {
  int fd = -1;
  ~FileHandle() {
    if (fd >= 0) ::close(fd);
  }
};

Status WriteAll(int fd, const void* data, size_t size, const std::string& path) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t n = ::write(fd, at, size);
    if (n < 0) {
      if (errno == EINTR) continue;
      return IoError("writing " + path);
    }
    at += n;
    size -= static_cast<size_t>(n);
  }
  return Status::Ok();
}

}  // namespace

const char* DTypeName(DType dtype) { return Info(dtype).name; }
size_t DTypeBytes(DType dtype) { return Info(dtype).bytes; }

float HalfToFloat(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16;
  const uint32_t exponent = (half >> 10) & 31, mantissa = half & 1023;
  if (exponent == 0) {
    const float magnitude = std::ldexp(static_cast<float>(mantissa), -24);
    return sign != 0 ? -magnitude : magnitude;
  }
  const uint32_t bits =
      sign | (exponent == 31 ? 0x7F800000u : (exponent + 112) << 23) | (mantissa << 13);
  float out;
  std::memcpy(&out, &bits, 4);
  return out;
}

uint16_t FloatToHalf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  const uint16_t sign = static_cast<uint16_t>((bits >> 16) & 0x8000);
  const uint32_t magnitude = bits & 0x7FFFFFFF;
  if (magnitude > 0x7F800000) return static_cast<uint16_t>(sign | 0x7E00);
  if (magnitude >= 0x47800000) return static_cast<uint16_t>(sign | 0x7C00);
  if (magnitude < 0x38800000) {  // subnormal half: a multiple of 2^-24
    float positive;
    std::memcpy(&positive, &magnitude, 4);
    return static_cast<uint16_t>(sign |
                                 static_cast<uint16_t>(std::nearbyint(positive * 16777216.0f)));
  }
  const uint32_t rounded = magnitude + 0xFFF + ((magnitude >> 13) & 1);
  return static_cast<uint16_t>(sign | ((rounded - 0x38000000) >> 13));
}

Status SafetensorsFile::Parse(const void* bytes, size_t size, SafetensorsFile* out) {
  const uint8_t* file = static_cast<const uint8_t*>(bytes);
  out->tensors_.clear();
  out->metadata_.clear();
  if (size < 8) return Bad("the file ends inside the header length");
  uint64_t header = 0;
  for (int i = 7; i >= 0; --i) header = (header << 8) | file[i];
  if (header > kMaxHeader)
    return Bad("a header of " + std::to_string(header) + " bytes is not believable");
  if (header > size - 8) return Bad("the file ends inside the header");
  const uint8_t* data = file + 8 + header;
  const uint64_t data_size = size - 8 - header;

  std::vector<internal::HeaderEntry> entries;
  DAF_RETURN_IF_ERROR(internal::ParseHeader(reinterpret_cast<const char*>(file + 8), header,
                                            &entries, &out->metadata_));
  for (const internal::HeaderEntry& entry : entries) {
    const DTypeInfo* type = nullptr;
    for (const DTypeInfo& one : kTypes) {
      if (entry.dtype == one.name) type = &one;
    }
    if (type == nullptr) return BadTensor(entry.name, "unknown dtype \"" + entry.dtype + "\"");
    if (entry.begin > entry.end || entry.end > data_size)
      return BadTensor(entry.name, "data_offsets reach outside the file");
    uint64_t count, needed;
    if (!Measure(entry.shape, type->bytes, &count, &needed))
      return BadTensor(entry.name, "the shape overflows");
    if (needed != entry.end - entry.begin) {
      return BadTensor(entry.name, "shape " + ShapeText(entry.shape) + " needs " +
                                       std::to_string(needed) + " bytes, data_offsets give " +
                                       std::to_string(entry.end - entry.begin));
    }
    Tensor tensor;
    tensor.name = entry.name;
    tensor.dtype = type->dtype;
    tensor.shape = entry.shape;
    tensor.data = data + entry.begin;
    tensor.bytes = static_cast<size_t>(needed);
    tensor.count = static_cast<size_t>(count);
    out->tensors_.push_back(std::move(tensor));
  }
  // Sorted by offset (empty tensors first), the tensors must tile the data: no overlap, no hole,
  // nothing after.
  std::sort(out->tensors_.begin(), out->tensors_.end(), [](const Tensor& a, const Tensor& b) {
    return a.data != b.data     ? a.data < b.data
           : a.bytes != b.bytes ? a.bytes < b.bytes
                                : a.name < b.name;
  });
  const uint8_t* expected = data;
  for (const Tensor& tensor : out->tensors_) {
    if (tensor.data < expected) return BadTensor(tensor.name, "overlaps another tensor");
    if (tensor.data > expected) return BadTensor(tensor.name, "a hole lies before it");
    expected = tensor.data + tensor.bytes;
  }
  if (expected != data + data_size) return Bad("bytes after the last tensor");
  return Status::Ok();
}

Status SafetensorsFile::Read(const std::string& path, SafetensorsFile* out, Budget& budget) {
  FileHandle file;
  file.fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file.fd < 0) return IoError("opening " + path);
  struct stat info;
  if (::fstat(file.fd, &info) != 0) return IoError("reading " + path);
  if (!S_ISREG(info.st_mode)) return Status(Code::kIo, path + " is not a file");
  const size_t size = static_cast<size_t>(info.st_size);
  auto arena = std::make_unique<Arena>(budget, 64);
  uint8_t* bytes = nullptr;
  DAF_RETURN_IF_ERROR(arena->Allocate(size, &bytes));
  size_t done = 0;
  while (done < size) {
    const ssize_t n = ::read(file.fd, bytes + done, size - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return IoError("reading " + path);
    if (n == 0) return Status(Code::kIo, path + " shrank while it was read");
    done += static_cast<size_t>(n);
  }
  const Status parsed = Parse(bytes, size, out);
  if (!parsed.ok()) return Status(parsed.code(), path + ": " + parsed.message(), parsed.hint());
  out->owned_ = std::move(arena);
  return Status::Ok();
}

const Tensor* SafetensorsFile::Find(const std::string& name) const {
  for (const Tensor& tensor : tensors_) {
    if (tensor.name == name) return &tensor;
  }
  return nullptr;
}

Status SafetensorsFile::Metadata(const std::string& key, std::string* out) const {
  const auto found = metadata_.find(key);
  if (found == metadata_.end()) return Bad("no \"" + key + "\" in the metadata");
  *out = found->second;
  return Status::Ok();
}

Status SafetensorsFile::Expect(const std::string& name, const std::vector<uint64_t>& shape,
                               const Tensor** out) const {
  const Tensor* tensor = Find(name);
  if (tensor == nullptr) return BadTensor(name, "is missing");
  bool same = tensor->shape.size() == shape.size();
  for (size_t i = 0; same && i < shape.size(); ++i)
    same = shape[i] == kAny || shape[i] == tensor->shape[i];
  if (!same)
    return BadTensor(name, "shape " + ShapeText(tensor->shape) + ", expected " + ShapeText(shape));
  *out = tensor;
  return Status::Ok();
}

namespace {

// Elements [from, from + count) as floats.
Status Convert(const Tensor& tensor, size_t from, size_t count, float* out) {
  const uint8_t* data = tensor.data + from * DTypeBytes(tensor.dtype);
  switch (tensor.dtype) {
    case DType::kF32:
      std::memcpy(out, data, count * 4);
      break;
    case DType::kF16:
    case DType::kBF16:
      for (size_t i = 0; i < count; ++i) {
        uint16_t half;
        std::memcpy(&half, data + 2 * i, 2);
        if (tensor.dtype == DType::kF16) {
          out[i] = HalfToFloat(half);
        } else {
          const uint32_t bits = uint32_t{half} << 16;
          std::memcpy(out + i, &bits, 4);
        }
      }
      break;
    case DType::kF64:
      for (size_t i = 0; i < count; ++i) {
        double value;
        std::memcpy(&value, data + 8 * i, 8);
        out[i] = static_cast<float>(value);
      }
      break;
    default:
      return BadTensor(tensor.name,
                       std::string("dtype ") + DTypeName(tensor.dtype) + ", expected floats");
  }
  for (size_t i = 0; i < count; ++i) {
    if (!std::isfinite(out[i]))
      return BadTensor(tensor.name, "element " + std::to_string(from + i) + " is not finite");
  }
  return Status::Ok();
}

}  // namespace

Status SafetensorsFile::FloatsInto(const std::string& name, const std::vector<uint64_t>& shape,
                                   float* out, size_t count) const {
  const Tensor* tensor;
  DAF_RETURN_IF_ERROR(Expect(name, shape, &tensor));
  if (tensor->count != count)
    return BadTensor(
        name, std::to_string(tensor->count) + " elements, expected " + std::to_string(count));
  return Convert(*tensor, 0, count, out);
}

Status SafetensorsFile::CheckFloats(const std::string& name,
                                    const std::vector<uint64_t>& shape) const {
  const Tensor* tensor;
  DAF_RETURN_IF_ERROR(Expect(name, shape, &tensor));
  float some[1024];
  for (size_t from = 0; from < tensor->count; from += std::size(some))
    DAF_RETURN_IF_ERROR(
        Convert(*tensor, from, std::min(std::size(some), tensor->count - from), some));
  return Status::Ok();
}

Status SafetensorsFile::Floats(const std::string& name, const std::vector<uint64_t>& shape,
                               std::vector<float>* out) const {
  const Tensor* tensor;
  DAF_RETURN_IF_ERROR(Expect(name, shape, &tensor));
  out->resize(tensor->count);
  return FloatsInto(name, shape, out->data(), out->size());
}

Status SafetensorsFile::Uint32s(const std::string& name, const std::vector<uint64_t>& shape,
                                std::vector<uint32_t>* out) const {
  const Tensor* tensor;
  DAF_RETURN_IF_ERROR(Expect(name, shape, &tensor));
  out->resize(tensor->count);
  for (size_t i = 0; i < tensor->count; ++i) {
    const uint8_t* at = tensor->data + i * DTypeBytes(tensor->dtype);
    int64_t value = -1;
    switch (tensor->dtype) {
      case DType::kU8:
        value = *at;
        break;
      case DType::kU16:
        value = at[0] | (at[1] << 8);
        break;
      case DType::kU32: {
        uint32_t word;
        std::memcpy(&word, at, 4);
        value = word;
        break;
      }
      case DType::kI32: {
        int32_t word;
        std::memcpy(&word, at, 4);
        value = word;
        break;
      }
      case DType::kI64:
        std::memcpy(&value, at, 8);
        break;
      default:
        return BadTensor(name,
                         std::string("dtype ") + DTypeName(tensor->dtype) + ", expected integers");
    }
    if (value < 0 || value > int64_t{0xFFFFFFFF})
      return BadTensor(name, "element " + std::to_string(i) + " does not fit 32 bits");
    (*out)[i] = static_cast<uint32_t>(value);
  }
  return Status::Ok();
}

Status SafetensorsFile::Bytes(const std::string& name, const std::vector<uint64_t>& shape,
                              std::vector<uint8_t>* out) const {
  const Tensor* tensor;
  DAF_RETURN_IF_ERROR(Expect(name, shape, &tensor));
  if (tensor->dtype != DType::kU8)
    return BadTensor(name, std::string("dtype ") + DTypeName(tensor->dtype) + ", expected U8");
  out->assign(tensor->data, tensor->data + tensor->bytes);
  return Status::Ok();
}

Status SafetensorsWriter::Add(const std::string& name, DType dtype, std::vector<uint64_t> shape,
                              const void* data) {
  uint64_t count, bytes;
  if (!Measure(shape, DTypeBytes(dtype), &count, &bytes))
    return Status(Code::kBadArgument, "tensor \"" + name + "\": the shape overflows");
  if (name == "__metadata__")
    return Status(Code::kBadArgument, "a tensor cannot be called __metadata__");
  for (const Tensor& other : tensors_) {
    if (other.name == name)
      return Status(Code::kBadArgument, "tensor \"" + name + "\" was added twice");
  }
  Tensor tensor;
  tensor.name = name;
  tensor.dtype = dtype;
  tensor.shape = std::move(shape);
  tensor.data = static_cast<const uint8_t*>(data);
  tensor.bytes = static_cast<size_t>(bytes);
  tensor.count = static_cast<size_t>(count);
  tensors_.push_back(std::move(tensor));
  return Status::Ok();
}

Status SafetensorsWriter::Header(std::string* out) const {
  std::string text = "{";
  const char* comma = "";
  if (!metadata_.empty()) {
    text += "\"__metadata__\":{";
    for (const auto& [key, value] : metadata_) {
      if (!internal::ValidUtf8(key) || !internal::ValidUtf8(value))
        return Status(Code::kBadArgument, "safetensors metadata must be UTF-8");
      text += comma + internal::Quote(key) + ":" + internal::Quote(value);
      comma = ",";
    }
    text += "}";
    comma = ",";
  }
  uint64_t offset = 0;
  for (const Tensor& tensor : tensors_) {
    if (!internal::ValidUtf8(tensor.name))
      return Status(Code::kBadArgument, "a tensor's name must be UTF-8");
    text += comma + internal::Quote(tensor.name) + ":{\"dtype\":\"" + DTypeName(tensor.dtype) +
            "\",\"shape\":" + ShapeText(tensor.shape) + ",\"data_offsets\":[" +
            std::to_string(offset) + "," + std::to_string(offset + tensor.bytes) + "]}";
    offset += tensor.bytes;
    comma = ",";
  }
  text += "}";
  while ((text.size() + 8) % 64 != 0)
    text += ' ';  // the first tensor starts aligned for readers that map the file
  if (text.size() > SafetensorsFile::kMaxHeader)
    return Status(Code::kBadArgument, "safetensors header is too large");
  out->assign(8, '\0');
  for (int i = 0; i < 8; ++i) (*out)[i] = static_cast<char>((text.size() >> (8 * i)) & 255);
  *out += text;
  return Status::Ok();
}

Status SafetensorsWriter::Serialize(std::vector<uint8_t>* out) const {
  std::string header;
  DAF_RETURN_IF_ERROR(Header(&header));
  size_t total = header.size();
  for (const Tensor& tensor : tensors_) total += tensor.bytes;
  out->clear();
  out->reserve(total);
  out->insert(out->end(), header.begin(), header.end());
  for (const Tensor& tensor : tensors_)
    out->insert(out->end(), tensor.data, tensor.data + tensor.bytes);
  return Status::Ok();
}

Status SafetensorsWriter::Write(const std::string& path) const {
  static std::atomic<uint32_t> counter{0};
  std::string header;
  DAF_RETURN_IF_ERROR(Header(&header));
  const std::string temporary =
      path + "." + std::to_string(::getpid()) + "-" + std::to_string(counter.fetch_add(1)) + ".tmp";
  Status status;
  {
    FileHandle file;
    file.fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file.fd < 0) return IoError("creating " + temporary);
    status = WriteAll(file.fd, header.data(), header.size(), temporary);
    for (size_t i = 0; status.ok() && i < tensors_.size(); ++i) {
      status = WriteAll(file.fd, tensors_[i].data, tensors_[i].bytes, temporary);
    }
    if (status.ok() && ::fsync(file.fd) != 0) status = IoError("flushing " + temporary);
  }
  if (status.ok() && std::rename(temporary.c_str(), path.c_str()) != 0)
    status = IoError("renaming to " + path);
  if (!status.ok()) ::unlink(temporary.c_str());
  return status;
}

}  // namespace daf
