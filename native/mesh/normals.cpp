#include "native/mesh/normals.h"

#include "native/mesh/vector.h"

namespace daf::mesh {

std::vector<Point> VertexNormals(const Mesh& mesh) {
  std::vector<Point> normals(mesh.positions.size(), Point{0, 0, 0});
  for (const Triangle& t : mesh.triangles) {
    const Point n = AreaNormal(mesh.positions[t[0]], mesh.positions[t[1]], mesh.positions[t[2]]);
    for (const uint32_t v : t) normals[v] = Along(normals[v], 1, n);
  }
  for (Point& n : normals) n = Unit(n, {0, 0, 1});
  return normals;
}

}  // namespace daf::mesh
