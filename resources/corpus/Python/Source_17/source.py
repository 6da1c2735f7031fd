def gcd(a, b):
    while b != 0:
        a, b = b, a % b
    return a


def add(x, y):
    top = x[0] * y[1] + y[0] * x[1]
    bottom = x[1] * y[1]
    g = gcd(abs(top), bottom)
    return (top // g, bottom // g)


total = (0, 1)
for part in input().split():
    if "/" in part:
        pieces = part.split("/")
        total = add(total, (int(pieces[0]), int(pieces[1])))
    else:
        total = add(total, (int(part), 1))
    if total[1] == 1:
        print(total[0])
    else:
        whole = abs(total[0]) // total[1]
        sign = "-" if total[0] < 0 else ""
        print(f"{total[0]}/{total[1]} = {sign}{whole} + {abs(total[0]) % total[1]}/{total[1]}")
