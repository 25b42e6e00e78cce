// Places where a test may make daf-host fail, as src/core/failpoint.ts has them for the other
// processes: name:n:kill|stop|error[,…].
#pragma once

#include <string>
#include <vector>

#include "native/base/status.h"

namespace daf {

// What the worker's DAF_FAILPOINT asks of its hosts: "" without any, else the specification and,
// after a newline, the file whose first creator alone acts (DAF_FAILPOINT_ONCE; may be empty). A
// host is given this instead of an environment.
std::string HostFailpoints();

class Failpoints {
 public:
  explicit Failpoints(const std::string& specification);
  // Passes a place. Errors: kPlugin where this pass is to fail.
  Status Pass(const char* name);

 private:
  struct Point {
    std::string name, action;
    long at;
    long hits;
  };
  std::vector<Point> points_;
  std::string once_;
};

}  // namespace daf
