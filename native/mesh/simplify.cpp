#include "native/mesh/simplify.h"

#include <algorithm>
#include <string>

#include "native/mesh/parts.h"

namespace daf::mesh {
namespace {

constexpr size_t kPartTriangles = 16384;  // that are appended at a time

Status SimplifyWhole(size_t budget, const TaskControl& control, Mesh* mesh) {
  EdgeCollapser collapser(control, mesh);
  DAF_RETURN_IF_ERROR(collapser.Open(mesh->positions.size(), mesh->triangles.size()));
  DAF_RETURN_IF_ERROR(collapser.TakeIn());
  std::vector<uint32_t> none;
  return collapser.Reduce(budget, EdgeCollapser::Until::kStuck, &none);
}

// Reads the mesh from its first triangle to its last, and simplifies what it has read as it goes.
class PartsOfMesh {
 public:
  PartsOfMesh(const TaskControl& control, const Mesh& from) : control_(control), from_(from) {}

  Status Run(size_t budget, size_t room, Mesh* out) {
    const size_t vertices = from_.positions.size(), count = from_.triangles.size();
    DAF_RETURN_IF_ERROR(arena_.Allocate(vertices, &last_));
    DAF_RETURN_IF_ERROR(arena_.Allocate(vertices, &place_));
    std::fill_n(place_, vertices, kNone);
    for (size_t i = 0; i < count; ++i) {
      if (i % kPoll == 0) DAF_RETURN_IF_ERROR(control_.Check());
      for (const uint32_t v : from_.triangles[i]) last_[v] = static_cast<uint32_t>(i);
    }
    SurfaceParts parts(budget, control_, out);
    DAF_RETURN_IF_ERROR(parts.Open(room, count));
    for (size_t first = 0; first < count; first += kPartTriangles) {
      DAF_RETURN_IF_ERROR(control_.Check());
      const size_t last = std::min(first + kPartTriangles, count);
      DAF_RETURN_IF_ERROR(MakeRoom(first, last, &parts));
      for (size_t i = first; i < last; ++i) Append(from_.triangles[i], out);
      control_.Progress(static_cast<int32_t>(last / 1024), static_cast<int32_t>(count / 1024 + 1));
    }
    return parts.Close();
  }

 private:
  Status MakeRoom(size_t first, size_t last, SurfaceParts* parts) {
    const size_t triangles = last - first, vertices = 3 * triangles;
    if (parts->Fits(vertices, triangles)) return Status::Ok();
    open_.clear();
    for (size_t v = 0; v < from_.positions.size(); ++v) {
      if (v % kPoll == 0) DAF_RETURN_IF_ERROR(control_.Check());
      if (place_[v] != kNone && last_[v] >= first) open_.push_back(place_[v]);
    }
    DAF_RETURN_IF_ERROR(parts->MakeRoom(vertices, triangles, &open_));
    size_t at = 0;
    for (size_t v = 0; v < from_.positions.size(); ++v) {
      if (v % kPoll == 0) DAF_RETURN_IF_ERROR(control_.Check());
      if (place_[v] != kNone && last_[v] >= first) place_[v] = open_[at++];
    }
    return Status::Ok();
  }

  void Append(const Triangle& triangle, Mesh* out) {
    Triangle t;
    for (size_t k = 0; k < 3; ++k) {
      uint32_t& place = place_[triangle[k]];
      if (place == kNone) {
        place = static_cast<uint32_t>(out->positions.size());
        out->positions.push_back(from_.positions[triangle[k]]);
      }
      t[k] = place;
    }
    out->triangles.push_back(t);
  }

  const TaskControl& control_;
  const Mesh& from_;
  Arena arena_;
  uint32_t* last_ = nullptr;   // triangle around each vertex
  uint32_t* place_ = nullptr;  // of each vertex that has come
  std::vector<uint32_t> open_;
};

}  // namespace

Status Simplify(size_t budget, const TaskControl& control, Mesh* mesh) {
  const size_t triangles = mesh->triangles.size(), vertices = mesh->positions.size();
  if (triangles <= budget) return Status::Ok();
  const size_t room = SurfaceRoom();
  Status status;
  if (triangles <= room / EdgeCollapser::kTriangleBytes) {
    status = SimplifyWhole(budget, control, mesh);
  } else {
    Mesh out;
    const size_t taken = Mesh::Bytes(vertices, triangles) + 2 * sizeof(uint32_t) * vertices;
    status = PartsOfMesh(control, *mesh).Run(budget, room - std::min(room, taken), &out);
    if (status.ok()) std::swap(*mesh, out);
  }
  if (status.code() != Code::kMemory) return status;
  return Status(Code::kMemory,
                "simplifying a surface of " + std::to_string(triangles) +
                    " triangles does not fit: " + status.message(),
                "a lower resolution, more memory, or fewer faces");
}

}  // namespace daf::mesh
