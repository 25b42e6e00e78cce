// Weights on disk: the safetensors format (an 8-byte little-endian header length, a JSON header,
// raw tensors). The reader believes nothing: a file may come from anywhere, so every length, offset
// and shape is checked before a byte of it is used. Little-endian machines only, as the format
// itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "native/base/arena.h"
#include "native/base/status.h"

namespace daf {

enum class DType { kF32, kF16, kBF16, kF64, kU8, kI8, kU16, kI16, kU32, kI32, kU64, kI64, kBool };
const char* DTypeName(DType dtype);  // "F32", "BF16", …
size_t DTypeBytes(DType dtype);      // of one element

float HalfToFloat(uint16_t half);
uint16_t FloatToHalf(float value);  // round to nearest even; overflow becomes infinity

// One tensor of an open file. `data` need not be aligned: read it through the Copy functions.
struct Tensor {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<uint64_t> shape;  // empty for a scalar
  const uint8_t* data = nullptr;
  size_t bytes = 0;
  size_t count = 0;  // elements
};

class SafetensorsFile {
 public:
  static constexpr size_t kMaxHeader = size_t{16} << 20;

  // Borrows `bytes`, which must outlive *out. Errors: kBadData naming the tensor at fault.
  static Status Parse(const void* bytes, size_t size, SafetensorsFile* out);
  // Reads the whole file into memory drawn from `budget`. Errors: kIo, kMemory, kBadData.
  static Status Read(const std::string& path, SafetensorsFile* out,
                     Budget& budget = Budget::Process());

  const std::vector<Tensor>& tensors() const { return tensors_; }  // by offset
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  // Null where there is none.
  const Tensor* Find(const std::string& name) const;
  // Errors: kBadData when the key is missing.
  Status Metadata(const std::string& key, std::string* out) const;

  // The tensor as floats (F32, F16, BF16 or F64), all finite. `shape` is what the caller expects;
  // kAny matches any extent. Errors: kBadData for a missing tensor, another shape or type, a NaN or
  // an infinity.
  static constexpr uint64_t kAny = ~uint64_t{0};
  Status Floats(const std::string& name, const std::vector<uint64_t>& shape,
                std::vector<float>* out) const;
  // As above into memory of the caller, `count` floats.
  Status FloatsInto(const std::string& name, const std::vector<uint64_t>& shape, float* out,
                    size_t count) const;
  // Whether FloatsInto would succeed, without its memory. Errors: as Floats.
  Status CheckFloats(const std::string& name, const std::vector<uint64_t>& shape) const;
  // The tensor as unsigned integers (U8, U16, U32; I32 and I64 where no element is negative or
  // above 2^32-1).
  Status Uint32s(const std::string& name, const std::vector<uint64_t>& shape,
                 std::vector<uint32_t>* out) const;
  // The tensor's own bytes (U8).
  Status Bytes(const std::string& name, const std::vector<uint64_t>& shape,
               std::vector<uint8_t>* out) const;

 private:
  Status Expect(const std::string& name, const std::vector<uint64_t>& shape,
                const Tensor** out) const;

  std::unique_ptr<Arena> owned_;
  std::vector<Tensor> tensors_;
  std::map<std::string, std::string> metadata_;
};

// Collects tensors, then writes them in the order added: the same calls give the same bytes.
class SafetensorsWriter {
 public:
  void Metadata(const std::string& key, const std::string& value) { metadata_[key] = value; }
  // Borrows `data` until Serialize or Write. Errors: kBadArgument for a name used twice or a size
  // that overflows.
  Status Add(const std::string& name, DType dtype, std::vector<uint64_t> shape, const void* data);
  // Errors: kBadArgument when a key, a value or a name is not UTF-8.
  Status Serialize(std::vector<uint8_t>* out) const;
  // Writes beside `path`, flushes and renames: a reader sees the old file or the whole new one.
  // Errors: kIo.
  Status Write(const std::string& path) const;

 private:
  Status Header(std::string* out) const;

  std::vector<Tensor> tensors_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace daf
