#include "native/shuffle/cut_points.h"

#include <cstring>

namespace daf {

Status CutPoints::Init(const uint8_t* packed, size_t size) {
  DAF_RETURN_IF_ERROR(bytes_.Reserve(size));
  if (size != 0) std::memcpy(bytes_.data(), packed, size);
  cuts_.clear();
  for (size_t at = 0; at < size;) {
    Piece piece;
    DAF_RETURN_IF_ERROR(ParsePiece(bytes_.data(), size, &at, &piece));
    if (piece.continues || piece.more || piece.value_size < kPlaceBytes)
      return Status(Code::kBadData, "a cut point has no place");
    Cut cut;
    cut.prefix = KeyPrefix(piece.key, piece.key_size);
    cut.key = piece.key;
    cut.key_size = piece.key_size;
    cut.place = {Load32(piece.value), Load64(piece.value + 4)};
    if (!cuts_.empty() && Compare(cuts_.back(), cut.prefix, cut.key, cut.key_size, cut.place) >= 0)
      return Status(Code::kBadData, "cut points are not in ascending order");
    cuts_.push_back(cut);
  }
  return Status::Ok();
}

int CutPoints::Compare(const Cut& cut, uint64_t prefix, const uint8_t* key, size_t key_size,
                       const Place& place) {
  if (cut.prefix != prefix) return cut.prefix < prefix ? -1 : 1;
  const int order = CompareKeys(cut.key, cut.key_size, key, key_size);
  if (order != 0) return order;
  if (cut.place.split != place.split) return cut.place.split < place.split ? -1 : 1;
  return cut.place.at < place.at ? -1 : cut.place.at > place.at ? 1 : 0;
}

uint32_t CutPoints::PartitionOf(const uint8_t* key, size_t key_size, const Place& place) const {
  const uint64_t prefix = KeyPrefix(key, key_size);
  size_t low = 0, high = cuts_.size();
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (Compare(cuts_[middle], prefix, key, key_size, place) <= 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return static_cast<uint32_t>(low);
}

Status CutPoints::Partition(const uint8_t* batch, size_t size, uint32_t split, const double* at,
                            size_t count, uint32_t* out) const {
  size_t record = 0;
  for (size_t position = 0; position < size;) {
    Piece piece;
    DAF_RETURN_IF_ERROR(ParsePiece(batch, size, &position, &piece));
    if (piece.continues) continue;
    if (record == count) return Status(Code::kBadArgument, "a record has no position");
    const Place place = {split, static_cast<uint64_t>(at[record])};
    out[record++] = PartitionOf(piece.key, piece.key_size, place);
  }
  if (record != count) return Status(Code::kBadArgument, "a position has no record");
  return Status::Ok();
}

}  // namespace daf
