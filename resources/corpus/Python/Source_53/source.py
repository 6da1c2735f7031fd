from typing import List


def is_mountain(heights: List[int]) -> bool:
    """ Check whether a list of heights first rises strictly to a single peak and then falls strictly.
    Both the rising and the falling part need at least one step.
    >>> is_mountain([1, 3, 2])
    True
    >>> is_mountain([1, 2, 3])
    False
    """
    last = len(heights) - 1
    position = 0
    while position < last and heights[position] < heights[position + 1]:
        position += 1
    if position == 0 or position == last:
        return False
    while position < last and heights[position] > heights[position + 1]:
        position += 1
    return position == last


for _ in range(int(input())):
    print("yes" if is_mountain([int(x) for x in input().split()]) else "no")
