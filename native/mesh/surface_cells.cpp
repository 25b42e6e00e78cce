#include "native/mesh/surface_cells.h"

#include <algorithm>
#include <cmath>

#include "native/mesh/tetrahedra.h"

namespace daf::mesh {
namespace {
// Cells along the blocks whose corners are asked first: 1.6 % of the points of a grid.
constexpr size_t kCoarse = SparseValues::kCoarseCells;
}  // namespace

void SurfaceCells::Corners(size_t x, size_t y, size_t z, float (&corner)[8]) const {
  for (size_t c = 0; c < 8; ++c)
    corner[c] = values_.At(x + (c & 1), y + ((c >> 1) & 1), z + (c >> 2));
}

Status SurfaceCells::AskCorners(size_t x, size_t y, size_t z) {
  for (size_t c = 0; c < 8; ++c)
    DAF_RETURN_IF_ERROR(values_.Ask(x + (c & 1), y + ((c >> 1) & 1), z + (c >> 2)));
  return Status::Ok();
}

Status SurfaceCells::Find(float guard) {
  const size_t n = cells();
  const size_t words = (n * n * n + 63) / 64;
  DAF_RETURN_IF_ERROR(arena_.Allocate(words, &bits_));
  std::fill_n(bits_, words, 0);
  // Without the points on the faces, which are outside whatever lies next to them.
  const bool tiny = n <= 2 * kCoarse;
  const auto low = static_cast<uint16_t>(tiny ? 0 : 1), high = static_cast<uint16_t>(n - low);
  std::vector<Block> blocks = {{{low, low, low}, {high, high, high}}};
  for (size_t stride = tiny ? 1 : kCoarse; stride >= 1; stride /= 2) {
    std::vector<Block> kept;
    DAF_RETURN_IF_ERROR(Refine(stride, stride > 1 ? guard : 0, blocks, &kept));
    blocks = std::move(kept);
    DAF_RETURN_IF_ERROR(CountLists(blocks.capacity() * sizeof(Block)));
  }
  blocks = std::vector<Block>();
  return Spread();
}

template <typename Visit>
Status SurfaceCells::EachPart(const Block& whole, size_t stride, Visit visit) const {
  Block part;
  const auto cut = [&](int axis, size_t low) {
    part.low[axis] = static_cast<uint16_t>(low);
    part.high[axis] = static_cast<uint16_t>(std::min<size_t>(low + stride, whole.high[axis]));
  };
  for (size_t z = whole.low[2]; z < whole.high[2]; z += stride) {
    cut(2, z);
    DAF_RETURN_IF_ERROR(control_.Check());
    for (size_t y = whole.low[1]; y < whole.high[1]; y += stride) {
      cut(1, y);
      for (size_t x = whole.low[0]; x < whole.high[0]; x += stride) {
        cut(0, x);
        DAF_RETURN_IF_ERROR(visit(part));
      }
    }
  }
  return Status::Ok();
}

// How far a peak (sign 1) or pit (sign −1) within a block may rise above the ends of its edges,
// summed over the axes: along an edge the function is carried on from either side with the slope
// it has outside, until the two lines meet. Where it goes straight or levels out, nothing hides.
float SurfaceCells::HiddenExtreme(const Block& block, size_t stride, float sign) const {
  float sum = 0;
  for (int axis = 0; axis < 3; ++axis) {
    float most = 0;
    for (size_t c = 0; c < 8; ++c) {
      if (((c >> axis) & 1) != 0) continue;  // the edge from this corner up the axis
      size_t at[3] = {block.Corner(c, 0), block.Corner(c, 1), block.Corner(c, 2)};
      const auto known = [&](size_t i) {
        at[axis] = i;
        return sign * values_.Known(at[0], at[1], at[2]);
      };
      const size_t low = block.low[axis], high = block.high[axis];
      const float a = known(low), b = known(high);
      float up = low > stride ? a - known(low - stride) : NAN;
      float down = high + stride < cells() ? b - known(high + stride) : NAN;
      if (std::isnan(up)) up = down;  // as steep as on the side that is known
      if (std::isnan(down)) down = up;
      if (!(up > 0 && down > 0)) continue;
      const float meet = (b + down - a) / (up + down);  // share of the edge
      if (meet > 0 && meet < 1) most = std::fmax(most, a + up * meet - std::fmax(a, b));
    }
    sum += most;
  }
  return sum;
}

// Whether the surface may enter a block whose corners are known: they lie on both sides of the
// level, or an extreme between them may.
bool SurfaceCells::MayCross(const Block& block, size_t stride, float guard) {
  float least = INFINITY, most = -INFINITY;
  for (size_t c = 0; c < 8; ++c) {
    const size_t at[3] = {block.Corner(c, 0), block.Corner(c, 1), block.Corner(c, 2)};
    const float value = values_.At(at[0], at[1], at[2]);
    least = std::fmin(least, value);
    most = std::fmax(most, value);
    if (value > grid_.iso) SeedAtFace(at[0], at[1], at[2]);
  }
  if (most > grid_.iso && least <= grid_.iso) return true;
  if (guard == 0) return false;
  return least > grid_.iso ? least - guard * HiddenExtreme(block, stride, -1) <= grid_.iso
                           : most + guard * HiddenExtreme(block, stride, 1) > grid_.iso;
}

// Cuts blocks into blocks of `stride` cells and keeps those that the surface may enter; single
// cells are the first that Spread looks at.
Status SurfaceCells::Refine(size_t stride, float guard, const std::vector<Block>& from,
                            std::vector<Block>* kept) {
  const auto ask = [&](const Block& b) {
    for (size_t c = 0; c < 8; ++c)
      DAF_RETURN_IF_ERROR(values_.Ask(b.Corner(c, 0), b.Corner(c, 1), b.Corner(c, 2)));
    return Status::Ok();
  };
  const auto keep = [&](const Block& b) {
    if (!MayCross(b, stride, guard)) return Status::Ok();
    if (stride > 1) {
      kept->push_back(b);
    } else {
      Push(CellIndex(b.low[0], b.low[1], b.low[2]));
    }
    return Status::Ok();
  };
  for (const Block& b : from) DAF_RETURN_IF_ERROR(EachPart(b, stride, ask));
  DAF_RETURN_IF_ERROR(values_.Flush());
  for (const Block& b : from) DAF_RETURN_IF_ERROR(EachPart(b, stride, keep));
  return Status::Ok();
}

// What is inside right behind a face of the box is closed by the cell in front of it.
void SurfaceCells::SeedAtFace(size_t x, size_t y, size_t z) {
  const size_t at[3] = {x, y, z};
  for (int axis = 0; axis < 3; ++axis) {
    if (at[axis] != 1 && at[axis] + 1 != cells()) continue;
    size_t cell[3] = {x, y, z};
    cell[axis] = at[axis] == 1 ? 0 : cells() - 1;
    Push(CellIndex(cell[0], cell[1], cell[2]));
    return;
  }
}

void SurfaceCells::Push(size_t cell) {
  uint64_t& word = bits_[cell >> 6];
  const uint64_t bit = uint64_t{1} << (cell & 63);
  if ((word & bit) != 0) return;
  word |= bit;
  next_.push_back(static_cast<uint32_t>(cell));
}

// What the lists of cells and of blocks take counts as what they lead to does.
Status SurfaceCells::CountLists(size_t blocks) {
  return lists_.Resize(blocks + (frontier_.capacity() + next_.capacity()) * sizeof(uint32_t));
}

// A face that the surface cuts belongs to two cells, and the surface passes through both; so
// everything that hangs together with a first cell is found, whatever the function does between the
// points of the grid.
Status SurfaceCells::Spread() {
  // The four corners of the face towards −x, +x, −y, +y, −z, +z.
  constexpr uint32_t kFaces[6] = {0x55, 0xAA, 0x33, 0xCC, 0x0F, 0xF0};
  while (!next_.empty()) {
    std::swap(frontier_, next_);
    next_.clear();
    DAF_RETURN_IF_ERROR(CountLists(0));
    for (size_t i = 0; i < frontier_.size(); ++i) {
      if (i % kPoll == 0) DAF_RETURN_IF_ERROR(control_.Check());
      const uint32_t cell = frontier_[i];
      DAF_RETURN_IF_ERROR(
          AskCorners(cell % cells(), cell / cells() % cells(), cell / cells() / cells()));
    }
    DAF_RETURN_IF_ERROR(values_.Flush());
    for (size_t i = 0; i < frontier_.size(); ++i) {
      if (i % kPoll == 0) DAF_RETURN_IF_ERROR(control_.Check());
      const uint32_t cell = frontier_[i];
      const size_t at[3] = {cell % cells(), cell / cells() % cells(), cell / cells() / cells()};
      float corner[8];
      Corners(at[0], at[1], at[2], corner);
      const uint32_t inside = InsideMask(corner, grid_.iso);
      for (int face = 0; face < 6; ++face) {
        const uint32_t seen = inside & kFaces[face];
        if (seen == 0 || seen == kFaces[face]) continue;
        // Never across the box's faces: all of their points are outside.
        size_t to[3] = {at[0], at[1], at[2]};
        to[face / 2] += face % 2 == 0 ? size_t(-1) : 1;
        Push(CellIndex(to[0], to[1], to[2]));
      }
    }
  }
  frontier_ = next_ = std::vector<uint32_t>();
  return CountLists(0);
}

}  // namespace daf::mesh
