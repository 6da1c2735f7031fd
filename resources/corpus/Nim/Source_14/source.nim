import strutils, algorithm

type Job = tuple[name: string, start, finish: int]

var jobs: seq[Job]
for line in stdin.lines:
  let f = line.splitWhitespace
  if f.len == 3:
    jobs.add((f[0], f[1].parseInt, f[2].parseInt))

jobs.sort(proc (a, b: Job): int =
  result = cmp(a.finish, b.finish)
  if result == 0:
    result = cmp(a.start, b.start))

var free = low(int)
var chosen: seq[string]
for job in jobs:
  if job.start >= free:
    chosen.add job.name
    free = job.finish
echo chosen.len, "/", jobs.len
echo chosen.join(" -> ")
