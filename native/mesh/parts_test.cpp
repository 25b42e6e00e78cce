#include "native/mesh/parts.h"

#include "native/mesh/band_surface.h"
#include "native/mesh/components.h"
#include "native/mesh/iso_surface.h"
#include "native/mesh/simplify.h"
#include "native/mesh/testing_shapes.h"

namespace daf::mesh {
namespace {

using namespace testing;

const IsoGrid kGrid{{-1.3f, -1.25f, -1.35f}, {1.3f, 1.35f, 1.25f}, 96, 0};

// A limit for what is done in its scope, over what is in use already.
class Limit {
 public:
  explicit Limit(size_t bytes) : before_(Budget::Process().used()) {
    Budget::Process().DropKept();
    Budget::Process().SetLimit(before_ + bytes);
    Budget::Process().ResetPeak();
  }
  ~Limit() { Budget::Process().SetLimit(0); }
  size_t peak() const { return Budget::Process().peak() - before_; }

 private:
  const size_t before_;
};

double MeanDistance(const Mesh& mesh) {  // of the middles of triangles from the surface of Bumpy
  double sum = 0;
  for (const Triangle& t : mesh.triangles) sum += std::fabs(Bumpy(Middle(mesh, t).data()));
  return sum / static_cast<double>(mesh.triangles.size());
}

template <typename F>
Status Extract(F f, const BandOptions& options, Mesh* mesh, BandReport* report) {
  *mesh = Mesh();
  return ExtractBandSurface(kGrid, Of(f), options, TaskControl(), mesh, report);
}

TEST(SurfaceParts, AreAsGoodAsTheWhole) {
  Mesh whole, parts, again;
  BandReport report;
  ASSERT_TRUE(Extract(Bumpy, {}, &whole, &report).ok());
  ASSERT_GT(report.triangles, 150000u);
  ASSERT_TRUE(Simplify(8000, TaskControl(), &whole).ok());
  whole.Shrink();
  const BandOptions options = {1, 1, 8000};
  {
    const Limit limit(size_t{17} << 20);
    ASSERT_LT(SurfaceRoom() / EdgeCollapser::kTriangleBytes, report.triangles);
    const Status status = Extract(Bumpy, options, &parts, &report);
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_LE(limit.peak(), size_t{17} << 20);
    parts.Shrink();
    ASSERT_TRUE(Extract(Bumpy, options, &again, &report).ok());
  }
  ExpectWatertight(parts);
  EXPECT_EQ(EulerCharacteristic(parts), 2);
  EXPECT_EQ(parts.triangles.size(), whole.triangles.size());
  EXPECT_EQ(TrianglesAgainst(parts, Bumpy, 0.01f), 0u);
  EXPECT_LT(MeanDistance(parts), 1.1 * MeanDistance(whole));
  EXPECT_NEAR(Volume(parts), Volume(whole), 1e-3 * Volume(whole));
  EXPECT_EQ(parts.positions, again.positions);
  EXPECT_EQ(parts.triangles, again.triangles);
}

// A wall that runs along a layer of cells comes at once, however large it is.
TEST(SurfaceParts, MakeRoomForALayerThatNeedsMostOfIt) {
  constexpr size_t kFaces = 8000;
  Mesh ball, mesh;
  BandReport report;
  ASSERT_TRUE(Extract(Bumpy, {}, &ball, &report).ok());
  const size_t most = ball.triangles.size() + 1000, wanted = most / 10 * 9;
  const TaskControl control;
  SurfaceParts parts(kFaces, control, &mesh);
  ASSERT_TRUE(parts.Open(most * EdgeCollapser::kTriangleBytes, 10 * most).ok());
  mesh.positions.insert(mesh.positions.end(), ball.positions.begin(), ball.positions.end());
  mesh.triangles.insert(mesh.triangles.end(), ball.triangles.begin(), ball.triangles.end());
  std::vector<uint32_t> open;
  const Status status = parts.MakeRoom(wanted / 2, wanted, &open);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_TRUE(parts.Fits(wanted / 2, wanted));
  EXPECT_GT(mesh.triangles.size(), kFaces);
  ExpectWatertight(mesh);
}

TEST(SurfaceParts, OfAMeshThatIsThere) {
  Mesh whole, mesh;
  BandReport report;
  ASSERT_TRUE(Extract(Bumpy, {}, &whole, &report).ok());
  ASSERT_TRUE(Extract(Bumpy, {}, &mesh, &report).ok());
  ASSERT_TRUE(Simplify(6000, TaskControl(), &whole).ok());
  {
    const Limit limit(size_t{16} << 20);
    ASSERT_TRUE(Simplify(6000, TaskControl(), &mesh).ok());
  }
  ExpectWatertight(mesh);
  EXPECT_EQ(EulerCharacteristic(mesh), 2);
  EXPECT_LE(mesh.triangles.size(), 6000u);
  EXPECT_LT(MeanDistance(mesh), 1.1 * MeanDistance(whole));
}

TEST(SurfaceParts, TheLargestPieceIsThatOfTheWhole) {
  // Three prongs that meet at the top, so that they are one piece, and a ball below that is larger
  // than each of them.
  const auto prongs = [](const float* p) {
    float most = BallAt(p, 0, 0, -0.9f, 0.26f);
    for (int i = 0; i < 3; ++i) {
      const float x = 0.8f * std::cos(2.1f * static_cast<float>(i)),
                  y = 0.8f * std::sin(2.1f * static_cast<float>(i));
      const float prong = 0.15f - std::hypot(p[0] - x, p[1] - y);
      most = std::fmax(most, std::fmin(prong, 0.8f - std::fabs(p[2])));
    }
    const float lid = std::fmin(0.95f - std::hypot(p[0], p[1]), 0.1f - std::fabs(p[2] - 0.8f));
    return std::fmax(most, lid);
  };
  Mesh mesh;
  BandReport report;
  for (const size_t bytes : {size_t{0}, size_t{17} << 20}) {
    const Limit limit(bytes == 0 ? size_t{1} << 40 : bytes);
    ASSERT_TRUE(Extract(prongs, {1, 1, 3000}, &mesh, &report).ok());
    EXPECT_EQ(report.pieces, 2u);
    ExpectWatertight(mesh);
    EXPECT_EQ(EulerCharacteristic(mesh), 2);
    for (const Point& p : mesh.positions) ASSERT_GT(p[2], -0.85f) << "nothing of the ball";
  }
}

TEST(SurfaceParts, KeepsThePiecesThatKeepComponentsKeeps) {
  const auto balls = [](const float* p) {
    return std::fmax(
        BallAt(p, 0, 0, -0.7f, 0.2f),
        std::fmax(BallAt(p, -0.6f, 0, 0.3f, 0.4f),
                  std::fmax(BallAt(p, 0.6f, 0, 0.4f, 0.4f), BallAt(p, 0, 0.9f, 1, 0.1f))));
  };
  for (const double share : {0.0, 0.2, 0.5, 1.0}) {
    Mesh dense, band;
    BandReport report;
    size_t count;
    ASSERT_TRUE(ExtractIsoSurface(kGrid, Of(balls), TaskControl(), &dense).ok());
    ASSERT_TRUE(KeepComponents(share, TaskControl(), &dense, &count).ok());
    ASSERT_TRUE(Extract(balls, {1, share, 100}, &band, &report).ok());
    EXPECT_EQ(report.pieces, count);
    EXPECT_EQ(report.triangles, dense.triangles.size());
    EXPECT_EQ(band.positions, dense.positions);
    EXPECT_EQ(band.triangles, dense.triangles);
  }
}

TEST(SurfaceParts, WhatCannotFitIsRefusedBeforeItIsMade) {
  const Limit limit(size_t{17} << 20);
  Mesh mesh;
  BandReport report;
  const Status status = Extract(Bumpy, {1, 1, 100000}, &mesh, &report);
  EXPECT_EQ(status.code(), Code::kMemory);
  EXPECT_NE(status.message().find("triangles at resolution 96"), std::string::npos);
  EXPECT_EQ(status.message().find("does not fit"), status.message().rfind("does not fit"))
      << "said once: " << status.message();
  EXPECT_NE(status.message().find("100000 are to stay"), std::string::npos) << status.message();
  EXPECT_NE(status.hint().find("fewer faces"), std::string::npos) << status.hint();
  EXPECT_TRUE(mesh.triangles.empty());
}

TEST(SurfaceParts, AMeshThatCannotFitIsRefusedInOneSentence) {
  Mesh mesh;
  BandReport report;
  ASSERT_TRUE(Extract(Bumpy, {}, &mesh, &report).ok());
  const Limit limit(size_t{16} << 20);
  const Status status = Simplify(100000, TaskControl(), &mesh);
  EXPECT_EQ(status.code(), Code::kMemory);
  EXPECT_EQ(status.message().find("does not fit"), status.message().rfind("does not fit"))
      << status.message();
  EXPECT_NE(status.message().find("100000 are to stay"), std::string::npos) << status.message();
  EXPECT_NE(status.hint().find("fewer faces"), std::string::npos) << status.hint();
}

TEST(SurfaceParts, HearCancel) {
  const Limit limit(size_t{17} << 20);
  Mesh mesh;
  BandReport report;
  int32_t words[3] = {0, 0, 0};
  size_t asked = 0;
  const Sampler cancels = [&](const float* points, size_t count, float* values) {
    asked += count;
    return Of(Bumpy)(points, count, values);
  };
  ASSERT_TRUE(ExtractBandSurface(kGrid, cancels, {1, 1, 8000}, TaskControl(), &mesh, &report).ok());
  const size_t all = asked;
  asked = 0;
  const Sampler last = [&](const float* points, size_t count, float* values) {
    asked += count;
    if (asked == all) words[0] = 1;
    return Of(Bumpy)(points, count, values);
  };
  EXPECT_EQ(
      ExtractBandSurface(kGrid, last, {1, 1, 8000}, TaskControl(words), &mesh, &report).code(),
      Code::kCancelled);
}

}  // namespace
}  // namespace daf::mesh
