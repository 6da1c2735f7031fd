import strutils

type
  Shape = ref object of RootObj
  Circle = ref object of Shape
    radius: float
  Rectangle = ref object of Shape
    width, height: float

method area(s: Shape): float {.base.} =
  raise newException(CatchableError, "no area")

method area(c: Circle): float =
  3.141592653589793 * c.radius * c.radius

method area(r: Rectangle): float =
  r.width * r.height

var shapes: seq[Shape]
for line in stdin.lines:
  let words = line.splitWhitespace
  try:
    case words[0]
    of "circle": shapes.add Circle(radius: parseFloat(words[1]))
    of "rect": shapes.add Rectangle(width: parseFloat(words[1]), height: parseFloat(words[2]))
    else: shapes.add Shape()
  except ValueError:
    echo "bad number in: ", line

var total = 0.0
for s in shapes:
  try:
    total += s.area
  except CatchableError as e:
    echo e.msg
echo total.formatFloat(ffDecimal, 3)
