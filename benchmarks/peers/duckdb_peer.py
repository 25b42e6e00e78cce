"""One query of DuckDB from a fresh process. Reads {"settings": {name: value}, "query": text, "output": path} on standard input, and says
{"duckdb": version, "seconds": time}: from the first setting until the output has reached the disk, without the start of Python.
"""

import json
import os
import sys
import time

import duckdb

job = json.load(sys.stdin)
begun = time.perf_counter()
connection = duckdb.connect()
for name, value in job["settings"].items():
    connection.execute(f"SET {name} = '{value}'")
connection.execute(job["query"])
with open(job["output"], "rb") as output:
    os.fsync(output.fileno())
print(json.dumps({"duckdb": duckdb.__version__, "seconds": time.perf_counter() - begun}))
