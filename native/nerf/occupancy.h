// Which cells of the unit cube may hold anything: one bit a cell and one bit a block of 8³ cells,
// so that rays cross empty space in few steps.
#pragma once

#include <cstdint>

#include "native/base/arena.h"
#include "native/base/control.h"
#include "native/base/rng.h"
#include "native/nerf/field.h"
#include "native/nerf/space.h"

namespace daf::nerf {

class Occupancy {
 public:
  // resolution: cells along each axis, a multiple of 8 in 8–256. All cells occupied. Errors:
  // kBadArgument, kMemory.
  Status Make(uint32_t resolution);
  uint32_t resolution() const { return resolution_; }

  bool Occupied(uint32_t x, uint32_t y, uint32_t z) const {
    return Bit(bits_, (size_t{z} * resolution_ + y) * resolution_ + x);
  }
  bool BlockOccupied(uint32_t x, uint32_t y, uint32_t z) const {
    return Bit(blocks_, (size_t{z} * block_resolution_ + y) * block_resolution_ + x);
  }
  double Fraction() const;  // of occupied cells

  // Cells that can never hold anything (carved from views) stay empty whatever the field says.
  void AllowAll();
  void Forbid(uint32_t x, uint32_t y, uint32_t z);
  // Occupied = allowed.
  void ResetToAllowed();

  // Evaluates the field at one jittered point of every allowed cell (`all`), or of a quarter of the
  // cells at random and of a quarter among the occupied, keeps max(0.95 · old, new), and sets the
  // bits of cells whose optical depth exceeds min(0.01, mean). Neighbours of occupied cells count
  // as occupied where `grow`. Errors: kCancelled.
  Status Update(FieldPass* pass, bool all, bool grow, Rng* rng, const TaskControl& control);

  // resolution³ / 8 bytes, cell x fastest.
  const uint8_t* bytes() const { return reinterpret_cast<const uint8_t*>(bits_); }
  size_t byte_count() const { return size_t{resolution_} * resolution_ * resolution_ / 8; }
  void Restore(const uint8_t* bytes);

 private:
  static bool Bit(const uint64_t* words, size_t i) {
    return ((words[i >> 6] >> (i & 63)) & 1) != 0;
  }
  static void Set(uint64_t* words, size_t i) { words[i >> 6] |= uint64_t{1} << (i & 63); }
  size_t cells() const { return size_t{resolution_} * resolution_ * resolution_; }
  void Rebuild(bool grow);
  void RebuildBlocks();
  void EvaluateCells(FieldPass* pass, const uint32_t* indices, uint32_t n, bool replace, Rng* rng);

  Arena arena_;
  uint32_t resolution_ = 0, block_resolution_ = 0;
  uint64_t* bits_ = nullptr;
  uint64_t* allowed_ = nullptr;
  uint64_t* blocks_ = nullptr;
  float* density_ = nullptr;  // per box edge, decaying maximum
  float* scratch_ = nullptr;  // 4 × kPassSamples
};

}  // namespace daf::nerf
